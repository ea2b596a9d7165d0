// Squared Euclidean distances between two sets of rows, in float32: tiles of kPoints x kCentroids sums stay in
// registers while both are read along D. The difference is squared as it is (no norms and products), so the result has
// a small relative error even where the rows are close.
#pragma once

#include <cstddef>

#include <imgsim/core/macros.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/simd.hpp>

namespace imgsim::cpu {

/// The relative error of a squared distance. With u = 2^-24 and L lanes: a difference and its square are rounded once
/// each (3 u), a term then meets D / L additions in its lane, L - 1 between lanes and at most L - 1 of elements left
/// over: D / L + 2 L + 1 roundings of positive numbers. L is 4, 8 or 16, and all of them stay below D / 4 + 34; 2 more
/// cover the second order (D u < 1 / 64).
[[nodiscard]] constexpr double squared_distance_error(std::size_t dimension) noexcept {
  return (static_cast<double>(dimension) / 4 + 36) * 0x1p-24;
}

struct squared_distances_body {
  matrix_view<const float> points;     // [P, D]
  matrix_view<const float> centroids;  // [K, D]
  matrix_view<float> out;              // [P, K]

  static constexpr std::size_t kPoints = 4;
  static constexpr std::size_t kCentroids = 2;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    const std::size_t whole_points = points.extent(0) / kPoints * kPoints;
    const std::size_t whole_centroids = centroids.extent(0) / kCentroids * kCentroids;
    for (std::size_t p = 0; p < whole_points; p += kPoints) {
      for (std::size_t c = 0; c < whole_centroids; c += kCentroids) tile<Isa, kPoints, kCentroids>(p, c);
      for (std::size_t c = whole_centroids; c < centroids.extent(0); ++c) tile<Isa, kPoints, 1>(p, c);
    }
    for (std::size_t p = whole_points; p < points.extent(0); ++p) {
      for (std::size_t c = 0; c < centroids.extent(0); ++c) tile<Isa, 1, 1>(p, c);
    }
  }

  template <class Isa, std::size_t Points, std::size_t Centroids>
  IMGSIM_ALWAYS_INLINE void tile(std::size_t first_point, std::size_t first_centroid) const {
    constexpr std::size_t kLanes = Isa::float_lanes;
    using floats = vector<float, kLanes>;
    const std::size_t dimension = points.extent(1);
    floats sums[Points][Centroids] = {};
    std::size_t i = 0;
    for (; i + kLanes <= dimension; i += kLanes) {
      floats point[Points];
      for (std::size_t p = 0; p < Points; ++p) load(point[p], points.row(first_point + p) + i);
      for (std::size_t c = 0; c < Centroids; ++c) {
        floats centroid;
        load(centroid, centroids.row(first_centroid + c) + i);
        for (std::size_t p = 0; p < Points; ++p) {
          const floats difference = point[p] - centroid;
          sums[p][c] += difference * difference;
        }
      }
    }
    for (std::size_t p = 0; p < Points; ++p) {
      for (std::size_t c = 0; c < Centroids; ++c) {
        float sum = 0;
        for (std::size_t lane = 0; lane < kLanes; ++lane) sum += sums[p][c][lane];
        for (std::size_t rest = i; rest < dimension; ++rest) {
          const float difference = points.row(first_point + p)[rest] - centroids.row(first_centroid + c)[rest];
          sum += difference * difference;
        }
        out(first_point + p, first_centroid + c) = sum;
      }
    }
  }
};

}  // namespace imgsim::cpu
