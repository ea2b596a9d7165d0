// K-medoids: K of the points themselves, chosen so that the distances from each point to the nearest of them add up to
// little. The search is FasterPAM (Schubert and Rousseeuw, 2021, doi:10.1016/j.is.2021.101804).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/cluster/distance_source.hpp>
#include <imgsim/cluster/initial_medoids.hpp>
#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/random.hpp>

namespace imgsim {

struct k_medoids_progress {
  std::size_t restart = 0;   // from 0
  std::size_t restarts = 1;  // in all
  std::size_t medoids = 0;   // found so far in this restart: K once swaps begin
  std::size_t passes = 0;    // scans over the candidates begun in this restart
  std::size_t swaps = 0;     // in this restart
  double cost = 0;           // now
};

struct k_medoids_options {
  std::size_t k = 2;
  medoid_initialisation initialisation = medoid_initialisation::k_means_plus_plus;
  std::uint64_t seed = 0;
  /// Starts from other random medoids; the cheapest result is kept, ties to the first. 0 only with known medoids.
  std::size_t restarts = 1;
  /// [K] rows, or empty: medoids that are known to be good, from which one more start is made, before the others.
  std::vector<std::size_t> known_medoids = {};
  std::size_t max_passes = 100;                                     // scans over all candidates, in each restart
  std::size_t max_swaps = std::numeric_limits<std::size_t>::max();  // in each restart
  std::function<void(const k_medoids_progress&)> on_progress = {};  // at each first medoid, then every
                                                                    // few thousand candidates
  std::stop_token stop = {};
};

struct k_medoids_result {
  std::vector<std::size_t> medoids;   // [K] rows, ascending
  std::vector<std::uint32_t> labels;  // [M] position in `medoids` of the nearest, ties to the smaller position, except
                                      // that a medoid is always in its own group
  std::vector<float> distances;       // [M] to that medoid
  double cost = 0;                    // sum of `distances`, in float64
  std::size_t swaps = 0;              // of the restart that was kept, as are the next two
  std::size_t passes = 0;
  /// No exchange of one medoid for one other point lowers the cost, in units of fixed_point, and these resolve the
  /// distances to the medoids to 2^-20 of their sum.
  bool converged = false;
};

namespace detail {

/// How far a search may go, and whom it tells.
struct swap_budget {
  std::size_t max_passes;
  std::size_t max_swaps;
  std::stop_token stop;
  std::function<void(std::size_t passes, std::size_t swaps)> on_progress;
};

struct swap_outcome {
  std::size_t swaps = 0;
  std::size_t passes = 0;
  bool converged = false;
};

/// FasterPAM's eager swaps: candidates are tried in turn, over and over, and each that lowers the cost is swapped in at
/// once; ends when a whole turn brought nothing. Costs are integers that fall with each swap, so it always ends. Swaps
/// that is_allowed(swap) refuses are passed over.
template <medoid_search Search, class IsAllowed>
swap_outcome improve_by_swaps(Search& search, const swap_budget& budget, IsAllowed&& is_allowed) {
  constexpr std::size_t kBlock = 4096;  // candidates between two looks at the budget
  const std::size_t size = search.size();
  swap_outcome outcome;
  std::size_t next = 0;
  std::size_t unsuccessful = 0;
  while (unsuccessful < size) {
    if (next == 0) {
      if (outcome.passes == budget.max_passes) return outcome;
      ++outcome.passes;
    }
    throw_if_stopped(budget.stop, "k-medoids");
    if (outcome.swaps == budget.max_swaps) return outcome;
    const std::size_t last = std::min({size, next + kBlock, next + (size - unsuccessful)});
    if (const std::optional<medoid_swap> better = search.first_improving_swap(next, last)) {
      if (is_allowed(*better)) {
        search.swap(*better);
        ++outcome.swaps;
        unsuccessful = 0;
      } else {
        unsuccessful += better->candidate + 1 - next;
      }
      next = better->candidate + 1;
    } else {
      unsuccessful += last - next;
      next = last;
      if (budget.on_progress) budget.on_progress(outcome.passes, outcome.swaps);
    }
    if (next == size) next = 0;
  }
  outcome.converged = true;
  return outcome;
}

template <medoid_search Search>
swap_outcome improve_by_swaps(Search& search, const swap_budget& budget) {
  return improve_by_swaps(search, budget, [](const medoid_swap&) { return true; });
}

/// Labels in order of rows, each medoid in its own group.
template <medoid_search Search>
k_medoids_result read_result(Search& search, const swap_outcome& outcome) {
  k_medoids_result result;
  std::vector<std::size_t> order(search.medoids().begin(), search.medoids().end());
  std::ranges::sort(order);
  search.assign(order);  // positions ascend with rows, so ties go to the medoid with the smaller row
  result.medoids = std::move(order);
  result.labels.assign(search.labels().begin(), search.labels().end());
  result.distances.assign(search.nearest().begin(), search.nearest().end());
  for (std::size_t position = 0; position < result.medoids.size(); ++position) {
    const std::size_t row = result.medoids[position];
    result.labels[row] = static_cast<std::uint32_t>(position);
    result.distances[row] = search.distance_to(position, row);
  }
  result.cost = std::accumulate(result.distances.begin(), result.distances.end(), 0.0);
  result.swaps = outcome.swaps;
  result.passes = outcome.passes;
  double nearest = 0, magnitude = 0;
  for (const float distance : search.nearest()) {
    nearest += static_cast<double>(distance);
    magnitude += std::abs(static_cast<double>(distance));
  }
  result.converged =
      outcome.converged && std::abs(search.unit().to_double(search.cost()) - nearest) <= 0x1p-20 * magnitude;
  return result;
}

/// `rows` in ascending order; throws where one is not below `size` or is named twice.
[[nodiscard]] inline std::vector<std::size_t> distinct_rows(std::span<const std::size_t> rows, std::size_t size) {
  std::vector<std::size_t> sorted(rows.begin(), rows.end());
  std::ranges::sort(sorted);
  IMGSIM_EXPECTS(sorted.empty() || sorted.back() < size, "medoid ", sorted.back(), " of ", size, " points");
  const auto twice = std::ranges::adjacent_find(sorted);
  IMGSIM_EXPECTS(twice == sorted.end(), "medoid ", *twice, " is named twice");
  return sorted;
}

}  // namespace detail

/// K medoids of the M points of `source`, by FasterPAM: O(M^2) for a pass over all candidates whatever K is, and a
/// handful of passes. The result is a local optimum (unless a budget ends it): no exchange of a medoid for another
/// point lowers the cost. It is a function of the distances and the options; threads and devices do not change it.
///
/// Memory beyond the source, on a CPU: O(M), and where the source is not resident up to 32 MiB of rows or one for each
/// thread, where that is more, and 16 for each besides. On a CUDA device: a source of the host is copied to the device,
/// 4 M^2 bytes; of embeddings the points are, and [K, M] floats.
///
/// Throws invalid_argument where k is 0 or above M, max_passes is 0, restarts is and no medoids are known, M is 2^32 -
/// 1 or more, the known medoids are not K distinct rows, or a distance is not finite; cancelled when a stop is
/// requested.
template <execution_context Context, class Source>
[[nodiscard]] k_medoids_result k_medoids(const Context& context, const Source& source,
                                         const k_medoids_options& options) {
  static_assert(has_medoid_search<Context, Source>,
                "no K-medoids for this context and source: include the backend's cluster header "
                "(imgsim/cpu/cluster.hpp, imgsim/cuda/cluster.cuh)");
  const std::size_t size = source.size();
  detail::expect_same_request(context, {options.k, static_cast<std::uint64_t>(options.initialisation), options.seed,
                                        options.restarts, options.max_passes, options.max_swaps});
  detail::expect_same_rows(context, options.known_medoids);
  IMGSIM_EXPECTS(options.k >= 1 && options.k <= size, "cannot make ", options.k, " groups of ", size, " points");
  IMGSIM_EXPECTS(options.restarts >= 1 || !options.known_medoids.empty(), "restarts must be at least 1");
  IMGSIM_EXPECTS(options.max_passes >= 1, "max_passes must be at least 1");
  IMGSIM_EXPECTS(options.known_medoids.empty() || options.known_medoids.size() == options.k,
                 options.known_medoids.size(), " known medoids for ", options.k, " groups");
  const std::vector<std::size_t> known = detail::distinct_rows(options.known_medoids, size);

  medoid_searcher_for<Context, Source> search(context, source);
  std::vector<std::size_t> best_medoids;
  std::int64_t best_cost = std::numeric_limits<std::int64_t>::max();
  detail::swap_outcome best_outcome;
  // BUILD leaves nothing to chance: a second start from it would end where the first did.
  const std::size_t random_starts = options.initialisation == medoid_initialisation::build
                                        ? std::min<std::size_t>(options.restarts, 1)
                                        : options.restarts;
  const std::size_t known_starts = known.empty() ? 0 : 1;
  for (std::size_t start = 0; start < known_starts + random_starts; ++start) {
    const auto report = [&](std::size_t passes, std::size_t swaps) {
      options.on_progress({start, known_starts + random_starts, search.medoids().size(), passes, swaps,
                           search.unit().to_double(search.cost())});
    };
    const auto at_each_medoid = [&] {
      detail::throw_if_stopped(options.stop, "k-medoids");
      if (options.on_progress) report(0, 0);
    };
    if (start < known_starts) {
      search.assign(known);
      at_each_medoid();
    } else {
      random_stream random(options.seed, start - known_starts);
      search.assign({});
      add_initial_medoids(search, options.k, options.initialisation, random, at_each_medoid);
    }
    const detail::swap_outcome outcome = detail::improve_by_swaps(
        search, {options.max_passes, options.max_swaps, options.stop,
                 options.on_progress ? std::function<void(std::size_t, std::size_t)>(report) : nullptr});
    if (search.cost() < best_cost) {
      best_cost = search.cost();
      best_medoids.assign(search.medoids().begin(), search.medoids().end());
      best_outcome = outcome;
    }
  }
  search.assign(best_medoids);
  return detail::read_result(search, best_outcome);
}

/// The groups around `medoids` (distinct rows of `source`) as they are: every point with the nearest. O(K M) distances,
/// and all M^2 once more where the source states no bound (distance_source.hpp; a metric's largest_distance).
/// Throws invalid_argument where there are none, one is not a row or is named twice, or a distance is not finite.
template <execution_context Context, class Source>
[[nodiscard]] k_medoids_result groups_around(const Context& context, const Source& source,
                                             std::span<const std::size_t> medoids) {
  static_assert(has_medoid_search<Context, Source>,
                "no K-medoids for this context and source: include the backend's cluster header "
                "(imgsim/cpu/cluster.hpp, imgsim/cuda/cluster.cuh)");
  detail::expect_same_rows(context, medoids);
  IMGSIM_EXPECTS(!medoids.empty(), "there are no medoids");
  const std::vector<std::size_t> rows = detail::distinct_rows(medoids, source.size());
  medoid_searcher_for<Context, Source> search(context, source);
  search.assign(rows);
  return detail::read_result(search, {});
}

/// k_medoids for a distance matrix in memory, [M, M] of (const) float.
template <execution_context Context, class Float, class Space>
[[nodiscard]] k_medoids_result k_medoids(const Context& context, const matrix_view<Float, Space>& distances,
                                         const k_medoids_options& options) {
  return k_medoids(context, resident_distances(distances), options);
}

}  // namespace imgsim
