// K-means: K centres, chosen so that the squared distances from each point to the nearest add up to little.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/cluster/weighted_draw.hpp>
#include <imgsim/core/context.hpp>
#include <imgsim/core/element.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>

namespace imgsim {

struct k_means_progress {
  std::size_t restart = 0;   // from 0
  std::size_t restarts = 1;  // in all
  std::size_t iteration = 0;
  double inertia = 0;  // now
};

struct k_means_options {
  std::size_t k = 2;
  std::uint64_t seed = 0;
  std::size_t restarts = 1;  // starts from other random seeds; the least inertia is kept, ties to the first
  std::size_t max_iterations = 300;
  /// Above 0: mini-batch k-means (Sculley, 2010, doi:10.1145/1772690.1772862). The centroids follow `batches` random
  /// batches of this many points, then Lloyd's algorithm goes on over all points for max_iterations, which should be
  /// small. For more points than a pass over them can be afforded often.
  std::size_t batch = 0;
  std::size_t batches = 200;
  /// Spherical k-means (Dhillon and Modha, 2001, doi:10.1023/A:1007612920971): points and centroids are brought to
  /// length 1, in a copy, so that the groups are those of cosine similarity. A zero point stays zero.
  bool spherical = false;
  std::function<void(const k_means_progress&)> on_progress = {};
  std::stop_token stop = {};
};

struct k_means_result {
  tensor<float, 2> centroids;         // [K, D]
  std::vector<std::uint32_t> labels;  // [M] the nearest centroid, ties to the smaller; no group is empty, for
                                      // which one of several equal points may have the larger of equal centroids
  double inertia = 0;                 // sum of squared distances to the own centroid, in float64
  std::size_t iterations = 0;         // of the restart that was kept
  bool converged = false;             // the last iteration changed no label
};

struct nearest_centroids {
  std::vector<std::uint32_t> labels;      // [Q] ties to the smaller centroid
  std::vector<double> squared_distances;  // [Q]
};

namespace detail {

inline void check_finite(matrix_view<const float> points, const char* what) {
  for (std::size_t row = 0; row < points.extent(0); ++row) {
    const float* values = points.row(row);
    for (std::size_t column = 0; column < points.extent(1); ++column) {
      IMGSIM_EXPECTS(std::isfinite(values[column]), what, " has ", values[column], " in row ", row, ", column ",
                     column);
    }
  }
}

/// to = from / |from|, in float64; a zero row stays zero.
template <class From>
void normalise_row(const From* from, std::size_t count, float* to) {
  double square = 0;
  for (std::size_t i = 0; i < count; ++i) square += static_cast<double>(from[i]) * static_cast<double>(from[i]);
  const double scale = square > 0 ? 1 / std::sqrt(square) : 0.0;
  for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<float>(static_cast<double>(from[i]) * scale);
}

/// The points as float32: `points` itself, or `storage` after writing them there.
template <element_matrix Rows>
matrix_view<const float> float_rows(const Rows& points, tensor<float, 2>& storage) {
  static_assert(std::same_as<typename Rows::space, host_space>, "k-means reads its points in host memory");
  if constexpr (std::same_as<element_of<Rows>, float>) {
    return points;
  } else {
    storage = tensor<float, 2>(points.extents());
    for (std::size_t row = 0; row < points.extent(0); ++row)
      std::ranges::transform(points.row(row), points.row(row) + points.extent(1), storage.view().row(row),
                             [](const auto& value) { return static_cast<float>(value); });
    return storage.view();
  }
}

inline tensor<float, 2> normalised_rows(matrix_view<const float> points) {
  tensor<float, 2> unit(points.extents());
  for (std::size_t row = 0; row < points.extent(0); ++row) {
    normalise_row(points.row(row), points.extent(1), unit.view().row(row));
  }
  return unit;
}

/// Greedy k-means++ (Arthur and Vassilvitskii, 2007): each next centroid is the best of 2 + log K points drawn with
/// probability proportional to the squared distance from the centroids so far.
template <centroid_search Search>
tensor<float, 2> seed_centroids(Search& search, matrix_view<const float> points, std::size_t k, random_stream& random,
                                const std::stop_token& stop) {
  const std::size_t size = points.extent(0);
  const std::size_t dimension = points.extent(1);
  const std::size_t trials = 2 + static_cast<std::size_t>(std::log(static_cast<double>(k)));
  tensor<float, 2> centroids({k, dimension});
  tensor<float, 2> drawn({trials, dimension});
  tensor<float, 2> distances({size, trials});
  std::vector<float> nearest(size, std::numeric_limits<float>::infinity());
  for (std::size_t position = 0; position < k; ++position) {
    throw_if_stopped(stop, "k-means");
    const std::size_t count = position == 0 ? 1 : trials;
    for (std::size_t trial = 0; trial < count; ++trial) {
      std::optional<std::size_t> row;
      if (position > 0) {
        row = draw_weighted(size, [&](std::size_t i) { return static_cast<double>(nearest[i]); }, random);
      }
      if (!row) row = random.below(size);  // the first; or every point lies on a centroid already
      std::copy_n(points.row(*row), dimension, drawn.view().row(trial));
    }
    const matrix_view<float> to_drawn(distances.data(), {size, count});
    search.squared_distances(std::as_const(drawn).view().slice(0, count), to_drawn);
    std::size_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t trial = 0; trial < count; ++trial) {
      double potential = 0;
      for (std::size_t i = 0; i < size; ++i) potential += static_cast<double>(std::min(nearest[i], to_drawn(i, trial)));
      if (potential < least) {
        least = potential;
        best = trial;
      }
    }
    std::copy_n(drawn.view().row(best), dimension, centroids.view().row(position));
    for (std::size_t i = 0; i < size; ++i) nearest[i] = std::min(nearest[i], to_drawn(i, best));
  }
  return centroids;
}

/// Gives each empty group the point that is farthest from its centroid (ties to the smaller row) among groups of two or
/// more; with `only_apart`, only a point that does not lie on its centroid. Returns whether a label changed.
inline bool fill_empty_groups(std::span<std::uint32_t> labels, std::span<double> squared_distances, std::size_t k,
                              bool only_apart) {
  std::vector<std::size_t> sizes(k, 0);
  for (const std::uint32_t label : labels) ++sizes[label];
  bool changed = false;
  for (std::size_t group = 0; group < k; ++group) {
    if (sizes[group] > 0) continue;
    std::optional<std::size_t> farthest;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (sizes[labels[i]] < 2 || (only_apart && squared_distances[i] == 0)) continue;
      if (!farthest || squared_distances[i] > squared_distances[*farthest]) farthest = i;
    }
    if (!farthest) continue;
    --sizes[labels[*farthest]];
    ++sizes[group];
    labels[*farthest] = static_cast<std::uint32_t>(group);
    squared_distances[*farthest] = 0;
    changed = true;
  }
  return changed;
}

/// Each centroid becomes the mean of its points (brought to length 1 if `spherical`); one without points stays.
template <centroid_search Search>
void move_centroids(Search& search, std::span<const std::uint32_t> labels, bool spherical, tensor<double, 2>& sums,
                    tensor<float, 2>& centroids) {
  const std::size_t dimension = centroids.extent(1);
  std::vector<std::size_t> sizes(centroids.extent(0), 0);
  for (const std::uint32_t label : labels) ++sizes[label];
  search.sums(labels, sums.view());
  for (std::size_t group = 0; group < sizes.size(); ++group) {
    if (sizes[group] == 0) continue;
    const double* sum = sums.view().row(group);
    float* centroid = centroids.view().row(group);
    if (spherical) {
      normalise_row(sum, dimension, centroid);
    } else {
      for (std::size_t i = 0; i < dimension; ++i) {
        centroid[i] = static_cast<float>(sum[i] / static_cast<double>(sizes[group]));
      }
    }
  }
}

/// Moves `centroids` [K, D] towards the means of random batches of the points: the n-th point that a centroid meets
/// draws it by 1 / n.
template <execution_context Context>
void follow_batches(const Context& context, matrix_view<const float> points, const k_means_options& options,
                    random_stream& random, tensor<float, 2>& centroids) {
  const std::size_t dimension = points.extent(1);
  tensor<float, 2> batch({options.batch, dimension});
  tensor<double, 2> sums(centroids.extents());
  std::vector<std::uint32_t> labels(options.batch);
  std::vector<double> distances(options.batch);
  std::vector<double> met(centroids.extent(0), 0.0);
  for (std::size_t turn = 0; turn < options.batches; ++turn) {
    throw_if_stopped(options.stop, "k-means");
    for (std::size_t i = 0; i < options.batch; ++i)
      std::copy_n(points.row(random.below(points.extent(0))), dimension, batch.view().row(i));
    centroid_searcher_for<Context> search(context, std::as_const(batch).view());
    search.nearest(std::as_const(centroids).view(), labels, distances);
    search.sums(labels, sums.view());
    std::vector<double> counts(met.size(), 0.0);
    for (const std::uint32_t label : labels) ++counts[label];
    for (std::size_t group = 0; group < met.size(); ++group) {
      if (counts[group] == 0) continue;
      met[group] += counts[group];
      float* centroid = centroids.view().row(group);
      std::vector<double> moved(dimension);
      for (std::size_t i = 0; i < dimension; ++i)
        moved[i] = static_cast<double>(centroid[i]) * (1 - counts[group] / met[group]) + sums(group, i) / met[group];
      if (options.spherical) {
        normalise_row(moved.data(), dimension, centroid);
      } else {
        std::ranges::transform(moved, centroid, [](double v) { return static_cast<float>(v); });
      }
    }
  }
}

/// Lloyd's iterations from `centroids`.
template <centroid_search Search>
k_means_result improve_centroids(Search& search, matrix_view<const float> points, tensor<float, 2> centroids,
                                 const k_means_options& options, std::size_t restart) {
  k_means_result result;
  result.centroids = std::move(centroids);
  result.labels.assign(points.extent(0), 0);
  std::vector<double> distances(points.extent(0));
  std::vector<std::uint32_t> previous;
  tensor<double, 2> sums(result.centroids.extents());
  const auto inertia = [&] { return std::accumulate(distances.begin(), distances.end(), 0.0); };
  const auto assign = [&] { search.nearest(std::as_const(result.centroids).view(), result.labels, distances); };
  while (!result.converged && result.iterations < options.max_iterations) {
    throw_if_stopped(options.stop, "k-means");
    assign();
    const bool refilled = fill_empty_groups(result.labels, distances, options.k, true);
    ++result.iterations;
    result.converged = !refilled && result.labels == previous;
    if (!result.converged) move_centroids(search, result.labels, options.spherical, sums, result.centroids);
    previous = result.labels;
    if (options.on_progress) options.on_progress({restart, options.restarts, result.iterations, inertia()});
  }
  if (!result.converged) assign();  // the centroids have moved since
  const auto refill = [&](bool only_apart) {
    previous = result.labels;
    if (!fill_empty_groups(result.labels, distances, options.k, only_apart)) return false;
    for (std::size_t i = 0; i < previous.size(); ++i) {
      if (previous[i] == result.labels[i]) continue;
      std::copy_n(points.row(i), points.extent(1), result.centroids.view().row(result.labels[i]));
    }
    return true;
  };
  // A centroid that moves to a point may be the nearest to others too. Each turn lowers the inertia, so they end; then
  // a group is empty only where all points lie on centroids, and takes one of several equal points.
  while (refill(true)) assign();
  refill(false);
  result.inertia = inertia();
  return result;
}

}  // namespace detail

/// K centroids of `rows` [M, D] by Lloyd's algorithm from greedy k-means++ seeds. An empty group is given the point
/// farthest from its centroid. The result depends on the points and the options, not on the number of threads.
/// O(M K D) for an iteration; memory beyond the points O(M log K + K D), and a float32 copy of them if they are
/// spherical or of another type. Seeds are drawn by squared distances in float32: differences between points should be
/// of magnitude 1e-18 to 1e18 for them to be any good.
///
/// Throws invalid_argument where k is 0 or above M, restarts, max_iterations or D is 0, or a value is not finite;
/// cancelled when a stop is requested.
template <execution_context Context, element_matrix Rows>
[[nodiscard]] k_means_result k_means(const Context& context, const Rows& rows, const k_means_options& options) {
  static_assert(has_centroid_search<Context>,
                "no k-means for this context: include the backend's cluster header (imgsim/cpu/cluster.hpp, "
                "imgsim/cuda/cluster.cuh)");
  tensor<float, 2> converted;
  matrix_view<const float> points = detail::float_rows(rows, converted);
  const std::size_t size = points.extent(0);
  IMGSIM_EXPECTS(options.k >= 1 && options.k <= size, "cannot make ", options.k, " groups of ", size, " points");
  IMGSIM_EXPECTS(options.restarts >= 1, "restarts must be at least 1");
  IMGSIM_EXPECTS(options.max_iterations >= 1, "max_iterations must be at least 1");
  IMGSIM_EXPECTS(points.extent(1) >= 1, "the points have no coordinates");
  detail::check_finite(points, "the list of points");

  tensor<float, 2> unit;
  if (options.spherical) {
    unit = detail::normalised_rows(points);
    points = std::as_const(unit).view();
  }
  centroid_searcher_for<Context> search(context, points);
  std::optional<k_means_result> best;
  for (std::size_t restart = 0; restart < options.restarts; ++restart) {
    random_stream random(options.seed, restart);
    tensor<float, 2> centroids = detail::seed_centroids(search, points, options.k, random, options.stop);
    if (options.batch > 0) detail::follow_batches(context, points, options, random, centroids);
    k_means_result result = detail::improve_centroids(search, points, std::move(centroids), options, restart);
    if (!best || result.inertia < best->inertia) best = std::move(result);
  }
  return std::move(*best);
}

/// The nearest of `centroids` [K, D] for each of `rows` [Q, D]; with `spherical`, after bringing the points to length
/// 1. Throws invalid_argument where K is 0, the shapes differ, or a value is not finite. O(Q K D).
template <execution_context Context, element_matrix Rows>
[[nodiscard]] nearest_centroids assign_to_nearest(const Context& context, const Rows& rows,
                                                  matrix_view<const float> centroids, bool spherical = false) {
  static_assert(has_centroid_search<Context>,
                "no k-means for this context: include the backend's cluster header (imgsim/cpu/cluster.hpp, "
                "imgsim/cuda/cluster.cuh)");
  tensor<float, 2> converted;
  matrix_view<const float> points = detail::float_rows(rows, converted);
  IMGSIM_EXPECTS(centroids.extent(0) >= 1, "there are no centroids");
  IMGSIM_EXPECTS(points.extent(1) == centroids.extent(1), "points ", shape_text(points), " and centroids ",
                 shape_text(centroids), " differ in their columns");
  detail::check_finite(points, "the list of points");
  detail::check_finite(centroids, "the list of centroids");
  tensor<float, 2> unit;
  if (spherical) {
    unit = detail::normalised_rows(points);
    points = std::as_const(unit).view();
  }
  nearest_centroids result;
  result.labels.resize(points.extent(0));
  result.squared_distances.resize(points.extent(0));
  centroid_searcher_for<Context>(context, points).nearest(centroids, result.labels, result.squared_distances);
  return result;
}

}  // namespace imgsim
