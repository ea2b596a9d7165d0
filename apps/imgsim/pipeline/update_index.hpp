// An index brought up to date with its folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.hpp"

#include <imgsim/embedding/index_update.hpp>

namespace imgsim::app {

struct index_request {
  std::filesystem::path images, model, index;
  bool replace = false;  // all photos of the index by those of another folder
};

/// A request as it is typed: what is not given is as the index has it.
struct typed_index_request {
  std::optional<std::filesystem::path> images = {}, model = {};
  std::filesystem::path index;
  bool replace = false;
  const char* images_option = "--images DIR";  // what the command calls it
};

/// Throws usage_error where something is not given and there is no index to take it from, io_error.
[[nodiscard]] index_request complete_request(typed_index_request typed);

struct index_outcome {
  update_summary summary = {};
  std::vector<std::string> dropped = {};           // "neighbors", "groups": what was of the old rows
  std::optional<std::string> left_out = {};        // passed_over_text()
  std::optional<std::string> kept_for_drift = {};  // by its model
};

/// Makes the index from the photos with the model, or brings it up to date. Skipped photos are listed; what an update
/// with another folder or another model loses is told before it is made. Throws io_error, also where no photo can be
/// read or the update needs `replace`; cancelled on a stop, which leaves the index as it was. In
/// a dry run the photos that would be encoded are decoded, and the files planned; the index stays as it is.
index_outcome update_index(session& session, const index_request& request);

}  // namespace imgsim::app
