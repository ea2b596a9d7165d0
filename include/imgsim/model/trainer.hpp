// Trains an autoencoder: epochs of shuffled batches, a learning-rate schedule, validation, checkpoints, resuming.
//
//   imgsim::training_options options{.epochs = 20, .seed = 7};
//   options.checkpoints = imgsim::checkpoints_of("cats.safetensors");
//   const imgsim::training_result result = imgsim::train(network, training, validation, options);
//   network.load_state(result.best_state);
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <numeric>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/number_text.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/model/autoencoder.hpp>
#include <imgsim/model/checkpoint.hpp>
#include <imgsim/model/history.hpp>
#include <imgsim/model/photo_source.hpp>
#include <imgsim/model/schedule.hpp>

namespace imgsim {

struct batch_progress {
  std::size_t epoch = 0;   ///< counts from 1
  std::size_t epochs = 0;  ///< in all
  std::size_t batch = 0;   ///< done in this epoch
  std::size_t batches = 0;
  double loss = 0.0;  ///< mean over the epoch so far
};

struct training_options {
  std::size_t epochs = 0;      ///< 0: the architecture's default
  std::size_t batch = 0;       ///< 0: the architecture's default
  double learning_rate = 0.0;  ///< 0: the architecture's default
  learning_rate_schedule schedule = constant_schedule{};
  std::uint64_t seed = 0;             ///< of the order of the photos
  bool record_seconds = true;         ///< false: history and checkpoints say 0, so that equal runs give equal bytes
  checkpoint_files checkpoints = {};  ///< empty: none are written
  bool resume = false;                ///< from checkpoints.last
  std::stop_token stop = {};
  std::function<void(const epoch_record&)> on_epoch = {};
  std::function<void(const batch_progress&)> on_batch = {};
};

/// With fewer training photos than this an encoder finds little more than principal components of the pixels do
/// (fit_embedding.hpp has numbers).
inline constexpr std::size_t kFewPhotos = 300;

struct training_result {
  std::vector<epoch_record> history;
  bool stopped = false;                  ///< on request, before the last epoch was done
  std::size_t best_epoch = 0;            ///< of least validation loss, else training loss; 0: no epoch was completed
  std::vector<named_tensor> best_state;  ///< autoencoder::state() after it
  bool few_photos = false;               ///< fewer than kFewPhotos: worth a warning
};

/// The loss is no longer a number; the weights are lost, the last checkpoint is not.
class training_diverged : public error {
 public:
  using error::error;
};

namespace detail {

/// Streams of one seed: the order of each epoch has one of its own, apart from those of other uses.
inline constexpr std::uint64_t kOrderStream = 0x6f72646572u << 16;

/// What an epoch is judged by.
[[nodiscard]] inline double judged_loss(const epoch_record& record) {
  return std::isnan(record.validation_loss) ? record.training_loss : record.validation_loss;
}

/// Epoch of least loss, the first of equals; 0 for none.
[[nodiscard]] inline std::size_t best_epoch_of(std::span<const epoch_record> history) {
  const auto best = std::ranges::min_element(history, {}, judged_loss);
  return best == history.end() ? 0 : best->epoch;
}

/// Refuses a checkpoint of another run, saying in what it differs.
inline void check_same_run(const std::filesystem::path& path, const checkpoint& saved, const architecture& description,
                           const nlohmann::json& run) {
  const auto refuse = [&](const std::string& reason) { throw io_error(path, "cannot resume: " + reason); };
  if (saved.description != description) refuse("it was made with another architecture");
  for (const auto& [name, value] : run.items()) {
    const auto found = saved.run.find(name);
    if (found != saved.run.end() && *found == value) continue;
    if (name.ends_with("photos")) refuse("it was made with other " + name + " than are there now");
    refuse("it was made with " + name + " " + (found == saved.run.end() ? "unknown" : found->dump()) + ", now it is " +
           value.dump());
  }
}

/// One call of train().
template <class Context, photo_source Training, photo_source Validation>
class training_run {
 public:
  training_run(autoencoder<Context>& network, Training& training, Validation& validation,
               const training_options& options)
      : network_(network),
        training_(training),
        validation_(validation),
        options_(with_defaults(options, network.description().training)),
        rate_(options_.learning_rate, options_.schedule, options_.epochs),
        batches_((training.size() + options_.batch - 1) / std::max<std::size_t>(options_.batch, 1)) {
    IMGSIM_EXPECTS(options_.batch > 0 && options_.epochs > 0, "training needs at least 1 epoch and photos in batches ",
                   "of at least 1, not ", options_.epochs, " and ", options_.batch);
    IMGSIM_EXPECTS(training.size() > 0, "there are no photos to train on");
    IMGSIM_EXPECTS(options_.checkpoints.last.empty() == options_.checkpoints.best.empty(),
                   "a run has two checkpoint files or none");
    IMGSIM_EXPECTS(!options_.resume || !options_.checkpoints.empty(), "there is no checkpoint file to resume from");
    describe_run();
  }

  training_result run() {
    result_.few_photos = training_.size() < kFewPhotos;
    if (options_.resume) resume();
    while (result_.history.size() < options_.epochs) {
      begin_ = clock::now();
      double validation_loss = 0.0;
      if (!train_epoch() || !validate(validation_loss)) {
        seconds_ += elapsed();
        save();
        result_.stopped = true;
        return std::move(result_);
      }
      end_epoch(validation_loss);
    }
    return std::move(result_);
  }

 private:
  using clock = std::chrono::steady_clock;

  [[nodiscard]] static training_options with_defaults(training_options options, const training_defaults& defaults) {
    if (options.epochs == 0) options.epochs = defaults.epochs;
    if (options.batch == 0) options.batch = defaults.batch;
    if (options.learning_rate == 0.0) options.learning_rate = defaults.learning_rate;
    return options;
  }

  void describe_run() {
    saved_.description = network_.description();
    saved_.run = {{"precision", network_.arithmetic() == precision::float32 ? "float32" : "bfloat16"},
                  {"batch", options_.batch},
                  {"learning_rate", options_.learning_rate},
                  {"schedule", to_text(options_.schedule)},
                  {"seed", options_.seed},
                  {"training photos", training_.fingerprint()},
                  {"validation photos", validation_.size() > 0 ? std::string(validation_.fingerprint()) : "none"}};
    // Only a cosine bends with the length of the run; the others may be resumed to go on for longer.
    if (std::holds_alternative<cosine_schedule>(options_.schedule)) saved_.run["epochs"] = options_.epochs;
  }

  void resume() {
    checkpoint last = read_checkpoint(options_.checkpoints.last);
    check_same_run(options_.checkpoints.last, last, saved_.description, saved_.run);
    for (std::size_t i = 0; i < last.history.size(); ++i)
      if (last.history[i].epoch != i + 1) throw io_error(options_.checkpoints.last, "its history skips an epoch");
    if (last.batches > batches_) throw io_error(options_.checkpoints.last, "it has more batches than there are photos");
    result_.best_epoch = best_epoch_of(last.history);
    if (result_.best_epoch > 0) {
      checkpoint best = read_checkpoint(options_.checkpoints.best);
      check_same_run(options_.checkpoints.best, best, saved_.description, saved_.run);
      if (best_epoch_of(best.history) < result_.best_epoch)
        throw io_error(options_.checkpoints.best, "cannot resume: it is older than the last checkpoint");
      result_.best_state = std::move(best.state);
    }
    try {
      network_.load_state(last.state);
      network_.load_optimizer_state(last.optimizer);
    } catch (const invalid_argument& reason) {
      throw io_error(options_.checkpoints.last, reason.what());
    }
    for (const epoch_record& record : last.history) rate_.end_epoch(judged_loss(record));
    done_ = last.batches;
    loss_sum_ = last.loss_sum;
    seconds_ = last.seconds;
    result_.history = std::move(last.history);
  }

  /// The batches of the epoch that are left; false where a stop came first.
  [[nodiscard]] bool train_epoch() {
    const std::size_t epoch = result_.history.size() + 1;
    const auto order = random_stream(options_.seed, kOrderStream + epoch).permutation(training_.size());
    if (done_ < batches_) training_.plan(std::span(order).subspan(done_ * options_.batch), options_.batch);
    for (; done_ < batches_; ++done_) {
      if (options_.stop.stop_requested()) return false;
      const std::size_t first = done_ * options_.batch;
      const auto rows = std::span(order).subspan(first, std::min(options_.batch, order.size() - first));
      const double rate = rate_of(done_);
      const double loss = network_.train_step(load(training_, rows), {.learning_rate = rate}).total();
      if (!std::isfinite(loss))
        throw training_diverged(concat("the loss is not finite in epoch ", epoch, ", batch ", done_ + 1,
                                       ": try a learning rate smaller than ", number_text(rate)));
      loss_sum_ += loss * static_cast<double>(rows.size());
      if (options_.on_batch)
        options_.on_batch(
            {epoch, options_.epochs, done_ + 1, batches_, loss_sum_ / static_cast<double>(first + rows.size())});
    }
    return true;
  }

  /// For a batch of the epoch under way.
  [[nodiscard]] double rate_of(std::size_t batch) const {
    return rate_.at(static_cast<double>(result_.history.size()) +
                    static_cast<double>(batch) / static_cast<double>(batches_));
  }

  /// False where a stop came first. NaN without validation photos.
  [[nodiscard]] bool validate(double& mean_loss) {
    mean_loss = std::numeric_limits<double>::quiet_NaN();
    const std::size_t count = validation_.size();
    if (count == 0) return true;
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    validation_.plan(order, options_.batch);
    double sum = 0.0;
    for (std::size_t first = 0; first < count; first += options_.batch) {
      if (options_.stop.stop_requested()) return false;
      const auto rows = std::span(order).subspan(first, std::min(options_.batch, count - first));
      sum += network_.evaluate(load(validation_, rows)).total() * static_cast<double>(rows.size());
    }
    if (!std::isfinite(sum))
      throw training_diverged(concat("the validation loss is not finite after epoch ", result_.history.size() + 1,
                                     ": try a learning rate smaller than ", number_text(rate_of(batches_ - 1))));
    mean_loss = sum / static_cast<double>(count);
    return true;
  }

  void end_epoch(double validation_loss) {
    result_.history.push_back({.epoch = result_.history.size() + 1,
                               .training_loss = loss_sum_ / static_cast<double>(training_.size()),
                               .validation_loss = validation_loss,
                               .learning_rate = rate_of(batches_ - 1),
                               .seconds = seconds_ + elapsed()});
    const epoch_record& record = result_.history.back();
    rate_.end_epoch(judged_loss(record));
    done_ = 0;
    loss_sum_ = 0.0;
    seconds_ = 0.0;
    if (best_epoch_of(result_.history) == record.epoch) {
      result_.best_epoch = record.epoch;
      result_.best_state = network_.state();
      save_best();
    }
    save();
    if (options_.on_epoch) options_.on_epoch(record);
  }

  void save_best() {
    if (options_.checkpoints.empty()) return;
    saved_.state = result_.best_state;
    saved_.optimizer.clear();
    saved_.history = result_.history;
    write_checkpoint(options_.checkpoints.best, saved_);
  }

  void save() {
    if (options_.checkpoints.empty()) return;
    saved_.state = network_.state();
    saved_.optimizer = network_.optimizer_state();
    saved_.history = result_.history;
    saved_.batches = done_;
    saved_.loss_sum = loss_sum_;
    saved_.seconds = seconds_;
    write_checkpoint(options_.checkpoints.last, saved_);
  }

  template <class Source>
  [[nodiscard]] view<const std::uint8_t, 4> load(Source& source, std::span<const std::size_t> rows) {
    if (pixels_.empty()) pixels_ = tensor<std::uint8_t, 4>({options_.batch, network_.height(), network_.width(), 3});
    const view<std::uint8_t, 4> batch = pixels_.view().slice(0, rows.size());
    source.load(rows, batch);
    return batch;
  }

  [[nodiscard]] double elapsed() const {
    return options_.record_seconds ? std::chrono::duration<double>(clock::now() - begin_).count() : 0.0;
  }

  autoencoder<Context>& network_;
  Training& training_;
  Validation& validation_;
  training_options options_;
  learning_rate rate_;
  std::size_t batches_;
  checkpoint saved_;
  training_result result_;
  tensor<std::uint8_t, 4> pixels_;
  clock::time_point begin_;
  // The epoch under way.
  std::size_t done_ = 0;
  double loss_sum_ = 0.0;
  double seconds_ = 0.0;
};

}  // namespace detail

/// Trains `network` on the photos of `training`; those of `validation` (none are needed) judge it after each epoch.
/// With equal arguments the weights are equal byte for byte, whatever the number of threads, and whether the run was
/// stopped and resumed or not. A stop request ends the batch under way and saves checkpoints.last. Throws
/// training_diverged, io_error (photos, checkpoints; also for a checkpoint of another run) and invalid_argument.
template <execution_context Context, photo_source Training, photo_source Validation>
training_result train(autoencoder<Context>& network, Training& training, Validation& validation,
                      const training_options& options) {
  return detail::training_run(network, training, validation, options).run();
}

}  // namespace imgsim
