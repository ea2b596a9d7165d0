// Distances computed from embeddings when they are asked for: memory linear in M, at D multiplications a distance.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>

#include <imgsim/core/element.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/metric/metric.hpp>

namespace imgsim {

/// The distances between the rows of `points` [M, D], which must outlive the object, under a metric: canonical values
/// (metric/metric.hpp), rounded to float32; 0 from a row to itself. It says what the distances are; a backend's
/// medoid_searcher computes them, on its own side of the memory, and throws invalid_argument for a value that is not
/// finite, naming its row and column.
template <metric Metric, real_element T = float, class Space = host_space>
class embedding_distances {
 public:
  explicit embedding_distances(matrix_view<const T, Space> points, Metric = {}) : points_(points) {}

  [[nodiscard]] std::size_t size() const noexcept { return points_.extent(0); }
  [[nodiscard]] matrix_view<const T, Space> points() const noexcept { return points_; }

 private:
  matrix_view<const T, Space> points_;
};

template <element_matrix Rows, metric Metric>
embedding_distances(const Rows&, Metric) -> embedding_distances<Metric, element_of<Rows>, typename Rows::space>;

/// A number that no distance exceeds between rows whose squared norms are at most this; nothing where the metric does
/// not tell, or it is beyond float32. Every search takes the unit of its sums (fixed_point.hpp) from it, and a table of
/// the same distances should (resident_distances): the distances are then rounded in the same place.
template <metric Metric>
[[nodiscard]] std::optional<float> distance_bound(double largest_squared_norm) {
  if constexpr (requires { Metric::largest_distance(0.0); }) {
    const double bound =
        Metric::largest_distance(std::sqrt(largest_squared_norm)) * (1 + 0x1p-20);  // for the rounding of distances
    if (largest_squared_norm < std::numeric_limits<double>::infinity() && bound >= 0 &&
        bound <= static_cast<double>(std::numeric_limits<float>::max()))
      return static_cast<float>(bound);
  }
  return std::nullopt;
}

/// The same for the rows of `points` [M, D] on the host; nothing where one is not finite. O(M D).
template <metric Metric, real_element T>
[[nodiscard]] std::optional<float> distance_bound(matrix_view<const T> points, Metric) {
  double largest = 0;
  for (std::size_t row = 0; row < points.extent(0); ++row) {
    const T* values = points.row(row);
    double lanes[kSumLanes] = {};  // the order of a canonical sum (metric/metric.hpp)
    for (std::size_t i = 0; i < points.extent(1); ++i) {
      const double value = to_double(values[i]);
      lanes[i % kSumLanes] += value * value;
    }
    const double square =
        ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
    if (!std::isfinite(square)) return std::nullopt;
    largest = std::max(largest, square);
  }
  return distance_bound<Metric>(largest);
}

namespace detail {

/// The first row whose squared norm is not finite, which is to say one of its values is not: float64 holds the square
/// of every finite element.
[[nodiscard]] inline std::optional<std::size_t> first_unusable_row(std::span<const double> squared_norms) {
  const auto bad = std::ranges::find_if(squared_norms, [](double norm) { return !std::isfinite(norm); });
  if (bad == squared_norms.end()) return std::nullopt;
  return static_cast<std::size_t>(bad - squared_norms.begin());
}

/// What every backend says of an embedding that holds a value that is not finite.
template <real_element T>
[[noreturn]] void refuse_embedding(std::size_t row, std::span<const T> values) {
  const auto bad = std::ranges::find_if(values, [](const T& value) { return !std::isfinite(to_double(value)); });
  throw invalid_argument(
      concat("the embedding in row ", row, " has ", to_double(*bad), " in column ", bad - values.begin()));
}

}  // namespace detail
}  // namespace imgsim
