// How well separated groups are, judged by the centroids of their points: the two indices that most reports on
// clustering give. Both are in the Euclidean space of the embeddings, whatever metric made the groups.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/cluster/k_means.hpp>
#include <imgsim/core/context.hpp>
#include <imgsim/core/element.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>

namespace imgsim {

struct centroid_indices {
  /// Calinski and Harabasz (1974, doi:10.1080/03610927408827101): dispersion between groups over dispersion within
  /// them, (B / (K - 1)) / (W / (M - K)). Larger is better; infinite where the groups are single places.
  double calinski_harabasz = 0;
  /// Davies and Bouldin (1979, doi:10.1109/TPAMI.1979.4766909): the mean over the groups of the worst
  /// (s_i + s_j) / |c_i - c_j|, s the mean distance to the own centroid. Smaller is better; infinite where two groups
  /// have one centroid.
  double davies_bouldin = 0;
};

namespace detail {

/// [M] the distance of each point to `centroids` [K, D] of its label, float64; threads share the points.
template <execution_context Context>
std::vector<double> distances_to_own(const Context& context, matrix_view<const float> points,
                                     std::span<const std::uint32_t> labels, matrix_view<const double> centroids) {
  constexpr std::size_t kRows = 64;
  std::vector<double> distances(labels.size());
  context.host_pool().for_each((labels.size() + kRows - 1) / kRows, [&](std::size_t part) {
    for (std::size_t row = part * kRows; row < std::min(labels.size(), (part + 1) * kRows); ++row) {
      const float* point = points.row(row);
      const double* centroid = centroids.row(labels[row]);
      double square = 0;
      for (std::size_t i = 0; i < points.extent(1); ++i) {
        const double difference = static_cast<double>(point[i]) - centroid[i];
        square += difference * difference;
      }
      distances[row] = std::sqrt(square);
    }
  });
  return distances;
}

}  // namespace detail

/// Both indices of `labels` [M], all below `k`, over `rows` [M, D]. Groups without points do not count; where fewer
/// than two have points, or every point is a group, both are 0. O(M D + K^2 D). Throws invalid_argument where shapes
/// differ, a label is `k` or more or a value is not finite.
template <execution_context Context, element_matrix Rows>
[[nodiscard]] centroid_indices judge_by_centroids(const Context& context, const Rows& rows,
                                                  std::span<const std::uint32_t> labels, std::size_t k) {
  static_assert(has_centroid_search<Context>,
                "no k-means for this context: include the backend's cluster header (imgsim/cpu/cluster.hpp, "
                "imgsim/cuda/cluster.cuh)");
  IMGSIM_EXPECTS(labels.size() == rows.extent(0), labels.size(), " labels for points ", shape_text(rows));
  std::vector<double> sizes(k, 0.0);
  for (const std::uint32_t label : labels) {
    IMGSIM_EXPECTS(label < k, "label ", label, " where there are ", k, " groups");
    ++sizes[label];
  }
  const auto groups = static_cast<std::size_t>(std::ranges::count_if(sizes, [](double n) { return n > 0; }));
  if (groups < 2 || groups == labels.size()) return {};

  tensor<float, 2> converted;
  const matrix_view<const float> points = detail::float_rows(rows, converted);
  detail::check_finite(points, "the list of points");
  const std::size_t dimension = points.extent(1);
  tensor<double, 2> centroids({k, dimension});
  centroid_searcher_for<Context>(context, points).sums(labels, centroids.view());
  std::vector<double> mean(dimension, 0.0);
  for (std::size_t group = 0; group < k; ++group) {
    double* centroid = centroids.view().row(group);
    for (std::size_t i = 0; i < dimension; ++i) {
      mean[i] += centroid[i] / static_cast<double>(labels.size());
      if (sizes[group] > 0) centroid[i] /= sizes[group];
    }
  }
  const std::vector<double> distances =
      detail::distances_to_own(context, points, labels, std::as_const(centroids).view());
  double within = 0;
  std::vector<double> spread(k, 0.0);
  for (std::size_t row = 0; row < labels.size(); ++row) {
    within += distances[row] * distances[row];
    spread[labels[row]] += distances[row] / sizes[labels[row]];
  }

  const auto distance = [&](const double* a, const double* b) {
    double square = 0;
    for (std::size_t i = 0; i < dimension; ++i) square += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(square);
  };
  double between = 0;
  std::vector<double> worst(k, 0.0);
  context.host_pool().for_each(k, [&](std::size_t group) {
    if (sizes[group] == 0) return;
    for (std::size_t other = 0; other < k; ++other) {
      if (other == group || sizes[other] == 0) continue;
      const double apart = distance(centroids.view().row(group), centroids.view().row(other));
      worst[group] = std::max(
          worst[group], apart > 0 ? (spread[group] + spread[other]) / apart : std::numeric_limits<double>::infinity());
    }
  });
  for (std::size_t group = 0; group < k; ++group) {
    const double to_mean = distance(centroids.view().row(group), mean.data());
    between += sizes[group] * to_mean * to_mean;
  }
  const auto count = static_cast<double>(groups);
  const auto size = static_cast<double>(labels.size());
  return {.calinski_harabasz =
              within > 0 ? between / (count - 1) * (size - count) / within : std::numeric_limits<double>::infinity(),
          .davies_bouldin = std::accumulate(worst.begin(), worst.end(), 0.0) / count};
}

}  // namespace imgsim
