// Whether points form groups at all: the gap statistic (Tibshirani, Walther and Hastie, 2001,
// doi:10.1111/1467-9868.00293).
//
// Any points can be cut into K groups, and the cost falls with K in any case. Here it is held against the cost W* of
// points drawn uniformly from the box around the given ones:
//
//   Gap(K) = mean over the drawn sets of log W*(K)  -  log W(K)
//
// W is the cost of K-medoids under Euclidean distance. The box has the sides of the coordinate axes: points whose
// columns go together are first to be turned to their principal axes, as the paper's variant (b).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <stop_token>
#include <vector>

#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/metric/euclidean.hpp>

namespace imgsim {

struct gap_statistic_options {
  std::size_t k_max = 20;       // M / 2 where that is smaller, but at least 1
  std::size_t references = 20;  // sets of uniform points
  std::uint64_t seed = 0;
  /// Sets of points that were grouped, the given one among them.
  std::function<void(std::size_t done, std::size_t total)> on_progress = {};
  std::stop_token stop = {};
};

struct gap_choice {
  std::size_t k = 0;
  double gap = 0;
  double error = 0;  // the standard deviation of log W*(K) over the sets, times sqrt(1 + 1 / sets)
};

struct gap_statistic_result {
  std::vector<gap_choice> curve;  // K from 1
  /// The paper's estimate: the least K with Gap(K) >= Gap(K + 1) - error(K + 1). 1: one group, or none.
  std::size_t k = 1;
  /// How often uniform points gain as much as these do by being grouped: by the largest of Gap(K) - Gap(1), the rank of
  /// the points among the sets, (1 + sets that gain as much) / (1 + sets).
  double p_value = 1;

  /// At the usual level, which 19 sets are enough to reach. Points around one centre (normal, say) have none.
  [[nodiscard]] bool has_structure() const noexcept { return p_value <= 0.05; }
};

namespace detail {

/// log W(K) for K = 1 .. k_max. A cost of 0 counts as a millionth of the first.
template <execution_context Context>
std::vector<double> log_costs(const Context& context, matrix_view<const float> points, std::size_t k_max,
                              const choose_k_options& options) {
  std::vector<std::size_t> rows(points.extent(0));
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const tensor<float, 2> distances =
      cluster_backend<Context>::distances_among(context, embedding_distances(points, euclidean{}), rows);
  const resident_distances source(distances.view());
  medoid_searcher_for<Context, resident_distances<>> search(context, source);
  const std::vector<k_choice> curve = sweep_k(search, 1, k_max, options);
  std::vector<double> costs;
  for (const k_choice& choice : curve) costs.push_back(std::log(std::max(choice.cost, 1e-6 * curve.front().cost)));
  return costs;
}

}  // namespace detail

/// The gap statistic of `points` [M, D] with M of a few hundred: O(references (D + K) M^2). A function of the points
/// and the options. Points that all lie in one place have no structure. Throws invalid_argument where there are no
/// points, references is below 2, k_max is 0 or a value is not finite; cancelled when a stop is requested.
template <execution_context Context>
[[nodiscard]] gap_statistic_result gap_statistic(const Context& context, matrix_view<const float> points,
                                                 const gap_statistic_options& options = {}) {
  static_assert(has_distance_sample<Context, embedding_distances<euclidean>>,
                "no K-medoids for this context: include the backend's cluster header (imgsim/cpu/cluster.hpp)");
  const std::size_t size = points.extent(0);
  const std::size_t dimension = points.extent(1);
  IMGSIM_EXPECTS(size >= 1, "the gap statistic needs points");
  IMGSIM_EXPECTS(options.references >= 2, "the gap statistic needs at least 2 sets of uniform points");
  IMGSIM_EXPECTS(options.k_max >= 1, "the gap statistic begins at K = 1");
  const std::size_t k_max = std::clamp<std::size_t>(size / 2, 1, options.k_max);
  std::vector<float> low(points.row(0), points.row(0) + dimension), high = low;
  for (std::size_t row = 0; row < size; ++row)
    for (std::size_t i = 0; i < dimension; ++i) {
      low[i] = std::min(low[i], points(row, i));
      high[i] = std::max(high[i], points(row, i));
    }

  gap_statistic_result result;
  for (std::size_t k = 1; k <= k_max; ++k) result.curve.push_back({.k = k});
  const choose_k_options sweep{.seed = options.seed, .stop = options.stop};
  const auto tell = [&](std::size_t done) {
    if (options.on_progress) options.on_progress(done, 1 + options.references);
  };
  const std::vector<double> own = detail::log_costs(context, points, k_max, sweep);
  tell(1);
  if (!std::isfinite(own.front())) return result;  // all in one place

  const auto sets = static_cast<double>(options.references);
  std::vector<std::vector<double>> drawn;
  tensor<float, 2> uniform(points.extents());
  for (std::size_t set = 0; set < options.references; ++set) {
    random_stream random(options.seed, 1 + set);
    for (std::size_t row = 0; row < size; ++row)
      for (std::size_t i = 0; i < dimension; ++i)
        uniform(row, i) = static_cast<float>(random.uniform(static_cast<double>(low[i]), static_cast<double>(high[i])));
    drawn.push_back(detail::log_costs(context, std::as_const(uniform).view(), k_max, sweep));
    tell(1 + drawn.size());
  }
  std::vector<double> mean(k_max, 0.0);
  for (std::size_t i = 0; i < k_max; ++i) {
    for (const std::vector<double>& costs : drawn) mean[i] += costs[i] / sets;
    double variance = 0;
    for (const std::vector<double>& costs : drawn) variance += (costs[i] - mean[i]) * (costs[i] - mean[i]) / sets;
    result.curve[i].gap = mean[i] - own[i];
    result.curve[i].error = std::sqrt(variance * (1 + 1 / sets));
  }
  while (result.k < k_max && result.curve[result.k - 1].gap < result.curve[result.k].gap - result.curve[result.k].error)
    ++result.k;

  /// What `costs` gain beyond the mean of the sets; of a set, beyond the mean of the others.
  const auto gain = [&](const std::vector<double>& costs, double others) {
    double largest = 0;
    for (std::size_t i = 0; i < k_max; ++i)
      largest = std::max(largest, others * ((mean[i] - costs[i]) - (mean.front() - costs.front())));
    return largest;
  };
  const double own_gain = gain(own, 1);
  const auto as_much = std::ranges::count_if(
      drawn, [&](const std::vector<double>& costs) { return gain(costs, sets / (sets - 1)) >= own_gain; });
  result.p_value = (1 + static_cast<double>(as_much)) / (1 + sets);
  return result;
}

}  // namespace imgsim
