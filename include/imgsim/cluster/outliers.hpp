// Points that belong to no group: those far from every medoid.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <imgsim/core/error.hpp>

namespace imgsim {

/// The label of a point that is in no group.
inline constexpr std::uint32_t kNoGroup = 0xFFFF'FFFF;

/// The rows whose distance to their medoid is more than `most`, ascending; their `labels` become kNoGroup. `labels` and
/// `distances` are [M], `medoids` [K] rows: a medoid stands for its group and is never left out. O(M + K log K). Throws
/// invalid_argument where the lengths differ or `most` is negative or NaN.
inline std::vector<std::size_t> leave_out_outliers(std::span<std::uint32_t> labels, std::span<const float> distances,
                                                   std::span<const std::size_t> medoids, double most) {
  IMGSIM_EXPECTS(labels.size() == distances.size(), labels.size(), " labels and ", distances.size(), " distances");
  IMGSIM_EXPECTS(most >= 0, "outliers lie beyond a distance of at least 0, not ", most);
  std::vector<std::size_t> kept(medoids.begin(), medoids.end());
  std::ranges::sort(kept);
  std::vector<std::size_t> outliers;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (!(static_cast<double>(distances[row]) > most) || std::ranges::binary_search(kept, row)) continue;
    labels[row] = kNoGroup;
    outliers.push_back(row);
  }
  return outliers;
}

}  // namespace imgsim
