// K-means: K centres, chosen so that the squared distances from each point to the nearest add up to little.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>

namespace imgsim {

struct k_means_progress {
  std::size_t restart = 0;
  std::size_t restarts = 1;
  std::size_t iteration = 0;
  double inertia = 0;
};

struct k_means_options {
  std::size_t k = 2;
  std::uint64_t seed = 0;
  std::size_t restarts = 1;  // the result with the least inertia is kept, ties to the first
  std::size_t max_iterations = 300;
  /// Spherical k-means (Dhillon and Modha, 2001): points and centroids are brought to length 1, so that the groups are
  /// those of cosine similarity. A zero point stays zero.
  bool spherical = false;
  std::function<void(const k_means_progress&)> on_progress = {};
  std::stop_token stop = {};
};

struct k_means_result {
  tensor<float, 2> centroids;         // [K, D]
  std::vector<std::uint32_t> labels;  // [M]
  double inertia = 0;                 // sum of squared distances to the own centroid, in float64
  std::size_t iterations = 0;         // of the restart that was kept
  bool converged = false;             // no label changed in the last iteration
};

struct nearest_centroids {
  std::vector<std::uint32_t> labels;     // [Q] ties to the smaller centroid
  std::vector<float> squared_distances;  // [Q]
};

/// The nearest row of `centroids` [K, D] for each of `points` [Q, D] (K >= 1).
template <execution_context Context>
[[nodiscard]] nearest_centroids assign_to_nearest(const Context& context, matrix_view<const float> points,
                                                  matrix_view<const float> centroids, bool spherical = false);

/// Lloyd's algorithm from greedy k-means++ seeds (Arthur and Vassilvitskii, 2007) on `points` [M, D].
template <execution_context Context>
[[nodiscard]] k_means_result k_means(const Context& context, matrix_view<const float> points,
                                     const k_means_options& options);

}  // namespace imgsim
