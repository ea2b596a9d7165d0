// The passes of k-means on the CPU; models the concept centroid_search (cluster/backend.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/cluster/squared_distances.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/canonical.hpp>
#include <imgsim/cpu/simd.hpp>
#include <imgsim/metric/euclidean.hpp>

namespace imgsim::cpu {

/// `points` must outlive the object.
class centroid_searcher {
 public:
  centroid_searcher(const cpu_context& context, matrix_view<const float> points)
      : context_(context), points_(points), level_(best_simd_level()) {}

  void squared_distances(matrix_view<const float> centroids, matrix_view<float> out) const {
    for_each_chunk([&](std::size_t first, std::size_t count) {
      expand(squared_distances_body{points_.slice(first, count), centroids, out.slice(first, count)}, level_);
    });
  }

  /// float32 rules out all but the centroids within twice the rounding error of the nearest (nearly always one is
  /// left); float64 decides among the rest.
  void nearest(matrix_view<const float> centroids, std::span<std::uint32_t> labels, std::span<double> distances) const {
    const auto dimension = static_cast<double>(points_.extent(1));
    const double error = squared_distance_error(points_.extent(1));
    const double spread = error < 0.5 ? (1 + error) / (1 - error) : std::numeric_limits<double>::infinity();
    const double underflow = dimension * static_cast<double>(std::numeric_limits<float>::min());
    for_each_chunk([&](std::size_t first, std::size_t count) {
      tensor<float, 2> approximate({count, centroids.extent(0)});
      expand(squared_distances_body{points_.slice(first, count), centroids, approximate.view()}, level_);
      for (std::size_t i = 0; i < count; ++i) {
        const std::span<const float> to_centroids(approximate.view().row(i), centroids.extent(0));
        const double limit = static_cast<double>(*std::ranges::min_element(to_centroids)) * spread + underflow;
        double least = std::numeric_limits<double>::infinity();
        for (std::size_t c = 0; c < to_centroids.size(); ++c) {
          if (static_cast<double>(to_centroids[c]) > limit) continue;
          const double exact = canonical_squared_distance(points_.row(first + i), centroids.row(c));
          if (exact < least) {
            least = exact;
            labels[first + i] = static_cast<std::uint32_t>(c);
          }
        }
        distances[first + i] = least;
      }
    });
  }

  /// Threads share the columns, so that each sum has its order of rows.
  void sums(std::span<const std::uint32_t> labels, matrix_view<double> out) const {
    const std::size_t dimension = points_.extent(1);
    context_.parallel_for((dimension + kColumns - 1) / kColumns, [&](std::size_t block) {
      const std::size_t begin = block * kColumns;
      const std::size_t end = std::min(dimension, begin + kColumns);
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
  static constexpr std::size_t kChunk = 64;     // points that a thread takes at a time
  static constexpr std::size_t kColumns = 256;  // of a sum that a thread takes at a time

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
};

}  // namespace imgsim::cpu
