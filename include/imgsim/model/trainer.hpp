// Trains an autoencoder: epochs of shuffled batches of photos or of views of them, a learning-rate schedule,
// validation, checkpoints, resuming.
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
#include <optional>
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
#include <imgsim/model/autoencoder.hpp>
#include <imgsim/model/checkpoint.hpp>
#include <imgsim/model/history.hpp>
#include <imgsim/model/photo_source.hpp>
#include <imgsim/model/same_run.hpp>
#include <imgsim/model/schedule.hpp>
#include <imgsim/model/training_recipe.hpp>
#include <imgsim/model/training_time.hpp>
#include <imgsim/model/training_views.hpp>
#include <imgsim/model/weight_average.hpp>

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
  double seconds = 0.0;        ///< above 0: as many epochs as they hold, whatever `epochs` says
  std::size_t batch = 0;       ///< 0: the architecture's default
  double learning_rate = 0.0;  ///< 0: the architecture's default
  std::optional<learning_rate_schedule> schedule = {};  ///< none: the architecture's default
  std::size_t patience = 0;           ///< above 0: the run ends after so many epochs without a better loss
  std::uint64_t seed = 0;             ///< of the order of the photos and of their views
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

/// The architecture's batch; where that leaves the epochs to the number of photos, at least four steps an epoch, if of
/// fewer photos, too.
[[nodiscard]] inline std::size_t default_batch(const training_defaults& defaults, std::size_t photos) {
  constexpr std::size_t kLeast = 8;
  if (defaults.epochs > 0) return defaults.batch;
  return std::clamp<std::size_t>(photos / 4, std::min(kLeast, defaults.batch), defaults.batch);
}
/// The architecture's epochs; where it leaves them to the number of photos, 8 (20 gain nothing:
/// bench/results/quality.md), fewer of very many photos, so that time does not grow with them, and more of few, since
/// the statistics of batch norm take some hundred steps to settle.
[[nodiscard]] inline std::size_t default_epochs(const training_defaults& defaults, std::size_t photos) {
  constexpr std::size_t kLooks = 64'000;  // at photos
  constexpr std::size_t kSteps = 400;
  constexpr std::size_t kUsual = 8, kFewest = 5, kMost = 100;
  if (defaults.epochs > 0) return defaults.epochs;
  const std::size_t count = std::max<std::size_t>(photos, 1);
  const std::size_t batch = default_batch(defaults, count);
  const std::size_t steps = (count + batch - 1) / batch;
  return std::clamp<std::size_t>(kSteps / steps, std::clamp(kLooks / count, kFewest, kUsual), kMost);
}

/// The loss is no longer a number; the weights are lost, the last checkpoint is not.
class training_diverged : public error {
 public:
  using error::error;
};

namespace detail {

/// Streams of one seed: the order of each epoch has one of its own, apart from those of other uses.
inline constexpr std::uint64_t kOrderStream = 0x6f72646572u << 16;

/// One call of train().
template <class Context, photo_source Training, photo_source Validation>
class training_run {
 public:
  training_run(autoencoder<Context>& network, Training& training, Validation& validation,
               const training_options& options)
      : network_(network),
        training_(training),
        validation_(validation),
        recipe_(network.description().training.recipe),
        options_(with_defaults(options, network.description().training, training.size())),
        rate_(options_.learning_rate, *options_.schedule, options_.epochs),
        batches_((training.size() + options_.batch - 1) / std::max<std::size_t>(options_.batch, 1)),
        budget_(options_.seconds, batches_, options_.epochs),
        learnt_(network.context().host_pool(), training, recipe_, network.height(), network.width(), options_.batch,
                options_.seed),
        judged_(network.context().host_pool(), validation, judged_by(recipe_), network.height(), network.width(),
                options_.batch, options_.seed),
        average_(recipe_.ema) {
    IMGSIM_EXPECTS(options_.batch > 0 && options_.epochs > 0, "training needs at least 1 epoch and photos in batches ",
                   "of at least 1, not ", options_.epochs, " and ", options_.batch);
    IMGSIM_EXPECTS(recipe_.invariance == 0.0 || options_.batch > 1,
                   "training for invariance compares the photos of a batch: it needs 2 or more");
    IMGSIM_EXPECTS(training.size() > 0, "there are no photos to train on");
    IMGSIM_EXPECTS(options_.seconds >= 0.0 && std::isfinite(options_.seconds) &&
                       (options_.seconds == 0.0 || options_.record_seconds),
                   "a time budget is a number of seconds of a run that records them");
    IMGSIM_EXPECTS(recipe_.invariance == 0.0 || network.view_size() > 0, "the network '", network.description().name,
                   "' cannot be trained for invariance: none of its taps pools a whole layer");
    IMGSIM_EXPECTS(options_.checkpoints.last.empty() == options_.checkpoints.best.empty(),
                   "a run has two checkpoint files or none");
    IMGSIM_EXPECTS(!options_.resume || !options_.checkpoints.empty(), "there is no checkpoint file to resume from");
    describe_run();
  }

  training_result run() {
    result_.few_photos = training_.size() < kFewPhotos;
    if (options_.resume) resume();
    begin_ = clock::now();
    while (!is_over()) {
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

  [[nodiscard]] static training_options with_defaults(training_options options, const training_defaults& defaults,
                                                      std::size_t photos) {
    if (options.batch == 0) options.batch = default_batch(defaults, photos);
    if (options.epochs == 0) options.epochs = default_epochs(defaults, photos);
    if (options.learning_rate == 0.0) options.learning_rate = defaults.learning_rate;
    if (!options.schedule) options.schedule = defaults.schedule;
    return options;
  }

  /// Photos as they are, or views that are the same after each epoch where the loss needs two.
  [[nodiscard]] static training_recipe judged_by(training_recipe recipe) {
    recipe.mask = 0.0;
    if (recipe.invariance == 0.0) recipe.augment = {};
    return recipe;
  }

  void describe_run() {
    saved_.description = network_.description();
    saved_.run = {{"precision", network_.arithmetic() == precision::float32 ? "float32" : "bfloat16"},
                  {"batch", options_.batch},
                  {"learning_rate", options_.learning_rate},
                  {"schedule", to_text(*options_.schedule)},
                  {"seed", options_.seed},
                  {"training photos", training_.fingerprint()},
                  {"validation photos", validation_.size() > 0 ? std::string(validation_.fingerprint()) : "none"}};
    // Only a cosine bends with the length of the run; the others may be resumed to go on for longer.
    if (options_.seconds > 0.0) {
      saved_.run["seconds"] = options_.seconds;
    } else if (std::holds_alternative<cosine_schedule>(*options_.schedule)) {
      saved_.run["epochs"] = options_.epochs;
    }
    // What is off is left out: so it was before there was such a thing.
    const training_recipe none;
    if (recipe_.augment != none.augment) saved_.run["augment"] = to_text(recipe_.augment);
    if (recipe_.mask != none.mask) saved_.run["mask"] = recipe_.mask;
    if (recipe_.invariance != none.invariance) saved_.run["invariance"] = recipe_.invariance;
    if (recipe_.ema != none.ema) saved_.run["ema"] = recipe_.ema;
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
      if (!last.average.empty()) network_.load_state(last.average);  // to be sure that it is of this network
      network_.load_state(last.state);
      network_.load_optimizer_state(last.optimizer);
    } catch (const invalid_argument& reason) {
      throw io_error(options_.checkpoints.last, reason.what());
    }
    for (const epoch_record& record : last.history) rate_.end_epoch(judged_loss(record));
    average_.restore(std::move(last.average));
    budget_.restore(last.position);
    done_ = last.batches;
    learnt_photos_ = std::min(done_ * options_.batch, training_.size());
    loss_sum_ = last.loss_sum;
    seconds_ = last.seconds;
    result_.history = std::move(last.history);
  }

  [[nodiscard]] bool is_over() {
    const std::size_t epochs = result_.history.size();
    if (options_.patience > 0 && epochs >= result_.best_epoch + options_.patience) return true;
    if (options_.seconds == 0.0) return epochs >= options_.epochs;
    spent_ = 0.0;
    for (const epoch_record& record : result_.history) spent_ += record.seconds;
    return !budget_.begin_epoch(epochs, spent_);
  }

  /// Batches of the epoch under way.
  [[nodiscard]] std::size_t batches() const { return options_.seconds > 0.0 ? budget_.batches() : batches_; }

  /// The batches of the epoch that are left; false where a stop came first.
  [[nodiscard]] bool train_epoch() {
    const std::size_t epoch = result_.history.size() + 1;
    const auto order = random_stream(options_.seed, kOrderStream + epoch).permutation(training_.size());
    if (done_ < batches()) learnt_.begin(epoch, std::span(order).subspan(done_ * options_.batch));
    for (; done_ < batches(); ++done_) {
      if (options_.stop.stop_requested()) return learnt_.end(), false;
      const std::size_t photos = std::min((done_ + 1) * options_.batch, order.size());
      const double rate = rate_of(done_);
      const double loss = network_.train_step(learnt_.next(), {.learning_rate = rate}).total();
      if (!std::isfinite(loss))
        throw training_diverged(concat("the loss is not finite in epoch ", epoch, ", batch ", done_ + 1,
                                       ": try a learning rate smaller than ", number_text(rate)));
      loss_sum_ += loss * static_cast<double>(photos - done_ * options_.batch);
      learnt_photos_ = photos;
      end_batch();
      if (options_.on_batch)
        options_.on_batch({epoch, options_.seconds > 0.0 ? budget_.epochs() : options_.epochs, done_ + 1, batches(),
                           loss_sum_ / static_cast<double>(photos)});
    }
    learnt_.end();
    return true;
  }

  void end_batch() {
    if (options_.seconds > 0.0) budget_.end_batch(done_ + 1, spent_ + seconds_ + elapsed());
    if (recipe_.ema == 0.0 || (result_.history.empty() && done_ + 1 < batches())) return;
    const std::size_t steps = result_.history.size() * batches_ + done_ + 1;
    if (average_.mean().empty() || steps % kStepsPerAverage == 0) average_.add(network_.state(), kStepsPerAverage);
  }

  /// For a batch of the epoch under way.
  [[nodiscard]] double rate_of(std::size_t batch) const {
    if (options_.seconds > 0.0) return rate_.at(budget_.position() * static_cast<double>(options_.epochs));
    return rate_.at(static_cast<double>(result_.history.size()) +
                    static_cast<double>(batch) / static_cast<double>(batches_));
  }

  /// False where a stop came first. NaN without validation photos.
  [[nodiscard]] bool validate(double& mean_loss) {
    if (average_.mean().empty()) return validate_weights(mean_loss);
    const std::vector<named_tensor> own = network_.state();
    network_.load_state(average_.mean());
    const bool complete = validate_weights(mean_loss);
    network_.load_state(own);
    return complete;
  }
  [[nodiscard]] bool validate_weights(double& mean_loss) {
    mean_loss = std::numeric_limits<double>::quiet_NaN();
    const std::size_t count = validation_.size();
    if (count == 0) return true;
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    judged_.begin(0, order);
    double sum = 0.0;
    for (std::size_t first = 0; first < count; first += options_.batch) {
      if (options_.stop.stop_requested()) return judged_.end(), false;
      const training_batch batch = judged_.next();
      sum += network_.evaluate(batch.photos, batch.invariance).total() *
             static_cast<double>(std::min(options_.batch, count - first));
    }
    if (!std::isfinite(sum))
      throw training_diverged(concat("the validation loss is not finite after epoch ", result_.history.size() + 1,
                                     ": try a learning rate smaller than ", number_text(rate_of(batches_ - 1))));
    mean_loss = sum / static_cast<double>(count);
    return true;
  }

  void end_epoch(double validation_loss) {
    result_.history.push_back({.epoch = result_.history.size() + 1,
                               .training_loss = loss_sum_ / static_cast<double>(learnt_photos_),
                               .validation_loss = validation_loss,
                               .learning_rate = rate_of(batches_ - 1),
                               .seconds = seconds_ + elapsed()});
    begin_ = clock::now();  // what the checkpoints take is the next epoch's
    const epoch_record& record = result_.history.back();
    rate_.end_epoch(judged_loss(record));
    done_ = 0;
    loss_sum_ = 0.0;
    seconds_ = 0.0;
    if (best_epoch_of(result_.history) == record.epoch) {
      result_.best_epoch = record.epoch;
      result_.best_state = average_.mean().empty() ? network_.state() : average_.mean();
      save_best();
    }
    save();
    if (options_.on_epoch) options_.on_epoch(record);
  }

  void save_best() {
    if (options_.checkpoints.empty()) return;
    saved_.state = result_.best_state;
    saved_.optimizer.clear();
    saved_.average.clear();
    saved_.history = result_.history;
    write_checkpoint(options_.checkpoints.best, saved_);
  }

  void save() {
    if (options_.checkpoints.empty()) return;
    saved_.state = network_.state();
    saved_.optimizer = network_.optimizer_state();
    saved_.average = average_.mean();
    saved_.position = budget_.position();
    saved_.history = result_.history;
    saved_.batches = done_;
    saved_.loss_sum = loss_sum_;
    saved_.seconds = seconds_;
    write_checkpoint(options_.checkpoints.last, saved_);
  }

  [[nodiscard]] double elapsed() const {
    return options_.record_seconds ? std::chrono::duration<double>(clock::now() - begin_).count() : 0.0;
  }

  autoencoder<Context>& network_;
  Training& training_;
  Validation& validation_;
  training_recipe recipe_;
  training_options options_;
  learning_rate rate_;
  std::size_t batches_;
  time_budget budget_;
  training_views<Training> learnt_;
  training_views<Validation> judged_;
  weight_average average_;
  checkpoint saved_;
  training_result result_;
  clock::time_point begin_;
  double spent_ = 0.0;  // seconds of the epochs that are complete, where there is a budget of them
  // The epoch under way.
  std::size_t done_ = 0;
  std::size_t learnt_photos_ = 0;
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
