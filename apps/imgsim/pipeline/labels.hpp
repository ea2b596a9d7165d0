// Labels of the photos of an index.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/session.hpp"

#include <imgsim/embedding/photo_index.hpp>

namespace imgsim::app {

struct labelled_rows {
  std::vector<std::size_t> rows;    // of the index, ascending
  std::vector<std::string> labels;  // of those rows
};

/// `source` is "folder" (the folder that holds a photo is its label; photos at the root have none) or a CSV file of
/// lines "path,label" with paths as in the index. Its first line may be a header: a name of a path (path, file,
/// filename, image, photo) and one of a label (label, class, category, group), in any case. Photos without a label are
/// left out, which is noted; labels of photos that the index skipped are passed over with a warning. Throws io_error
/// where fewer than two photos or labels are left, or the CSV cannot be understood.
[[nodiscard]] labelled_rows read_labels(const session& session, const photo_index& index, const std::string& source);

}  // namespace imgsim::app
