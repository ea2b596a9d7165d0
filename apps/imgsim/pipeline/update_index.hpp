// An index brought up to date with its folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/session.hpp"

#include <imgsim/embedding/index_update.hpp>

namespace imgsim::app {

struct index_request {
  std::filesystem::path images, model, index;
  bool replace = false;  // all photos of the index by those of another folder
};

struct index_outcome {
  update_summary summary;
  std::vector<std::string> dropped;  // "neighbors", "groups": what was of the old rows
};

/// Makes the index from the photos with the model, or brings it up to date. Skipped photos are listed; what an update
/// with another folder or another model loses is told before it is made. Throws io_error, also where no photo can be
/// read or the update needs `replace`; cancelled on a stop, which leaves the index as it was.
index_outcome update_index(session& session, const index_request& request);

}  // namespace imgsim::app
