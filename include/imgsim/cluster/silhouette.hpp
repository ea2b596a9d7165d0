// How well separated groups are, judged without labels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

/// The medoid silhouette (Lenssen and Schubert, 2024, doi:10.1016/j.is.2023.102290): the mean over the points of
/// 1 - d1 / d2, where d1 and d2 are the distances to the nearest and the second nearest medoid, both [M]. In [0, 1],
/// larger is better separated; a point that lies on both counts 0. 0 for no points. O(M).
/// Throws invalid_argument where the lengths differ.
[[nodiscard]] inline double medoid_silhouette(std::span<const float> nearest, std::span<const float> second_nearest) {
  IMGSIM_EXPECTS(nearest.size() == second_nearest.size(), nearest.size(), " nearest and ", second_nearest.size(),
                 " second nearest distances");
  if (nearest.empty()) return 0;
  double sum = 0;
  for (std::size_t i = 0; i < nearest.size(); ++i) {
    if (second_nearest[i] > 0) sum += 1 - static_cast<double>(nearest[i]) / static_cast<double>(second_nearest[i]);
  }
  return sum / static_cast<double>(nearest.size());
}

/// The average silhouette width (Rousseeuw, 1987, doi:10.1016/0377-0427(87)90125-7) of `labels` [M], all below `k`,
/// under `distances` [M, M]: the mean of (b - a) / max(a, b), with a the mean distance to the other points of the own
/// group and b the least mean distance to the points of another. A point alone in its group counts 0, and so does one
/// with a = b = 0. In [-1, 1]; 0 where fewer than two groups hold points. O(M^2), on the context's host threads.
/// Throws invalid_argument where shapes differ or a label is `k` or more.
template <execution_context Context>
[[nodiscard]] double silhouette(const Context& context, matrix_view<const float> distances,
                                std::span<const std::uint32_t> labels, std::size_t k) {
  const std::size_t size = labels.size();
  IMGSIM_EXPECTS(distances.extent(0) == size && distances.extent(1) == size, "distances ", shape_text(distances),
                 " do not fit ", size, " labels");
  std::vector<std::size_t> sizes(k, 0);
  for (const std::uint32_t label : labels) {
    IMGSIM_EXPECTS(label < k, "label ", label, " where there are ", k, " groups");
    ++sizes[label];
  }
  if (std::ranges::count_if(sizes, [](std::size_t n) { return n > 0; }) < 2) return 0;

  std::vector<double> widths(size, 0.0);
  context.host_pool().for_each(size, [&](std::size_t i) {
    const std::size_t own = labels[i];
    if (sizes[own] == 1) return;
    std::vector<double> sums(k, 0.0);
    const float* row = distances.row(i);
    for (std::size_t o = 0; o < size; ++o) sums[labels[o]] += static_cast<double>(row[o]);
    sums[own] -= static_cast<double>(row[i]);
    const double within = sums[own] / static_cast<double>(sizes[own] - 1);
    double between = -1;
    for (std::size_t group = 0; group < k; ++group) {
      if (group == own || sizes[group] == 0) continue;
      const double mean = sums[group] / static_cast<double>(sizes[group]);
      if (between < 0 || mean < between) between = mean;
    }
    const double largest = std::max(within, between);
    if (largest > 0) widths[i] = (between - within) / largest;
  });
  return std::accumulate(widths.begin(), widths.end(), 0.0) / static_cast<double>(size);
}

}  // namespace imgsim
