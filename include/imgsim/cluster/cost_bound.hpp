// How far a K-medoids result can be from the best there is: a lower bound of the cost of any K medoids.
//
// K-medoids is the K-median problem, which is NP-hard. Dualise "every point has one medoid" with a multiplier l_o for
// each point, the price it would pay at most. A candidate i then saves s_i = sum over o of max(0, l_o - d(i, o)), and
//
//   L(l) = sum of l_o - the K largest s_i   <=   the cost of any K medoids
//
// whatever the multipliers are (Cornuejols, Fisher and Nemhauser, 1977, doi:10.1287/mnsc.23.8.789). They are improved
// by subgradient steps: a point that none of the K candidates reaches pays more, one that several reach pays less.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <stop_token>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>

namespace imgsim {

struct cost_bound_options {
  std::size_t iterations = 200;  // passes over all distances at the most
  double enough = 1e-4;          // ends where the gap is at most this part of the cost
  std::function<void(std::size_t done, std::size_t total)> on_progress = {};
  std::stop_token stop = {};
};

struct cost_bound {
  double lower_bound = 0;  // no K medoids cost less
  double cost = 0;         // of the given medoids: the sum of distances to the nearest
  std::size_t iterations = 0;

  /// The part of the cost that is not proved necessary, in [0, 1]; 0: the medoids are the best there are.
  [[nodiscard]] double gap() const noexcept { return cost > 0 ? std::max(0.0, (cost - lower_bound) / cost) : 0.0; }
};

namespace detail {

/// The candidates with the `k` largest savings, ties to the smaller row.
inline std::vector<std::size_t> largest_savings(std::span<const std::int64_t> savings, std::size_t k) {
  std::vector<std::size_t> rows(savings.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const auto before = [&](std::size_t a, std::size_t b) {
    return savings[a] != savings[b] ? savings[a] > savings[b] : a < b;
  };
  std::nth_element(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(k - 1), rows.end(), before);
  rows.resize(k);
  std::ranges::sort(rows);
  return rows;
}

}  // namespace detail

/// A lower bound of the cost of any `medoids.size()` medoids of the points of `source`, begun from the given ones
/// (distinct rows), where no distance is negative. O(M^2) an iteration. The result is a function of the distances, the
/// medoids and the options.
///
/// Throws invalid_argument where there are no medoids, one is not a row, a distance is not finite or one to a medoid
/// is negative;
/// cancelled when a stop is requested.
template <execution_context Context, class Source>
[[nodiscard]] cost_bound bound_cost(const Context& context, const Source& source, std::span<const std::size_t> medoids,
                                    const cost_bound_options& options = {}) {
  static_assert(has_medoid_search<Context, Source>,
                "no K-medoids for this context and source: include the backend's cluster header "
                "(imgsim/cpu/cluster.hpp, imgsim/cuda/cluster.cuh)");
  const std::size_t size = source.size();
  detail::expect_same_request(context, {options.iterations, std::bit_cast<std::uint64_t>(options.enough)});
  detail::expect_same_rows(context, medoids);
  IMGSIM_EXPECTS(!medoids.empty() && medoids.size() <= size, "a bound needs between 1 and ", size, " medoids, not ",
                 medoids.size());
  for (const std::size_t row : medoids) IMGSIM_EXPECTS(row < size, "medoid ", row, " of ", size, " points");
  medoid_searcher_for<Context, Source> search(context, source);
  search.assign(medoids);
  const fixed_point unit = search.unit();
  cost_bound bound{.lower_bound = 0, .cost = unit.to_double(search.cost()), .iterations = 0};

  // Between the nearest and the second nearest medoid's distance, prices that the given medoids explain.
  std::vector<float> prices(size);
  for (std::size_t o = 0; o < size; ++o) {
    IMGSIM_EXPECTS(search.nearest()[o] >= 0, "the bound needs distances to the medoids that are not negative");
    prices[o] = medoids.size() > 1 ? 0.5f * (search.nearest()[o] + search.second_nearest()[o]) : search.nearest()[o];
  }
  std::vector<std::int64_t> savings(size);
  std::vector<std::uint32_t> reached(size);
  double step = 1;
  std::size_t fruitless = 0;
  for (; bound.iterations < options.iterations && bound.gap() > options.enough; ++bound.iterations) {
    detail::throw_if_stopped(options.stop, "the bound of the cost");
    if (options.on_progress) options.on_progress(bound.iterations, options.iterations);
    search.savings(prices, savings);
    const std::vector<std::size_t> chosen = detail::largest_savings(savings, medoids.size());
    // One sum of units stays below 2^60, K of them need not: from here on float64, rounded down.
    std::int64_t all_prices = 0;
    for (const float price : prices) all_prices += unit.quantise(price);
    double lower = unit.to_double(all_prices);
    double magnitude = lower;
    for (const std::size_t row : chosen) {
      lower -= unit.to_double(savings[row]);
      magnitude += unit.to_double(savings[row]);
    }
    lower -= static_cast<double>(medoids.size() + 2) * 0x1p-52 * magnitude;
    fruitless = lower > bound.lower_bound ? 0 : fruitless + 1;
    bound.lower_bound = std::max(bound.lower_bound, lower);
    if (fruitless == 8) {  // as is usual: half the step after a while without gain
      step /= 2;
      fruitless = 0;
    }
    std::ranges::fill(reached, 0u);
    search.count_reached(chosen, prices, reached);
    double square = 0;
    for (const std::uint32_t count : reached) square += (1.0 - count) * (1.0 - count);
    if (square == 0) break;  // each point is reached once: the bound is the cost of these medoids
    // Polyak's step towards the cost, the best value that is known to be reached.
    const double length = step * (bound.cost - lower) / square;
    for (std::size_t o = 0; o < size; ++o)
      prices[o] = static_cast<float>(std::clamp(static_cast<double>(prices[o]) + length * (1.0 - reached[o]), 0.0,
                                                static_cast<double>(search.largest_distance())));
  }
  return bound;
}

}  // namespace imgsim
