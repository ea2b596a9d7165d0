// Whether a checkpoint is of the run that wants to go on from it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include <imgsim/core/error.hpp>
#include <imgsim/model/architecture.hpp>
#include <imgsim/model/checkpoint.hpp>
#include <imgsim/model/history.hpp>

namespace imgsim::detail {

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
  // What an architecture recommends for training decides nothing; what was chosen is in `run`.
  architecture then = saved.description;
  then.training = description.training;
  if (then != description) refuse("it was made with another architecture");
  for (const auto& [name, value] : run.items()) {
    const auto found = saved.run.find(name);
    if (found != saved.run.end() && *found == value) continue;
    if (name.ends_with("photos")) refuse("it was made with other " + name + " than are there now");
    refuse("it was made with " + name + " " + (found == saved.run.end() ? "unknown" : found->dump()) + ", now it is " +
           value.dump());
  }
  for (const auto& [name, value] : saved.run.items())
    if (!run.contains(name)) refuse("it was made with " + name + " " + value.dump() + ", now there is none");
}

}  // namespace imgsim::detail
