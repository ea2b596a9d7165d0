// Distances and points for the tests of clustering, and the contexts that they run on.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/cluster.hpp>

#include "reference/k_medoids.hpp"

namespace imgsim_test {

/// Contexts with several thread counts; a backend joins by one line.
inline std::vector<imgsim::cpu_context> cluster_contexts() {
  std::vector<imgsim::cpu_context> contexts;
  for (const std::size_t threads : {1, 2, 5}) contexts.emplace_back(threads);
  return contexts;
}

/// Symmetric, zero diagonal. Values are multiples of 1 / steps, so that for a power of two float64 adds them exactly
/// and small `steps` give many ties.
inline imgsim::tensor<float, 2> random_distances(std::size_t size, std::uint64_t steps, imgsim::random_stream& random) {
  imgsim::tensor<float, 2> distances({size, size});
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t o = 0; o < i; ++o) {
      const auto value = static_cast<float>(1 + random.below(steps)) / static_cast<float>(steps);
      distances(i, o) = distances(o, i) = value;
    }
  }
  return distances;
}

/// `size` points around `groups` centres, in turn: normal with deviation 1, the centres with deviation `spread`.
inline imgsim::tensor<float, 2> blobs(std::size_t size, std::size_t dimension, std::size_t groups, double spread,
                                      imgsim::random_stream& random) {
  imgsim::tensor<double, 2> centres({groups, dimension});
  for (double& value : centres) value = spread * random.normal();
  imgsim::tensor<float, 2> points({size, dimension});
  for (std::size_t row = 0; row < size; ++row) {
    for (std::size_t i = 0; i < dimension; ++i) {
      points(row, i) = static_cast<float>(centres(row % groups, i) + random.normal());
    }
  }
  return points;
}

inline imgsim::tensor<float, 2> euclidean_distances(imgsim::matrix_view<const float> points) {
  const std::size_t size = points.extent(0);
  imgsim::tensor<float, 2> distances({size, size});
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t o = 0; o < size; ++o) {
      double sum = 0;
      for (std::size_t d = 0; d < points.extent(1); ++d) {
        const double difference = static_cast<double>(points(i, d)) - static_cast<double>(points(o, d));
        sum += difference * difference;
      }
      distances(i, o) = static_cast<float>(std::sqrt(sum));
    }
  }
  return distances;
}

inline std::vector<std::vector<double>> to_table(imgsim::matrix_view<const float> values) {
  std::vector<std::vector<double>> table(values.extent(0));
  for (std::size_t i = 0; i < table.size(); ++i) {
    for (std::size_t o = 0; o < values.extent(1); ++o) table[i].push_back(static_cast<double>(values(i, o)));
  }
  return table;
}

inline std::vector<std::size_t> first_rows(std::size_t size, std::size_t count, imgsim::random_stream& random) {
  std::vector<std::size_t> rows = random.permutation(size);
  rows.resize(count);
  return rows;
}

}  // namespace imgsim_test
