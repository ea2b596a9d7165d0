// A plane on which points that are neighbours lie close: UMAP's layout (McInnes, Healy and Melville, 2018,
// arXiv:1802.03426) of neighbour lists that are known already.
//
//   auto places = imgsim::neighbour_map(nearest.rows.view(), distances.view(), first_two_components.view());
//
// 1. The distances of each point's list become weights exp(-(d - d_nearest) / s), s chosen so that they add up to
//    log2(k): every point has a say about as many others, however dense its surroundings are.
// 2. Weights of i to j and j to i become that of one pair: a + b - ab, of either holding.
// 3. Pairs draw together and points drawn at random push apart, by the gradient of the cross entropy between these
//    weights and 1 / (1 + a d^2b) on the plane; steps shrink to nothing. The pairs that weigh most move most often.
//
// Unlike UMAP's own program this takes exact neighbours and a given start, and one thread takes all steps in one order:
// equal input and seed give equal places with one build. Distances between far groups mean little, as in every such
// map.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

struct neighbour_map_options {
  std::size_t epochs = 0;      // 0: 500, of more than 10,000 points 200
  std::size_t repulsions = 5;  // random points that a point is pushed from when it is drawn to another
  std::uint64_t seed = 0;
  /// Called before each epoch; what it throws ends the work and reaches the caller.
  std::function<void(std::size_t epoch)> on_epoch = {};
};

namespace detail {

/// 1 / (1 + a d^2b): about 1 up to a distance of 0.1, then falling as exp(-d) does (UMAP's min_dist and spread).
inline constexpr float kCurveA = 1.577F;
inline constexpr float kCurveB = 0.895F;
inline constexpr float kLongestStep = 4;
inline constexpr float kStartExtent = 10;

struct neighbour_pair {
  std::uint32_t a = 0, b = 0;  // a < b
  float weight = 0;            // in (0, 1]
};

/// The s of step 1, by bisection; `distances` ascend from `nearest`.
[[nodiscard]] inline double neighbour_scale(const float* distances, std::size_t k, double nearest) {
  const double target = std::log2(static_cast<double>(k));
  double low = 0, high = std::numeric_limits<double>::infinity(), scale = 1;
  for (int step = 0; step < 64; ++step) {
    double sum = 0;
    for (std::size_t i = 0; i < k; ++i) sum += std::exp(-std::max(0.0, double{distances[i]} - nearest) / scale);
    (sum > target ? high : low) = scale;
    scale = std::isinf(high) ? scale * 2 : (low + high) / 2;
  }
  return scale;
}

/// Steps 1 and 2: each pair once, by a and b.
[[nodiscard]] inline std::vector<neighbour_pair> neighbour_pairs(matrix_view<const std::int64_t> rows,
                                                                 matrix_view<const float> distances) {
  const std::size_t count = rows.extent(0), k = rows.extent(1);
  std::vector<neighbour_pair> pairs;
  pairs.reserve(count * k);
  for (std::size_t i = 0; i < count; ++i) {
    const float* own = distances.row(i);
    const float* positive = std::find_if(own, own + k, [](float d) { return d > 0; });
    const double nearest = positive != own + k ? double{*positive} : 0.0;
    // Of points that all coincide no scale is right, and every weight is 1.
    const double scale = positive != own + k ? neighbour_scale(own, k, nearest) : 1.0;
    for (std::size_t rank = 0; rank < k; ++rank) {
      const std::int64_t other = rows(i, rank);
      IMGSIM_EXPECTS(other >= 0 && static_cast<std::uint64_t>(other) < count && static_cast<std::size_t>(other) != i,
                     "row ", i, " has neighbour ", other, " of ", count, " points");
      IMGSIM_EXPECTS(std::isfinite(own[rank]), "the distance of a neighbour of row ", i, " is not finite");
      const auto weight = static_cast<float>(std::exp(-std::max(0.0, double{own[rank]} - nearest) / scale));
      const auto x = static_cast<std::uint32_t>(i), y = static_cast<std::uint32_t>(other);
      pairs.push_back({std::min(x, y), std::max(x, y), weight});
    }
  }
  std::ranges::stable_sort(
      pairs, [](const neighbour_pair& x, const neighbour_pair& y) { return x.a != y.a ? x.a < y.a : x.b < y.b; });
  std::size_t kept = 0;
  for (std::size_t at = 0; at < pairs.size(); ++at) {
    if (kept > 0 && pairs[kept - 1].a == pairs[at].a && pairs[kept - 1].b == pairs[at].b) {
      float& weight = pairs[kept - 1].weight;
      weight += pairs[at].weight - weight * pairs[at].weight;
    } else {
      pairs[kept++] = pairs[at];
    }
  }
  pairs.resize(kept);
  return pairs;
}

/// The start: `given` at the scale of the curve, and points that coincide a hair apart, so that they can part.
[[nodiscard]] inline tensor<float, 2> start_of_map(matrix_view<const float> given, random_stream& random) {
  tensor<float, 2> places({given.extent(0), 2});
  float largest = 0;
  for (std::size_t i = 0; i < given.extent(0); ++i)
    for (std::size_t axis = 0; axis < 2; ++axis) largest = std::max(largest, std::abs(given(i, axis)));
  const float scale = largest > 0 ? kStartExtent / largest : 1.0F;
  for (std::size_t i = 0; i < given.extent(0); ++i)
    for (std::size_t axis = 0; axis < 2; ++axis)
      places(i, axis) = scale * given(i, axis) + 1e-4F * static_cast<float>(random.normal());
  return places;
}

[[nodiscard]] inline float clipped_step(float value) {
  return std::clamp(value, -kLongestStep, kLongestStep);
}

/// Step 3 for one pair: both draw together.
inline void attract(float* a, float* b, float rate) {
  const float dx = a[0] - b[0], dy = a[1] - b[1], square = dx * dx + dy * dy;
  if (!(square > 0)) return;
  const float power = std::pow(square, kCurveB);
  const float slope = -2 * kCurveA * kCurveB * power / (square * (1 + kCurveA * power));
  const float x = rate * clipped_step(slope * dx), y = rate * clipped_step(slope * dy);
  a[0] += x;
  a[1] += y;
  b[0] -= x;
  b[1] -= y;
}

/// Step 3 for a random point: `a` moves away from it.
inline void repel(float* a, const float* other, float rate) {
  constexpr float kSoft = 0.001F;  // keeps the push of near points finite
  const float dx = a[0] - other[0], dy = a[1] - other[1], square = dx * dx + dy * dy;
  const float slope = 2 * kCurveB / ((kSoft + square) * (1 + kCurveA * std::pow(square, kCurveB)));
  a[0] += rate * clipped_step(slope * dx);
  a[1] += rate * clipped_step(slope * dy);
}

}  // namespace detail

/// Places [M, 2] of M points on the plane. `rows` [M, k] lists the neighbours of each, itself left out, the nearest
/// first; `distances` [M, k] how far they are (below zero counts as zero); `start` [M, 2] where the points begin, such
/// as their first two principal components. Throws invalid_argument where the shapes disagree, a row is no point of
/// these, or a number is not finite. O(epochs * M * k * repulsions).
[[nodiscard]] inline tensor<float, 2> neighbour_map(matrix_view<const std::int64_t> rows,
                                                    matrix_view<const float> distances, matrix_view<const float> start,
                                                    const neighbour_map_options& options = {}) {
  const std::size_t count = start.extent(0);
  IMGSIM_EXPECTS(start.extent(1) == 2 && rows.extent(0) == count && distances.extent(0) == count &&
                     distances.extent(1) == rows.extent(1),
                 "a map of ", shape_text(start), " needs neighbours and distances of one shape, not ", shape_text(rows),
                 " and ", shape_text(distances));
  IMGSIM_EXPECTS(count <= std::numeric_limits<std::uint32_t>::max(), "a map has at most 2^32 points");
  for (std::size_t i = 0; i < count; ++i)
    IMGSIM_EXPECTS(std::isfinite(start(i, 0)) && std::isfinite(start(i, 1)), "the start of row ", i, " is not finite");
  random_stream random(options.seed);
  tensor<float, 2> places = detail::start_of_map(start, random);
  const std::vector<detail::neighbour_pair> pairs = detail::neighbour_pairs(rows, distances);
  if (pairs.empty()) return places;

  constexpr std::size_t kManyPoints = 10'000;
  const std::size_t epochs = options.epochs > 0 ? options.epochs : count > kManyPoints ? 200 : 500;
  const float heaviest = std::ranges::max_element(pairs, {}, &detail::neighbour_pair::weight)->weight;
  std::vector<float> due(pairs.size(), 0);  // share of a turn that each pair has saved up
  for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
    if (options.on_epoch) options.on_epoch(epoch);
    const float rate = 1 - static_cast<float>(epoch) / static_cast<float>(epochs);
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      due[p] += pairs[p].weight / heaviest;
      if (due[p] < 1) continue;
      due[p] -= 1;
      float* const a = places.view().row(pairs[p].a);
      float* const b = places.view().row(pairs[p].b);
      detail::attract(a, b, rate);
      for (std::size_t r = 0; r < options.repulsions; ++r) {
        for (float* const moved : {a, b}) {
          const float* const other = places.view().row(random.below(count));
          if (other != moved) detail::repel(moved, other, rate);
        }
      }
    }
  }
  return places;
}

}  // namespace imgsim
