// Groups with a guarantee: every point within a distance of its medoid.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <queue>
#include <stop_token>
#include <utility>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>

namespace imgsim {

struct covering_options {
  double max_distance = 0;                                                    // of a point from its medoid
  std::function<void(std::size_t done, std::size_t total)> on_progress = {};  // points looked at, then covered: of 2 M
  std::stop_token stop = {};
};

/// Medoids such that every point of `source` is within `max_distance` of its nearest, as few as the greedy rule finds:
/// the next medoid is the point that covers the most points not covered yet, ties to the smaller row. That is at most
/// 1 + ln M times the fewest (Chvatal, 1979, doi:10.1287/moor.4.3.233). Medoids that the later ones made needless are
/// dropped. A point's own distance counts as 0, so that K = M always does.
///
/// O(M^2) for the first look at every point, then a lazy update of those whose cover may still be the largest; memory
/// beyond the source O(M) on a CPU. Deterministic.
///
/// Throws invalid_argument where max_distance is negative or NaN, or a distance is not finite; cancelled on a stop.
template <execution_context Context, class Source>
[[nodiscard]] k_medoids_result covering_medoids(const Context& context, const Source& source,
                                                const covering_options& options) {
  static_assert(has_medoid_search<Context, Source>,
                "no K-medoids for this context and source: include the backend's cluster header "
                "(imgsim/cpu/cluster.hpp, imgsim/cuda/cluster.cuh)");
  detail::expect_same_request(context, {std::bit_cast<std::uint64_t>(options.max_distance)});
  IMGSIM_EXPECTS(options.max_distance >= 0, "the largest distance within a group cannot be ", options.max_distance);
  medoid_searcher_for<Context, Source> search(context, source);
  const std::size_t size = search.size();
  if (size == 0) return {};

  // The search counts what lies below a price: that of a point not covered yet is the float above the largest float
  // within the distance.
  auto within =
      static_cast<float>(std::min(options.max_distance, static_cast<double>(std::numeric_limits<float>::max())));
  if (static_cast<double>(within) > options.max_distance) within = std::nextafter(within, -1.0f);
  const float price = std::nextafter(within, std::numeric_limits<float>::infinity());
  constexpr float kCovered = -std::numeric_limits<float>::infinity();  // below every distance
  std::vector<float> prices(size, price);
  std::vector<std::uint32_t> reached(size);
  const auto reach = [&](std::size_t row) {
    std::ranges::fill(reached, 0u);
    search.count_reached(std::span(&row, 1), prices, reached);
    if (prices[row] != kCovered) reached[row] = 1;
    return std::accumulate(reached.begin(), reached.end(), std::size_t{0});
  };

  struct candidate {
    std::size_t covers;
    std::size_t row;
    bool operator<(const candidate& other) const {
      return covers != other.covers ? covers < other.covers : row > other.row;
    }
  };
  std::priority_queue<candidate> queue;  // `covers` may be out of date, then it is too large
  std::vector<std::uint32_t> covered_by(size, 0);
  std::vector<std::size_t> medoids;
  for (std::size_t first = 0; first < size; first += detail::kRowsTogether) {
    detail::throw_if_stopped(options.stop, "the cover");
    std::vector<std::size_t> rows(std::min(detail::kRowsTogether, size - first));
    std::iota(rows.begin(), rows.end(), first);
    detail::read_ahead(search, rows);
    for (const std::size_t row : rows) queue.push({reach(row), row});
    if (options.on_progress) options.on_progress(first + rows.size(), 2 * size);
  }
  std::size_t covered = 0;
  while (covered < size) {
    detail::throw_if_stopped(options.stop, "the cover");
    const candidate best = queue.top();
    queue.pop();
    const std::size_t covers = reach(best.row);
    if (const candidate now{covers, best.row}; !queue.empty() && now < queue.top()) {
      queue.push(now);
      continue;
    }
    medoids.push_back(best.row);
    covered += covers;
    for (std::size_t o = 0; o < size; ++o)
      if (reached[o] != 0) prices[o] = kCovered;
    if (options.on_progress) options.on_progress(size + covered, 2 * size);
  }

  std::ranges::fill(prices, price);
  const auto each_reached = [&](std::size_t medoid, auto&& use) {
    (void)reach(medoid);
    for (std::size_t o = 0; o < size; ++o)
      if (reached[o] != 0) use(o);
  };
  for (const std::size_t medoid : medoids) each_reached(medoid, [&](std::size_t o) { ++covered_by[o]; });
  std::erase_if(medoids, [&](std::size_t medoid) {
    bool is_needed = false;
    each_reached(medoid, [&](std::size_t o) { is_needed = is_needed || covered_by[o] == 1; });
    if (!is_needed) each_reached(medoid, [&](std::size_t o) { --covered_by[o]; });
    return !is_needed;
  });
  search.assign(medoids);
  k_medoids_result result = detail::read_result(search, {});
  for (const std::size_t medoid : result.medoids) result.distances[medoid] = 0;
  result.cost = std::accumulate(result.distances.begin(), result.distances.end(), 0.0);
  return result;
}

}  // namespace imgsim
