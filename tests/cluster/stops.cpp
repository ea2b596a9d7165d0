// Where a search ends early: stops at every place that looks for one, sources that throw, bounds that are none, and
// bounds so loose that distances are lost below the unit of sums.
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/covering_medoids.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cluster/sampled_k_medoids.hpp>
#include <imgsim/cluster/silhouette_medoids.hpp>
#include <imgsim/cluster/stability.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/euclidean.hpp>

#include "cluster/support.hpp"

using namespace imgsim;
using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(stops)

namespace {

/// Distances that are asked for row by row, and what happens before each answer.
struct watched_distances {
  static constexpr bool kResident = false;
  matrix_view<const float> table;
  std::function<void()> before;
  std::optional<float> bound = 1.0f;

  [[nodiscard]] std::size_t size() const { return table.extent(0); }
  [[nodiscard]] std::optional<float> upper_bound() const { return bound; }
  [[nodiscard]] matrix_view<const float> rows(std::size_t first, std::size_t count, matrix_view<float> buffer) const {
    if (before) before();
    for (std::size_t row = 0; row < count; ++row) std::copy_n(table.row(first + row), size(), buffer.row(row));
    return buffer.slice(0, count);
  }
};

/// Calls `run` with a token that is stopped before the n-th answer of the source, for rising n, until it ends by
/// itself: every other call must throw `cancelled`, not long after the stop.
template <class Run>
void check_stops(const tensor<float, 2>& table, std::size_t most_after, Run&& run) {
  std::size_t stopped = 0;
  for (std::size_t n = 0;; n += 1 + n / 4) {
    std::stop_source stop;
    std::size_t asked = 0;
    const watched_distances source{table.view(), [&] {
                                     if (asked++ == n) stop.request_stop();
                                   }};
    bool was_cancelled = false;
    try {
      run(source, stop.get_token());
    } catch (const cancelled&) {
      was_cancelled = true;
    }
    if (asked <= n) break;  // it ended before the stop
    BOOST_TEST_CONTEXT("stopped before answer " << n << " of " << asked) {
      if (was_cancelled) BOOST_TEST(asked - n <= most_after);
      stopped += was_cancelled;
    }
  }
  BOOST_TEST(stopped >= 3u);
}

tensor<float, 2> distances_of(std::size_t size) {
  random_stream random(1);
  return random_distances(size, 1u << 20, random);
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_search_ends_soon_after_a_stop) {
  const cpu_context context(1);
  const tensor<float, 2> table = distances_of(60);
  // A search may finish what it does for one medoid, or one block of candidates: all rows of the table, once or twice.
  const std::size_t most = 3 * 60;
  check_stops(table, most, [&](const auto& source, std::stop_token stop) {
    static_cast<void>(k_medoids(context, source, {.k = 6, .restarts = 4, .stop = stop}));
  });
  check_stops(table, most, [&](const auto& source, std::stop_token stop) {
    static_cast<void>(covering_medoids(context, source, {.max_distance = 0.1, .stop = stop}));
  });
  check_stops(table, most, [&](const auto& source, std::stop_token stop) {
    static_cast<void>(
        sampled_k_medoids(context, source, {.k = 4, .samples = 4, .sample_size = 20, .candidates = 60, .stop = stop}));
  });
  check_stops(table, 2 * most, [&](const auto& source, std::stop_token stop) {
    static_cast<void>(silhouette_medoids(context, source, {.k_max = 8, .stop = stop}));
  });
}

BOOST_AUTO_TEST_CASE(swaps_and_resamples_look_for_a_stop) {
  const cpu_context context(1);
  const tensor<float, 2> table = distances_of(80);
  std::stop_source stop;
  std::size_t passes = 0;
  const auto tell = [&](const k_medoids_progress& p) {
    passes = p.passes;
    if (p.passes == 1) stop.request_stop();
  };
  BOOST_CHECK_THROW((void)k_medoids(context, table.view(), {.k = 5, .on_progress = tell, .stop = stop.get_token()}),
                    cancelled);
  BOOST_TEST(passes == 1u);  // the search for first medoids, where there are none, was over
  BOOST_CHECK_THROW(
      (void)group_stability(context, resident_distances(table.view()), {.k = 3, .stop = stop.get_token()}), cancelled);
}

BOOST_AUTO_TEST_CASE(after_a_source_that_threw_rows_are_read_again) {
  const cpu_context context(1);
  const tensor<float, 2> table = distances_of(50);
  bool throws = false;
  const watched_distances source{table.view(), [&] {
                                   if (std::exchange(throws, false)) throw std::runtime_error("not now");
                                 }};
  const cpu::distance_rows<watched_distances> rows(context, source);
  cpu::candidate_rows<watched_distances> candidates(context, rows);
  const auto check = [&](std::size_t row) {
    BOOST_TEST(candidates.load(row, row + 1) == row + 1);
    for (std::size_t o = 0; o < 50; ++o) BOOST_TEST_REQUIRE(candidates[row][o] == table(row, o));
  };
  check(3);
  throws = true;
  BOOST_CHECK_THROW(candidates.load(7, 8), std::runtime_error);
  check(7);
  const std::vector<std::size_t> ahead{20, 9};
  throws = true;
  BOOST_CHECK_THROW(candidates.read_ahead(ahead), std::runtime_error);
  check(20);
  candidates.read_ahead(ahead);
  check(9);
}

BOOST_AUTO_TEST_CASE(a_bound_is_finite_and_not_negative) {
  const tensor<float, 2> table = distances_of(20);
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(), -1.0f}) {
    const watched_distances source{table.view(), {}, bad};
    BOOST_CHECK_THROW((void)k_medoids(cpu_context(1), source, {.k = 2}), invalid_argument);
    BOOST_CHECK_THROW(resident_distances(table.view(), bad), invalid_argument);
  }
}

BOOST_AUTO_TEST_CASE(a_search_that_cannot_resolve_the_distances_does_not_claim_to_have_converged) {
  const tensor<float, 2> table = distances_of(100);
  for (const auto& [bound, is_resolved] : {std::pair{1.0f, true}, {1e3f, true}, {1e12f, false}, {1e30f, false}}) {
    const watched_distances source{table.view(), {}, bound};
    BOOST_TEST(k_medoids(cpu_context(1), source, {.k = 5}).converged == is_resolved, "a bound of " << bound);
    BOOST_TEST(k_medoids(cpu_context(1), resident_distances(table.view(), bound), {.k = 5}).converged == is_resolved);
  }
  const tensor<float, 2> same({9, 9});
  BOOST_TEST(k_medoids(cpu_context(1), same.view(), {.k = 3}).converged);
}

BOOST_AUTO_TEST_CASE(known_medoids_can_be_the_only_start) {
  const tensor<float, 2> table = distances_of(70);
  const k_medoids_result best = k_medoids(cpu_context(1), table.view(), {.k = 5, .restarts = 3});
  const k_medoids_result again =
      k_medoids(cpu_context(1), table.view(), {.k = 5, .restarts = 0, .known_medoids = best.medoids});
  BOOST_TEST(again.medoids == best.medoids, boost::test_tools::per_element());
  BOOST_TEST(again.swaps == 0u);
  BOOST_TEST(again.converged);
  BOOST_CHECK_THROW((void)k_medoids(cpu_context(1), table.view(), {.k = 5, .restarts = 0}), invalid_argument);
}

BOOST_AUTO_TEST_CASE(one_group_covers_all_at_any_distance) {
  tensor<float, 2> table({3, 3});
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t o = 0; o < 3; ++o) table(i, o) = i == o ? 0 : 3e38f;
  for (const double most : {std::numeric_limits<double>::infinity(), 3.1e38})
    BOOST_TEST(covering_medoids(cpu_context(1), resident_distances(table.view()), {.max_distance = most})
                   .groups.medoids.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
