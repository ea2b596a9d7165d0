// A training run, saved so that it continues as if it had never stopped.
//
//   tensors   "state/..." as autoencoder::state(), "optimizer/..." as autoencoder::optimizer_state(), "average/..." as
//             the state, where the run keeps a mean of it
//   metadata  format "imgsim-checkpoint", format_version "1", tensor_hash, architecture, run and progress (JSON)
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <imgsim/core/error.hpp>
#include <imgsim/model/architecture.hpp>
#include <imgsim/model/file_format.hpp>
#include <imgsim/model/history.hpp>
#include <imgsim/model/safetensors.hpp>
#include <imgsim/model/state.hpp>

namespace imgsim {

/// The two files of a run; both or neither are given.
struct checkpoint_files {
  std::filesystem::path last;  ///< everything, after each epoch and on a stop
  std::filesystem::path best;  ///< the weights after the epoch of least loss

  [[nodiscard]] bool empty() const noexcept { return last.empty() && best.empty(); }
};

/// "cats.safetensors" -> "cats.last.safetensors" and "cats.best.safetensors", in the same folder.
[[nodiscard]] inline checkpoint_files checkpoints_of(const std::filesystem::path& model) {
  const std::filesystem::path stem = model.parent_path() / model.stem();
  const auto with = [&](const char* suffix) { return std::filesystem::path(stem.native() + suffix); };
  return {.last = with(".last.safetensors"), .best = with(".best.safetensors")};
}

struct checkpoint {
  architecture description;
  nlohmann::json run;  ///< an object: what decides the numbers, to be equal when the run is resumed
  std::vector<named_tensor> state;
  std::vector<named_tensor> optimizer;  ///< empty in the file of the best weights
  std::vector<named_tensor> average;    ///< of the weights, where the run keeps one; empty in that file, too
  std::vector<epoch_record> history;    ///< of the epochs that are complete
  std::size_t batches = 0;              ///< done in the epoch under way
  double loss_sum = 0.0;                ///< over their photos
  double seconds = 0.0;                 ///< spent on them
  double position = 0.0;                ///< time_budget::position(), of a run that has one
};

namespace detail {

inline constexpr std::string_view kCheckpointFormat = "imgsim-checkpoint";
inline constexpr std::size_t kCheckpointFormatVersion = 1;
inline constexpr std::string_view kStatePrefix = "state/";
inline constexpr std::string_view kOptimizerPrefix = "optimizer/";
inline constexpr std::string_view kAveragePrefix = "average/";

inline void append_prefixed(std::vector<named_tensor>& out, std::string_view prefix,
                            const std::vector<named_tensor>& tensors) {
  for (const named_tensor& tensor : tensors)
    out.push_back({std::string(prefix) + tensor.name, tensor.shape, tensor.values});
}

}  // namespace detail

/// Replaces `path` in one step. Throws io_error.
inline void write_checkpoint(const std::filesystem::path& path, const checkpoint& saved) {
  tensor_file file;
  detail::append_prefixed(file.tensors, detail::kStatePrefix, saved.state);
  detail::append_prefixed(file.tensors, detail::kOptimizerPrefix, saved.optimizer);
  detail::append_prefixed(file.tensors, detail::kAveragePrefix, saved.average);
  detail::set_format(file, detail::kCheckpointFormat, detail::kCheckpointFormatVersion);
  file.metadata["architecture"] = to_json(saved.description).dump();
  file.metadata["run"] = saved.run.dump();
  nlohmann::json progress{{"batches", saved.batches}, {"loss_sum", saved.loss_sum}, {"seconds", saved.seconds}};
  if (saved.position > 0.0) progress["position"] = saved.position;
  file.metadata["progress"] = progress.dump();
  file.metadata["history"] = history_text(saved.history);
  write_safetensors(path, file);
}

/// Throws io_error with the reason.
[[nodiscard]] inline checkpoint read_checkpoint(const std::filesystem::path& path) {
  tensor_file file = read_safetensors(path);
  try {
    detail::check_format(file, detail::kCheckpointFormat, detail::kCheckpointFormatVersion);
    checkpoint saved;
    saved.description = parse_architecture(detail::parse_metadata_json(file, "architecture"));
    saved.run = detail::parse_metadata_json(file, "run");
    const nlohmann::json progress = detail::parse_metadata_json(file, "progress");
    IMGSIM_EXPECTS(saved.run.is_object() && progress.is_object() && progress.contains("batches") &&
                       progress["batches"].is_number_unsigned() && progress.contains("loss_sum") &&
                       progress["loss_sum"].is_number() && progress.contains("seconds") &&
                       progress["seconds"].is_number() &&
                       (!progress.contains("position") || progress["position"].is_number()),
                   "its progress is not described");
    saved.batches = progress["batches"].get<std::size_t>();
    saved.loss_sum = progress["loss_sum"].get<double>();
    saved.seconds = progress["seconds"].get<double>();
    saved.position = progress.value("position", 0.0);
    saved.history = parse_history(detail::metadata_of(file, "history"));
    for (named_tensor& tensor : file.tensors) {
      const auto take = [&](std::string_view prefix, std::vector<named_tensor>& to) {
        if (!tensor.name.starts_with(prefix)) return false;
        to.push_back({tensor.name.substr(prefix.size()), std::move(tensor.shape), std::move(tensor.values)});
        return true;
      };
      IMGSIM_EXPECTS(take(detail::kStatePrefix, saved.state) || take(detail::kOptimizerPrefix, saved.optimizer) ||
                         take(detail::kAveragePrefix, saved.average),
                     "it holds an unknown '", tensor.name, "'");
    }
    return saved;
  } catch (const invalid_argument& reason) {
    throw io_error(path, reason.what());
  }
}

}  // namespace imgsim
