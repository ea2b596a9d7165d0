// What a report says about each group of a clustering, worked out from labels and distances.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <imgsim/cluster/outliers.hpp>
#include <imgsim/core/error.hpp>

namespace imgsim {

struct grouped_photo {
  std::size_t row = 0;
  float distance = 0;  // to the group's medoid, or to its centroid (k-means)
};

struct group_summary {
  std::size_t group = 0;               // its number in the clustering
  std::vector<grouped_photo> members;  // the medoid first, then by distance, then by row
  double mean_distance = 0;            // over all members, the medoid included

  [[nodiscard]] std::size_t size() const noexcept { return members.size(); }
  [[nodiscard]] std::size_t medoid() const { return members.front().row; }
  /// The member closest to the medoid, and the one farthest from it; the medoid itself where it is alone.
  [[nodiscard]] const grouped_photo& nearest() const { return members.size() > 1 ? members[1] : members[0]; }
  [[nodiscard]] const grouped_photo& farthest() const { return members.back(); }
};

/// The groups of a clustering, the largest first (ties by number). `medoids` [K]; `labels` [M] and `distances` [M] of
/// each photo to its own medoid; photos labelled kNoGroup are in none. Throws invalid_argument where another label is
/// not below K or a medoid is not in its group.
[[nodiscard]] inline std::vector<group_summary> summarise_groups(std::span<const std::size_t> medoids,
                                                                 std::span<const std::uint32_t> labels,
                                                                 std::span<const float> distances) {
  IMGSIM_EXPECTS(labels.size() == distances.size(), labels.size(), " labels, but ", distances.size(), " distances");
  std::vector<group_summary> groups(medoids.size());
  for (std::size_t g = 0; g < groups.size(); ++g) groups[g].group = g;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] == kNoGroup) continue;
    IMGSIM_EXPECTS(labels[row] < groups.size(), "photo ", row, " has label ", labels[row], " of ", groups.size(),
                   " groups");
    groups[labels[row]].members.push_back({row, distances[row]});
  }
  for (group_summary& group : groups) {
    const std::size_t medoid = medoids[group.group];
    IMGSIM_EXPECTS(medoid < labels.size() && labels[medoid] == group.group, "medoid ", medoid, " is not in group ",
                   group.group);
    const auto before = [medoid](const grouped_photo& a, const grouped_photo& b) {
      if ((a.row == medoid) != (b.row == medoid)) return a.row == medoid;
      return a.distance != b.distance ? a.distance < b.distance : a.row < b.row;
    };
    std::sort(group.members.begin(), group.members.end(), before);
    for (const grouped_photo& member : group.members) group.mean_distance += member.distance;
    group.mean_distance /= static_cast<double>(group.members.size());
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const group_summary& a, const group_summary& b) { return a.size() > b.size(); });
  return groups;
}

}  // namespace imgsim
