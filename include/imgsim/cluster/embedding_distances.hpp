// Distances computed from embeddings when they are asked for: memory linear in M, at D multiplications a distance.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include <imgsim/cluster/distance_source.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/metric/metric.hpp>

namespace imgsim {

/// The distances between the rows of `points` [M, D], which must outlive the object, under a metric: canonical values
/// (metric/metric.hpp), rounded to float32; 0 from a row to itself. Models distance_source.
template <metric Metric>
class embedding_distances {
 public:
  static constexpr bool kResident = false;

  /// Throws invalid_argument for a value that is not finite.
  explicit embedding_distances(matrix_view<const float> points, Metric = {})
      : points_(points), squared_norms_(points.extent(0)) {
    const std::size_t dimension = points.extent(1);
    for (std::size_t row = 0; row < points.extent(0); ++row) {
      const float* values = points.row(row);
      for (std::size_t column = 0; column < dimension; ++column) {
        IMGSIM_EXPECTS(std::isfinite(values[column]), "the embedding in row ", row, " has ", values[column],
                       " in column ", column);
      }
      squared_norms_[row] = canonical_sum(values, values, [](double& sum, double a, double b) { sum += a * b; });
    }
  }

  [[nodiscard]] std::size_t size() const noexcept { return points_.extent(0); }

  matrix_view<const float> rows(std::size_t first, std::size_t count, matrix_view<float> buffer) const {
    const matrix_view<float> out = buffer.slice(0, count);
    for (std::size_t begin = 0; begin < size(); begin += kBlock) {  // a block of points stays in cache for all rows
      const std::size_t end = std::min(size(), begin + kBlock);
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t o = begin; o < end; ++o) out(i, o) = distance(first + i, o);
      }
    }
    return out;
  }

 private:
  static constexpr std::size_t kBlock = 32;

  [[nodiscard]] float distance(std::size_t i, std::size_t o) const {
    if (i == o) return 0;
    const double sum =
        canonical_sum(points_.row(i), points_.row(o),
                      [](double& total, const double& a, const double& b) { Metric::accumulate(total, a, b); });
    const double key = canonical_key<Metric>(sum, squared_norms_[i], squared_norms_[o]);
    return rounded_to_float(Metric::distance(key));
  }

  /// Steps 1 and 2 of the definition of a canonical value.
  template <class Accumulate>
  [[nodiscard]] double canonical_sum(const float* a, const float* b, Accumulate&& accumulate) const {
    std::array<double, kSumLanes> lanes{};
    const std::size_t dimension = points_.extent(1);
    std::size_t i = 0;
    for (; i + kSumLanes <= dimension; i += kSumLanes) {
      for (std::size_t lane = 0; lane < kSumLanes; ++lane) {
        accumulate(lanes[lane], static_cast<double>(a[i + lane]), static_cast<double>(b[i + lane]));
      }
    }
    for (; i < dimension; ++i) accumulate(lanes[i % kSumLanes], static_cast<double>(a[i]), static_cast<double>(b[i]));
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
  }

  matrix_view<const float> points_;
  std::vector<double> squared_norms_;
};

}  // namespace imgsim
