// How long a run is: a number of epochs, or as many as a time budget holds.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace imgsim {

/// Lays a run of a time budget out while it is under way, so that its learning rate comes down at its end, and an epoch
/// is not cut off. Tells where the run stands from 0, its begin, to 1, its end; with each batch that grows by an equal
/// part of what is left, over the batches that are thought to be left. Their number follows from the time that batches
/// have taken, anew after each epoch and, in the first, after the first few. A budget too short for an epoch holds a
/// part of one.
class time_budget {
 public:
  /// `batches` an epoch; `planned` epochs, until time has been measured.
  time_budget(double seconds, std::size_t batches, std::size_t planned)
      : seconds_(seconds), batches_(batches), epochs_(planned), in_epoch_(batches) {}

  [[nodiscard]] double position() const noexcept { return position_; }
  /// Of the run in all, as things stand.
  [[nodiscard]] std::size_t epochs() const noexcept { return epochs_; }
  /// Of the epoch under way: fewer than the photos need where the budget holds no whole one.
  [[nodiscard]] std::size_t batches() const noexcept { return in_epoch_; }

  /// Where a resumed run stood.
  void restore(double position) noexcept { position_ = std::clamp(position, 0.0, 1.0); }

  /// Before the batches of an epoch, `done` epochs having taken `elapsed` seconds; false: the run is over.
  [[nodiscard]] bool begin_epoch(std::size_t done, double elapsed) {
    done_ = done;
    in_epoch_ = batches_;
    if (done == 0) return true;
    const double each = elapsed / static_cast<double>(done);
    const double fit = std::floor((seconds_ - elapsed) / each + 0.5);
    epochs_ = done + (fit > 0.0 ? static_cast<std::size_t>(std::min(fit, kMostEpochs)) : 0);
    return epochs_ > done;
  }

  /// After batch `batch` (from 1) of the epoch, `elapsed` seconds after the run began.
  void end_batch(std::size_t batch, double elapsed) {
    const std::size_t rest = (in_epoch_ - std::min(batch, in_epoch_)) + (epochs_ - done_ - 1) * batches_;
    position_ += (1.0 - position_) / static_cast<double>(rest + 1);
    if (done_ > 0 || batch > in_epoch_) return;
    if (batch == 1) first_ = elapsed;  // the first makes what the others use again
    if (batch < kMeasured + 1 && batch < batches_) return;
    if (epochs_ == 1 || !measured_) measure(batch, elapsed);
    measured_ = true;
  }

 private:
  static constexpr std::size_t kMeasured = 4;
  static constexpr double kMostEpochs = 1e6;

  void measure(std::size_t batch, double elapsed) {
    const double each = (elapsed - first_) / static_cast<double>(std::max<std::size_t>(batch - 1, 1));
    if (each <= 0.0) return;
    const double fit = (seconds_ - elapsed) / each + static_cast<double>(batch);  // batches of the run
    const double epochs = std::floor(fit / static_cast<double>(batches_) + 0.5);
    epochs_ = static_cast<std::size_t>(std::clamp(epochs, 1.0, kMostEpochs));
    if (epochs_ == 1)
      in_epoch_ = std::clamp(static_cast<std::size_t>(std::max(fit, 0.0)), std::min(batch, batches_), batches_);
  }

  double seconds_;
  std::size_t batches_;
  std::size_t epochs_;
  std::size_t in_epoch_;
  std::size_t done_ = 0;
  bool measured_ = false;
  double first_ = 0.0;
  double position_ = 0.0;
};

}  // namespace imgsim
