// An index brought up to date with its folder.
#pragma once

#include <filesystem>

#include "cli/session.hpp"

#include <imgsim/embedding/index_update.hpp>

namespace imgsim::app {

/// Makes the index at `index` from the photos under `images` with `model`, or brings it up to date. Skipped photos are
/// listed. Throws io_error; error where no photo can be read; cancelled on a stop, which leaves the index as it was.
update_summary update_index(session& session, const std::filesystem::path& images, const std::filesystem::path& model,
                            const std::filesystem::path& index);

}  // namespace imgsim::app
