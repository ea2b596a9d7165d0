// New photos and the groups that an index keeps.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "cli/session.hpp"

#include <imgsim/cluster/groups.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/embedding/photo_index.hpp>

namespace imgsim::app {

struct group_choice {
  std::size_t group = 0;    // the nearest
  float distance = 0;       // from the group's medoid, or its centroid, by the metric of the groups
  float similarity = 0;     // 1 - distance by cosine, minus the Euclidean one
  bool is_outlier = false;  // farther from it than the groups were allowed to reach
};

struct stored_grouping {
  imgsim::groups groups;
  std::vector<group_choice> choices;  // [Q]

  /// How far from its medoid a member of these groups may be, where they were made with such a limit.
  [[nodiscard]] std::optional<double> reach() const {
    if (groups.outlier_distance && groups.max_distance) return std::min(*groups.outlier_distance, *groups.max_distance);
    return groups.outlier_distance ? groups.outlier_distance : groups.max_distance;
  }
};

/// The group of the last clustering that each embedding [Q, D] belongs to. Throws io_error where the index holds no
/// groups.
[[nodiscard]] stored_grouping predict_groups(session& session, const photo_index& index,
                                             matrix_view<const float> embeddings);

}  // namespace imgsim::app
