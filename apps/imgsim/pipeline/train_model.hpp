// From a folder of photos to a trained model file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.hpp"

#include <imgsim/model/architecture.hpp>
#include <imgsim/model/backend.hpp>
#include <imgsim/model/checkpoint.hpp>
#include <imgsim/model/history.hpp>
#include <imgsim/model/schedule.hpp>

namespace imgsim::app {

struct train_request {
  std::filesystem::path images;
  std::filesystem::path model;
  architecture description;
  precision arithmetic = precision::float32;
  double minutes = 0.0;    // above 0: in place of epochs
  std::size_t epochs = 0;  // 0: the architecture's default, as with the next two
  std::size_t batch = 0;
  double learning_rate = 0.0;
  std::optional<learning_rate_schedule> schedule = {};  // none: the architecture's default
  std::size_t patience = 0;                             // see training_options
  double validation = 0.2;                              // part of the photos, where the folder has no val/ of its own
  bool resume = false;
};

struct train_summary {
  std::vector<epoch_record> history;
  std::size_t best_epoch = 0;
  std::size_t training_photos = 0;
  std::size_t validation_photos = 0;
  bool stopped = false;
  bool few_photos = false;  // see training_result
  std::filesystem::path model, history_file, plot;
  checkpoint_files checkpoints;  // kept: a run with more epochs resumes from them
};

/// Where the history of a model goes: history.csv and loss.svg beside it, or NAME.history.csv and NAME.loss.svg where
/// those two are of another model that was trained into the same folder.
struct history_files {
  std::filesystem::path table, plot;
};
[[nodiscard]] history_files history_files_of(const std::filesystem::path& model);

/// In a dry run: plans the files of a training.
void plan_training_files(session& session, const std::filesystem::path& model);

/// A page with what was trained, on what, and the loss of each epoch.
[[nodiscard]] std::string to_page(const train_request& request, const train_summary& summary);

/// Trains and writes the model and its history. Where a stop was wanted the last checkpoint is written and nothing
/// else. Skipped photos are listed. In a dry run the photos are read, and nothing is trained or written. What can be
/// refused is refused before a photo is read. Throws io_error, training_diverged, invalid_argument.
train_summary train_model(session& session, const train_request& request);

}  // namespace imgsim::app
