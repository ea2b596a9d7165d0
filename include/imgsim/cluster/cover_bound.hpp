// How few balls can cover all points: a bound by weights.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/core/error.hpp>

namespace imgsim {

/// For each point the points that lie within a distance of it, itself included: lists, one after the other.
class ball_lists {
 public:
  /// Points within the distance of the next one, in any order.
  void add(std::span<const std::uint32_t> ball) {
    rows_.insert(rows_.end(), ball.begin(), ball.end());
    ends_.push_back(rows_.size());
  }
  [[nodiscard]] std::size_t size() const noexcept { return ends_.size(); }
  [[nodiscard]] std::size_t entries() const noexcept { return rows_.size(); }
  [[nodiscard]] std::span<const std::uint32_t> of(std::size_t point) const noexcept {
    const std::size_t begin = point == 0 ? 0 : ends_[point - 1];
    return std::span(rows_).subspan(begin, ends_[point] - begin);
  }

 private:
  std::vector<std::uint32_t> rows_;
  std::vector<std::size_t> ends_;
};

namespace detail {

/// Non-negative weights of the points, and of each ball the sum of those in it.
class ball_weights {
 public:
  ball_weights(const ball_lists& balls, std::vector<double> weights) : balls_(balls), weights_(std::move(weights)) {
    loads_.resize(balls.size());
    for (std::size_t point = 0; point < balls.size(); ++point)
      for (const std::uint32_t row : balls.of(point)) loads_[point] += weights_[row];
  }

  void add(std::size_t point, double weight) {
    weights_[point] += weight;
    for (const std::uint32_t row : balls_.of(point)) loads_[row] += weight;  // the balls that the point is in
  }
  [[nodiscard]] const std::vector<double>& weights() const noexcept { return weights_; }
  [[nodiscard]] const std::vector<double>& loads() const noexcept { return loads_; }
  [[nodiscard]] double largest_load() const { return std::ranges::max(loads_); }
  /// No fewer balls than this cover all points: each adds up to the largest load at most.
  [[nodiscard]] double bound() const { return std::accumulate(weights_.begin(), weights_.end(), 0.0) / largest_load(); }

 private:
  const ball_lists& balls_;
  std::vector<double> weights_, loads_;
};

}  // namespace detail

/// Fewer balls than this, of those in `balls`, cannot cover all points; 0 where there are none. By weak duality of
/// linear programs: where no ball holds points of more than weight 1, a cover has as many balls as all points weigh.
/// Weights are found by multiplicative updates (Plotkin, Shmoys and Tardos, 1995, doi:10.1287/moor.20.2.257): those of
/// the heaviest ball are halved, over and over, the mean of all rounds is scaled, and what room is left is given to the
/// points in turn, those in few balls first. Throws invalid_argument where a point is not in its own ball. The balls
/// are symmetric: where a is in that of b, b is in that of a.
///
/// O(M) a round and the entries of the balls in the heaviest; at most 800 rounds and some 4e8 entries.
[[nodiscard]] inline std::size_t least_cover(const ball_lists& balls) {
  constexpr std::size_t kRounds = 800;
  constexpr std::size_t kEntries = 400'000'000;
  constexpr double kRounding = 1e-6;  // of sums of weights, whose order is fixed
  const std::size_t size = balls.size();
  if (size == 0) return 0;
  for (std::size_t point = 0; point < size; ++point)
    IMGSIM_EXPECTS(std::ranges::find(balls.of(point), point) != balls.of(point).end(), "the ball of point ", point,
                   " does not hold it");

  detail::ball_weights rounds(balls, std::vector<double>(size, 1.0));
  std::vector<double> mean(size, 0.0);
  for (std::size_t round = 0, entries = 0; round < kRounds && entries < kEntries; ++round) {
    const double total = std::accumulate(rounds.weights().begin(), rounds.weights().end(), 0.0);
    for (std::size_t point = 0; point < size; ++point) mean[point] += rounds.weights()[point] / total;
    const auto heaviest = static_cast<std::size_t>(std::ranges::max_element(rounds.loads()) - rounds.loads().begin());
    for (const std::uint32_t row : balls.of(heaviest)) {
      rounds.add(row, -rounds.weights()[row] / 2);
      entries += balls.of(row).size();
    }
  }
  const double largest = detail::ball_weights(balls, mean).largest_load();
  for (double& weight : mean) weight /= largest;
  detail::ball_weights filled(balls, std::move(mean));
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t point) { return balls.of(point).size(); });
  for (const std::size_t point : order) {
    double heaviest = 0;
    for (const std::uint32_t row : balls.of(point)) heaviest = std::max(heaviest, filled.loads()[row]);
    if (heaviest < 1) filled.add(point, 1 - heaviest);
  }
  // From sums made anew: those above gather what each step rounds off.
  const double bound = detail::ball_weights(balls, filled.weights()).bound();
  return static_cast<std::size_t>(std::ceil(bound * (1 - kRounding)));
}

}  // namespace imgsim
