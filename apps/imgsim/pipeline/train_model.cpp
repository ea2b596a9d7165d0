#include "pipeline/train_model.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "cli/progress.hpp"
#include "cli/text.hpp"
#include "device/compute.hpp"
#include "device/machine_memory.hpp"
#include "device/training_job.hpp"
#include "pipeline/calibrate.hpp"
#include "pipeline/drift.hpp"
#include "pipeline/model_files.hpp"
#include "pipeline/output_path.hpp"
#include "pipeline/passed_over.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/core/number_text.hpp>
#include <imgsim/image/folder.hpp>
#include <imgsim/model/photo_source.hpp>
#include <imgsim/model/trainer.hpp>
#include <imgsim/report/html_sections.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

struct photo_paths {
  std::vector<std::string> training;
  std::vector<std::string> validation;
};

photo_paths choose_photos(session& session, const train_request& request, const photo_folder& folder) {
  const auto paths_of = [&](const std::vector<std::size_t>& rows) {
    std::vector<std::string> paths;
    for (const std::size_t row : rows) paths.push_back(folder.photos[row].path);
    return paths;
  };
  if (const auto split = split_by_folder(folder)) {
    session.note("the folder has train/val/test form: training on " + count_text(split->train.size(), "photo") +
                 ", validating on " + count_text(split->validation.size(), "photo") +
                 (split->test.empty() ? "" : ", leaving out " + count_text(split->test.size(), "test photo")));
    return {paths_of(split->train), paths_of(split->validation)};
  }
  const photo_split split = split_photos(folder.photos.size(), request.validation, session.options().seed);
  return {paths_of(split.training), paths_of(split.validation)};
}

/// Decodes `paths`; `share` is their part of all photos, and of the memory for decoded ones.
opened_photos open_listed(session& session, const train_request& request, const std::filesystem::path& root,
                          const std::vector<std::string>& paths, const std::string& task, double share) {
  const double memory = static_cast<double>(machine_memory_bytes()) / 4;
  progress bar(session.options(), task, "photos", paths.size());
  opened_photos opened = open_photos(root, paths,
                                     {.loader = {.height = request.description.height,
                                                 .width = request.description.width,
                                                 .threads = session.threads(),
                                                 .limits = session.limits()},
                                      .memory_budget = static_cast<std::uint64_t>(memory * share),
                                      .on_progress = [&](std::size_t done, std::size_t) {
                                        bar.update(done);
                                        session.check_stop("nothing was written");
                                      }});
  bar.finish(opened.photos.in_memory() ? "" : "(too many to keep: decoded again each epoch)");
  for (const skipped_file& file : opened.skipped) session.skip(file.path, file.reason);
  return opened;
}

/// Refuses to resume from nothing, or from a checkpoint of another network.
void expect_checkpoint(const train_request& request) {
  const std::filesystem::path last = checkpoints_of(request.model).last;
  if (!std::filesystem::exists(last))
    throw io_error(last, "there is no checkpoint to resume from; leave out --resume to begin a new training");
  const auto saved = [&] {
    try {
      return load_checkpoint_architecture(last);
    } catch (const io_error& fault) {
      throw io_error(fault.path(), fault.reason() + "; leave out --resume to begin a new training");
    }
  }();
  architecture then = saved;
  then.training = request.description.training;  // the run itself says what was chosen of these
  if (then != request.description)
    throw io_error(last, "is of another network; give its --preset, --size and --latent, or leave out --resume");
}

std::string epoch_text(const epoch_record& record, std::size_t epochs) {
  std::string text = "epoch " + std::to_string(record.epoch) + "/" + std::to_string(epochs) + "  loss " +
                     general_text(record.training_loss, 5);
  if (!std::isnan(record.validation_loss)) text += "  validation " + general_text(record.validation_loss, 5);
  return text + "  " + duration_text(record.seconds);
}

std::map<std::string, std::string> provenance(const session& session, const train_request& request,
                                              const train_summary& summary) {
  const epoch_record& best = summary.history.at(summary.best_epoch - 1);
  std::map<std::string, std::string> metadata{
      {"preset", request.description.name},
      {"seed", std::to_string(session.options().seed)},
      {"epochs", std::to_string(summary.history.size())},
      {"best_epoch", std::to_string(summary.best_epoch)},
      {"training_photos", std::to_string(summary.training_photos)},
      {"validation_photos", std::to_string(summary.validation_photos)},
      {"training_loss", general_text(best.training_loss, 9)},
      {"precision", request.arithmetic == precision::float32 ? "float32" : "bfloat16"}};
  if (!std::isnan(best.validation_loss)) metadata["validation_loss"] = general_text(best.validation_loss, 9);
  const training_recipe& recipe = request.description.training.recipe;
  const auto tell = [&](const char* name, double value) {
    if (value > 0.0) metadata[name] = number_text(value);
  };
  if (recipe.augment.changes_photos()) metadata["augment"] = to_text(recipe.augment);
  tell("mask", recipe.mask);
  tell("invariance", recipe.invariance);
  tell("ema", recipe.ema);
  tell("minutes", request.minutes);
  return metadata;
}

}  // namespace

history_files history_files_of(const std::filesystem::path& model) {
  namespace fs = std::filesystem;
  const fs::path folder = model.parent_path();
  const std::string name = model.stem().string();
  const history_files common{folder / "history.csv", folder / "loss.svg"};
  const history_files own{folder / (name + ".history.csv"), folder / (name + ".loss.svg")};
  if (fs::exists(own.table)) return own;
  if (!fs::exists(common.table) || fs::exists(model)) return common;
  // A history without this model: of another one, if there is one.
  const checkpoint_files checkpoints = checkpoints_of(model);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.empty() ? "." : folder)) {
    const fs::path file = entry.path().filename();
    if (file.extension() == ".safetensors" && file != checkpoints.last.filename() &&
        file != checkpoints.best.filename())
      return own;
  }
  return common;
}

std::string to_page(const train_request& request, const train_summary& summary) {
  const architecture& network = request.description;
  const epoch_record& best = summary.history.at(summary.best_epoch - 1);
  double seconds = 0;
  for (const epoch_record& epoch : summary.history) seconds += epoch.seconds;
  html_page page(
      "Training of " + summary.model.filename().string(),
      network.name + " on " + count_text(summary.training_photos, "photo") + " of " + request.images.string());
  std::vector<std::pair<std::string, std::string>> facts{
      {"network", network.name},
      {"input", count_text(network.height) + " x " + count_text(network.width)},
      {"photos to learn from", count_text(summary.training_photos)},
      {"photos to judge by", count_text(summary.validation_photos)},
      {"epochs", count_text(summary.history.size())},
      {"best epoch", count_text(summary.best_epoch)},
      {"its loss", general_text(best.training_loss, 5)}};
  if (!std::isnan(best.validation_loss))
    facts.emplace_back("its validation loss", general_text(best.validation_loss, 5));
  if (seconds > 0) facts.emplace_back("time", duration_text(seconds));
  page.section("What was trained").facts(facts);
  page.section("Loss");
  add_training(page, summary.history);
  return page.html();
}

void plan_training_files(session& session, const std::filesystem::path& model) {
  const history_files history = history_files_of(model);
  const checkpoint_files checkpoints = checkpoints_of(model);
  for (const std::filesystem::path& file : {model, history.table, history.plot, checkpoints.last, checkpoints.best})
    session.plan(file);
}

train_summary train_model(session& session, const train_request& request) {
  const photo_folder folder = scan_photos(request.images);
  for (const skipped_file& file : folder.skipped) session.skip(file.path, file.reason);
  if (folder.photos.empty()) refuse_no_photos(folder);
  if (const auto left_out = passed_over_text(folder)) session.note(*left_out);
  compute& device = session.device();
  prepare_output_file(session, request.model, output_kind::model);
  const history_files history = history_files_of(request.model);
  if (request.model.filename() == history.table.filename() || request.model.filename() == history.plot.filename())
    throw io_error(request.model, "is where the history of the training goes; name the model otherwise");
  prepare_output_file(session, history.table, output_kind::history);
  prepare_output_file(session, history.plot, output_kind::plot);
  if (request.resume) expect_checkpoint(request);
  const photo_paths paths = choose_photos(session, request, folder);
  const double total = static_cast<double>(paths.training.size() + paths.validation.size());
  const auto share = [&](const auto& list) { return static_cast<double>(list.size()) / total; };
  opened_photos training = open_listed(session, request, folder.root, paths.training, "decode", share(paths.training));
  opened_photos validation =
      open_listed(session, request, folder.root, paths.validation, "decode for validation", share(paths.validation));
  if (training.paths.empty()) throw io_error(request.images, "holds no photo that can be read");

  if (session.is_dry_run()) {
    train_summary planned;
    planned.training_photos = training.photos.size();
    planned.validation_photos = validation.photos.size();
    return planned;
  }
  if (request.minutes > 0.0)
    session.note("training for " + general_text(request.minutes, 4) +
                 " minutes: as many epochs as they hold, the learning rate laid out over them");
  constexpr std::size_t kManyPhotos = 20'000;
  if (request.minutes <= 0.0 && request.epochs == 0 && training.photos.size() >= kManyPhotos)
    session.note(
        count_text(training.photos.size(), "photo") +
        " take a while: --minutes M trains for M minutes instead; Ctrl-C saves the run, --resume continues it");
  training_job job{.description = request.description,
                   .arithmetic = request.arithmetic,
                   .seed = session.options().seed,
                   .options = {.epochs = request.epochs,
                               .seconds = 60.0 * request.minutes,
                               .batch = request.batch,
                               .learning_rate = request.learning_rate,
                               .schedule = request.schedule,
                               .patience = request.patience,
                               .seed = session.options().seed,
                               .record_seconds = !session.options().deterministic,
                               .checkpoints = checkpoints_of(request.model),
                               .resume = request.resume,
                               .stop = session.stop()}};
  std::unique_ptr<progress> bar;
  std::size_t epochs = 0;
  job.options.on_batch = [&](const batch_progress& batch) {
    epochs = batch.epochs;
    if (!bar)
      bar = std::make_unique<progress>(session.options(),
                                       "epoch " + std::to_string(batch.epoch) + "/" + std::to_string(batch.epochs),
                                       "batches", batch.batches);
    bar->update(batch.batch);
  };
  job.options.on_epoch = [&](const epoch_record& record) {
    if (bar) bar->finish_with(epoch_text(record, epochs));
    bar.reset();
    constexpr double kLongSeconds = 20;
    if (record.epoch == 1 && epochs > 1 && record.seconds > kLongSeconds)
      session.note("the other " + count_text(epochs - 1, "epoch") + " take about " +
                   duration_text(record.seconds * static_cast<double>(epochs - 1)));
    if (record.epoch == epochs && !job.options.stop.stop_requested())
      session.note("fitting the embedding to the photos");
  };
  trained_model trained = device.train(job, training.photos, validation.photos);
  bar.reset();

  const history_files files = history_files_of(request.model);
  train_summary summary{.history = std::move(trained.result.history),
                        .best_epoch = trained.result.best_epoch,
                        .training_photos = training.photos.size(),
                        .validation_photos = validation.photos.size(),
                        .stopped = trained.result.stopped,
                        .few_photos = trained.result.few_photos,
                        .model = request.model,
                        .history_file = files.table,
                        .plot = files.plot,
                        .checkpoints = job.options.checkpoints};
  if (summary.stopped) return summary;
  if (summary.few_photos)
    session.note("trained on " + count_text(summary.training_photos, "photo") + ": with fewer than " +
                 std::to_string(kFewPhotos) +
                 " a network finds little more than alike colours and shapes; add photos of the same kind");
  model_file model{.description = request.description,
                   .state = std::move(trained.result.best_state),
                   .embedding = std::move(trained.embedding),
                   .metadata = provenance(session, request, summary)};
  save_model(request.model, model);
  write_history(summary.history_file, summary.history);
  write_file(summary.plot, render_svg(loss_history_plot(summary.history)));

  std::vector<std::string> seen = training.paths;
  seen.insert(seen.end(), validation.paths.begin(), validation.paths.end());
  std::ranges::sort(seen);  // as an index lists them: the same photos are drawn
  const std::unique_ptr<encoder> encoder = device.open_encoder(model);
  // Photos that the network has not seen, where there are enough of them.
  const bool held_out = validation.paths.size() >= kFewestDriftPhotos;
  const auto reference =
      sample_for_drift(session, *encoder, folder.root, held_out ? validation.paths : seen,
                       "the model is written, without probabilities and without what drift is told by");
  const auto calibration =
      calibrate_scores(session, *encoder, folder.root, seen, "the model is written, without probabilities");
  if (reference) model.metadata.emplace(kDriftKey, to_json(*reference).dump());
  if (calibration) model.metadata.emplace(kCalibrationKey, to_json(*calibration).dump());
  if (reference || calibration) save_model(request.model, model);
  return summary;
}

}  // namespace imgsim::app
