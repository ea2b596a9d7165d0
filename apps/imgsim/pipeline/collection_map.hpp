// The photos of an index on a plane: those that are alike lie close.
#pragma once

#include "cli/session.hpp"

#include <imgsim/core/tensor.hpp>
#include <imgsim/embedding/photo_index.hpp>

namespace imgsim::app {

/// [M, 2], each coordinate in [0, 1]: principal components of the embeddings, then drawn towards their nearest photos
/// (report/neighbour_map.hpp). The same on every run. Throws cancelled.
[[nodiscard]] tensor<float, 2> map_of_photos(session& session, const photo_index& index);

}  // namespace imgsim::app
