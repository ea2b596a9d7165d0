// Distances computed from embeddings when they are asked for: memory linear in M, at D multiplications a distance.
#pragma once

#include <cstddef>

#include <imgsim/core/element.hpp>
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

}  // namespace imgsim
