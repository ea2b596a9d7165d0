// The passes of k-means on the CPU; models the concept centroid_search (cluster/backend.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/cluster/nearest_scan.hpp>
#include <imgsim/cpu/cluster/squared_distances.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/canonical.hpp>
#include <imgsim/cpu/search/canonical_tiles.hpp>
#include <imgsim/cpu/search/policy.hpp>
#include <imgsim/cpu/simd.hpp>
#include <imgsim/metric/euclidean.hpp>
#include <imgsim/metric/metric.hpp>

namespace imgsim::cpu {

/// sums[i] = the squared distance between points[i] and own[i], as the metric sums it.
struct own_distances_body {
  std::span<const float* const> points;
  const float* const* own;
  std::size_t dimension;
  double* sums;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    for (std::size_t i = 0; i < points.size(); ++i)
      canonical_sums<Isa, euclidean, 1, 1>(&points[i], own + i, dimension, sums + i);
  }
};

/// `points` must outlive the object. It remembers what the last call of nearest() found: calls are made one at a time.
class centroid_searcher {
 public:
  centroid_searcher(cpu_context context, matrix_view<const float> points)
      : context_(std::move(context)), points_(points), level_(best_simd_level()) {}

  /// As the metric sums them: seeds are drawn by these, and those of every device and instruction set are to be the
  /// same.
  void squared_distances(matrix_view<const float> centroids, matrix_view<float> out) const {
    const std::vector<double> norms = row_squared_norms(context_, centroids, level_);
    for_each_canonical_tile<euclidean, float>(
        context_, {centroids, norms}, {points_, {}}, false, search_policy{.level = level_},
        [&](std::size_t first_centroid, std::size_t first_point, const matrix_view<const double>& keys) {
          for (std::size_t c = 0; c < keys.extent(0); ++c)
            for (std::size_t p = 0; p < keys.extent(1); ++p)
              out(first_point + p, first_centroid + c) = rounded_to_float(0 - keys(c, p));
        });
  }

  /// Hamerly's bounds (2010, doi:10.1137/1.9781611972801.12): a point whose own centroid is nearer than the others can
  /// have come since the last call keeps its label, at the price of one distance. For the rest a scan in
  /// float32 (nearest_scan.hpp) finds the nearest and how near the next is; where that is within twice the rounding
  /// error, which is seldom, float64 decides. The answer is the same as without bounds.
  void nearest(matrix_view<const float> centroids, std::span<std::uint32_t> labels, std::span<double> distances) {
    const double drift = follow(centroids);
    packed_.pack(centroids);
    for_each_chunk([&](std::size_t first, std::size_t count) {
      std::size_t open[kChunk], bounded[kChunk];
      std::size_t open_count = 0, bounded_count = 0;
      for (std::size_t row = first; row < first + count; ++row) {
        others_[row] -= drift;
        (others_[row] > 0 ? bounded[bounded_count++] : open[open_count++]) = row;
      }
      measure({bounded, bounded_count}, centroids, distances);
      for (const std::size_t row : std::span(bounded, bounded_count))
        if (!(std::sqrt(distances[row]) < others_[row] * (1 - kSlack))) open[open_count++] = row;
      if (open_count > 0) search({open, open_count}, centroids, distances);
      std::copy_n(labels_.begin() + static_cast<std::ptrdiff_t>(first), count,
                  labels.begin() + static_cast<std::ptrdiff_t>(first));
    });
  }

  /// Threads share the columns, so that each sum has its order of rows.
  void sums(std::span<const std::uint32_t> labels, matrix_view<double> out) const {
    const std::size_t dimension = points_.extent(1);
    const std::size_t columns = std::clamp(dimension / context_.threads() / kLine * kLine, kLine, kMostColumns);
    context_.parallel_for((dimension + columns - 1) / columns, [&](std::size_t block) {
      const std::size_t begin = block * columns;
      const std::size_t end = std::min(dimension, begin + columns);
      for (std::size_t group = 0; group < out.extent(0); ++group) {
        std::fill(out.row(group) + begin, out.row(group) + end, 0.0);
      }
      for (std::size_t row = 0; row < labels.size(); ++row) {
        const float* point = points_.row(row);
        double* sum = out.row(labels[row]);
        for (std::size_t i = begin; i < end; ++i) sum[i] += static_cast<double>(point[i]);
      }
    });
  }

 private:
  static constexpr std::size_t kChunk = 64;         // points that a thread takes at a time
  static constexpr std::size_t kLine = 16;          // floats of a cache line
  static constexpr std::size_t kMostColumns = 256;  // of a sum that a thread takes at a time

  /// What float32 holds; a squared distance beyond it is only known to be larger.
  static constexpr double kLargest = std::numeric_limits<float>::max();
  /// Of float64 arithmetic on distances, far more than it errs by.
  static constexpr double kSlack = 1e-9;

  /// How far any centroid has moved since the last call; infinite where they are others.
  double follow(matrix_view<const float> centroids) {
    double largest = std::numeric_limits<double>::infinity();
    if (last_centroids_.extents() == centroids.extents()) {
      largest = 0;
      for (std::size_t c = 0; c < centroids.extent(0); ++c)
        largest = std::max(largest, canonical_squared_distance(centroids.row(c), last_centroids_.view().row(c)));
      largest = std::sqrt(largest) * (1 + kSlack);
    } else {
      last_centroids_ = tensor<float, 2>(centroids.extents());
      labels_.assign(points_.extent(0), 0);
      others_.assign(points_.extent(0), 0.0);
    }
    for (std::size_t c = 0; c < centroids.extent(0); ++c)
      std::copy_n(centroids.row(c), centroids.extent(1), last_centroids_.view().row(c));
    return largest;
  }

  /// Finds the nearest centroid of some points, and how near the next one is at the least.
  void search(std::span<const std::size_t> rows, matrix_view<const float> centroids, std::span<double> distances) {
    const double error = nearest_scan_error(points_.extent(1));
    const float* points[kChunk];
    nearest_found found[kChunk];
    for (std::size_t i = 0; i < rows.size(); ++i) points[i] = points_.row(rows[i]);
    expand(nearest_scan_body{{points, rows.size()}, packed_, found}, level_);
    const double spread = spread_of(error);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t row = rows[i];
      const auto least = static_cast<double>(found[i].least), next = static_cast<double>(found[i].next);
      const double limit = least * spread + underflow();
      const bool is_sure = next > limit && limit < kLargest;
      labels_[row] = is_sure ? found[i].centroid : decide(row, centroids);
      // Another than the found one may have been taken, then that one is the next.
      const double others = std::min(is_sure ? next : least, kLargest);
      others_[row] = std::sqrt(std::max(0.0, (others - underflow()) / (1 + error))) * (1 - kSlack);
    }
    measure(rows, centroids, distances);
  }

  /// The squared distances from up to kChunk points to their own centroids.
  void measure(std::span<const std::size_t> rows, matrix_view<const float> centroids,
               std::span<double> distances) const {
    const float *points[kChunk], *own[kChunk];
    double sums[kChunk];
    for (std::size_t i = 0; i < rows.size(); ++i) {
      points[i] = points_.row(rows[i]);
      own[i] = centroids.row(labels_[rows[i]]);
    }
    expand(own_distances_body{{points, rows.size()}, own, points_.extent(1), sums}, level_);
    for (std::size_t i = 0; i < rows.size(); ++i) distances[rows[i]] = sums[i];
  }

  /// The nearest centroid of a point, by float64 among those that float32 does not rule out.
  [[nodiscard]] std::uint32_t decide(std::size_t row, matrix_view<const float> centroids) const {
    std::vector<float> approximate(centroids.extent(0));
    expand(squared_distances_body{points_.slice(row, 1), centroids, {approximate.data(), {1, approximate.size()}}},
           level_);
    const double spread = spread_of(squared_distance_error(points_.extent(1)));
    const double limit = static_cast<double>(std::ranges::min(approximate)) * spread + underflow();
    double least = std::numeric_limits<double>::infinity();
    std::uint32_t label = 0;
    for (std::uint32_t c = 0; c < approximate.size(); ++c) {
      if (static_cast<double>(approximate[c]) > limit && limit < kLargest) continue;
      const double exact = canonical_squared_distance(points_.row(row), centroids.row(c));
      if (exact < least) {
        least = exact;
        label = c;
      }
    }
    return label;
  }

  /// How many times farther than the nearest a centroid can seem that is no farther.
  [[nodiscard]] static double spread_of(double error) noexcept {
    return error < 0.5 ? (1 + error) / (1 - error) : std::numeric_limits<double>::infinity();
  }
  /// What squares below the normal numbers can lose.
  [[nodiscard]] double underflow() const noexcept {
    return static_cast<double>(points_.extent(1)) * static_cast<double>(std::numeric_limits<float>::min());
  }

  template <class Body>
  void for_each_chunk(Body&& body) const {
    const std::size_t size = points_.extent(0);
    context_.parallel_for((size + kChunk - 1) / kChunk,
                          [&](std::size_t chunk) { body(chunk * kChunk, std::min(kChunk, size - chunk * kChunk)); });
  }

  /// The metric's own sum: the same to the last bit on every instruction set.
  [[nodiscard]] double canonical_squared_distance(const float* a, const float* b) const noexcept {
    double sum = 0;
    expand(canonical_list_body<euclidean, float>{a, {&b, 1}, points_.extent(1), &sum}, level_);
    return sum;
  }

  cpu_context context_;
  matrix_view<const float> points_;
  simd_level level_;
  tensor<float, 2> last_centroids_;    // [K, D]
  std::vector<std::uint32_t> labels_;  // [M] the nearest of them
  std::vector<double> others_;         // [M] no other of them is nearer than this
  packed_centroids packed_;            // those of the call under way
};

}  // namespace imgsim::cpu
