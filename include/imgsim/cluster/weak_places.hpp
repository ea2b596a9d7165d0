// Where a grouping is weakest: the member farthest from its medoid, and the two groups that are hardest to tell apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include <imgsim/cluster/outliers.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

struct weak_places {
  std::size_t weakest_member = 0;  // row of the point farthest from its medoid, ties to the smaller
  float weakest_distance = 0;
  std::size_t first_group = 0,
              second_group =
                  0;  // the pair of groups; the same where fewer than two have points, or none was looked for
  /// (s_a + s_b) / d(a, b), with s the mean distance to the medoid within a group: as in the index of Davies and
  /// Bouldin, with medoids. 2 or more: the groups lie within one another. Infinite where the medoids are one place.
  double overlap = 0;
};

/// From the label and the distance to the medoid of each point, both [M], and the distances between the K medoids
/// [K, K]; without them no pair is looked for. Points labelled kNoGroup are passed over. O(M + K^2). Throws
/// invalid_argument where shapes differ or another label is K or more.
[[nodiscard]] inline weak_places find_weak_places(std::span<const std::uint32_t> labels,
                                                  std::span<const float> distances, std::size_t k,
                                                  const std::optional<matrix_view<const float>>& between_medoids) {
  IMGSIM_EXPECTS(labels.size() == distances.size(), labels.size(), " labels and ", distances.size(), " distances");
  if (between_medoids)
    IMGSIM_EXPECTS(between_medoids->extent(0) == k && between_medoids->extent(1) == k, "distances between ", k,
                   " medoids are square, not ", shape_text(*between_medoids));
  weak_places places;
  std::vector<double> sums(k, 0.0), sizes(k, 0.0);
  bool found = false;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] == kNoGroup) continue;
    IMGSIM_EXPECTS(labels[row] < k, "label ", labels[row], " where there are ", k, " groups");
    sums[labels[row]] += static_cast<double>(distances[row]);
    ++sizes[labels[row]];
    if (!found || distances[row] > places.weakest_distance) {
      found = true;
      places.weakest_member = row;
      places.weakest_distance = distances[row];
    }
  }
  if (!between_medoids) return places;
  for (std::size_t a = 0; a < k; ++a)
    for (std::size_t b = a + 1; b < k; ++b) {
      if (sizes[a] == 0 || sizes[b] == 0) continue;
      const double spread = sums[a] / sizes[a] + sums[b] / sizes[b];
      const auto apart = static_cast<double>((*between_medoids)(a, b));
      const double overlap = apart > 0 ? spread / apart : std::numeric_limits<double>::infinity();
      if (overlap > places.overlap || places.first_group == places.second_group) {
        places.first_group = a;
        places.second_group = b;
        places.overlap = overlap;
      }
    }
  return places;
}

}  // namespace imgsim
