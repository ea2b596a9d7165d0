// The state of a K-medoids search: after any walk of additions, removals and swaps it is what a scalar count from
// scratch gives, and its scans find what trying everything finds. Distances are multiples of 1 / 64, so float64 is
// exact.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/k_medoids.hpp>

#include "cluster/support.hpp"

using namespace imgsim;
using namespace imgsim_test;

namespace {

using searcher = medoid_searcher_for<cpu_context, resident_distances<>>;

/// A matrix whose row 40 is slow to read: it waits for row 48 to be read by another thread, and then a little longer.
struct waiting_distances {
  static constexpr bool kResident = true;

  matrix_view<const float> distances;
  mutable std::atomic<bool> armed = false;
  mutable std::atomic<bool> later_row_was_read = false;

  [[nodiscard]] std::size_t size() const { return distances.extent(0); }
  [[nodiscard]] matrix_view<const float> rows(std::size_t first, std::size_t count, matrix_view<float>) const {
    using namespace std::chrono_literals;
    if (armed && first == 48) later_row_was_read = true;
    if (armed && first == 40) {
      for (int tick = 0; tick < 2000 && !later_row_was_read; ++tick) std::this_thread::sleep_for(1ms);
      std::this_thread::sleep_for(20ms);
    }
    return distances.slice(first, count);
  }
};

void check_state(const searcher& search, const reference::distance_table& distances) {
  const std::vector<std::size_t> medoids(search.medoids().begin(), search.medoids().end());
  BOOST_TEST(search.unit().to_double(search.cost()) == reference::medoid_cost(distances, medoids));
  for (std::size_t o = 0; o < distances.size(); ++o) {
    std::vector<std::pair<double, std::uint32_t>> order;
    for (std::uint32_t p = 0; p < medoids.size(); ++p) order.emplace_back(distances[medoids[p]][o], p);
    std::ranges::sort(order);
    BOOST_TEST(search.labels()[o] == order[0].second);
    BOOST_TEST(static_cast<double>(search.nearest()[o]) == order[0].first);
    if (order.size() > 1) BOOST_TEST(static_cast<double>(search.second_nearest()[o]) == order[1].first);
    BOOST_TEST(search.is_medoid(o) == (std::ranges::find(medoids, o) != medoids.end()));
  }
  for (std::size_t position = 0; medoids.size() > 1 && position < medoids.size(); ++position) {
    std::vector<std::size_t> rest = medoids;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(position));
    const double loss = reference::medoid_cost(distances, rest) - reference::medoid_cost(distances, medoids);
    BOOST_TEST(search.unit().to_double(search.removal_losses()[position]) == loss);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(medoid_searcher)

BOOST_AUTO_TEST_CASE(state_is_that_of_a_count_from_scratch_after_any_walk) {
  random_stream random(1);
  for (const std::uint64_t steps : {2u, 64u, 1u << 14}) {
    const std::size_t size = 67;
    const tensor<float, 2> distances = random_distances(size, steps, random);
    const reference::distance_table table = to_table(distances.view());
    const resident_distances source(distances.view());
    searcher search(cpu_context(2), source);
    search.assign(first_rows(size, 4, random));
    for (int step = 0; step < 200; ++step) {
      const std::size_t k = search.medoids().size();
      std::size_t row = random.below(size);
      while (search.is_medoid(row)) row = (row + 1) % size;
      const std::uint64_t choice = random.below(4);
      if (choice == 0 && k < 9) {
        search.add(row);
      } else if (choice == 1 && k > 1) {
        search.remove(random.below(k));
      } else {
        search.swap({.position = random.below(k), .candidate = row});
      }
      check_state(search, table);
    }
  }
}

BOOST_AUTO_TEST_CASE(medoids_of_itself_can_be_assigned) {
  random_stream random(2);
  const tensor<float, 2> distances = random_distances(20, 8, random);
  const resident_distances source(distances.view());
  searcher search(cpu_context(1), source);
  search.assign(std::vector<std::size_t>{3, 1, 7});
  search.assign(search.medoids());
  check_state(search, to_table(distances.view()));
  BOOST_TEST(search.medoids().size() == 3u);
}

BOOST_AUTO_TEST_CASE(best_addition_is_that_of_trying_all) {
  random_stream random(3);
  for (const cpu_context& context : cluster_contexts()) {
    for (const std::uint64_t steps : {1u, 4u, 1024u}) {
      const std::size_t size = 50;
      const tensor<float, 2> distances = random_distances(size, steps, random);
      const reference::distance_table table = to_table(distances.view());
      const resident_distances source(distances.view());
      searcher search(context, source);
      for (std::size_t k = 0; k < 5; ++k) {
        std::vector<std::size_t> medoids(search.medoids().begin(), search.medoids().end());
        double least = std::numeric_limits<double>::infinity();
        std::size_t best = 0;
        for (std::size_t row = 0; row < size; ++row) {
          if (search.is_medoid(row)) continue;
          medoids.push_back(row);
          if (reference::medoid_cost(table, medoids) < least) {
            least = reference::medoid_cost(table, medoids);
            best = row;
          }
          medoids.pop_back();
        }
        const auto found = search.best_addition({}, {});
        BOOST_TEST_REQUIRE(found.has_value());
        BOOST_TEST(found->candidate == best);
        search.add(best);
        BOOST_TEST(search.unit().to_double(search.cost()) == least);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(best_addition_over_a_sample_counts_the_sample_only) {
  random_stream random(4);
  const tensor<float, 2> distances = random_distances(40, 32, random);
  const resident_distances source(distances.view());
  searcher search(cpu_context(2), source);
  search.assign(std::vector<std::size_t>{0, 5});
  const std::vector<std::size_t> candidates{5, 9, 30, 2};  // 5 is a medoid and is passed over
  const std::vector<std::size_t> points{1, 2, 3, 20, 39};
  std::size_t best = 0;
  double most = -1;
  for (const std::size_t candidate : {9, 30, 2}) {
    double gain = 0;
    for (const std::size_t o : points) {
      gain += std::max(0.0, static_cast<double>(search.nearest()[o]) - static_cast<double>(distances(candidate, o)));
    }
    if (gain > most) {
      most = gain;
      best = candidate;
    }
  }
  const auto found = search.best_addition(candidates, points);
  BOOST_TEST_REQUIRE(found.has_value());
  BOOST_TEST(found->candidate == best);
  BOOST_TEST(search.unit().to_double(found->gain) == most);
  BOOST_TEST(!search.best_addition(std::vector<std::size_t>{0, 5}, points).has_value());
}

BOOST_AUTO_TEST_CASE(swaps_are_those_of_the_scalar_reference_one_by_one) {
  random_stream random(5);
  for (const std::size_t size : {2, 15, 63, 64, 65, 130}) {
    for (const std::size_t k : {1, 2, 5}) {
      if (k > size) continue;
      for (const std::uint64_t steps : {3u, 4096u}) {
        const tensor<float, 2> distances = random_distances(size, steps, random);
        const reference::distance_table table = to_table(distances.view());
        const std::vector<std::size_t> start = first_rows(size, k, random);
        std::vector<std::size_t> expected = start;
        const std::size_t swaps = reference::eager_swaps(table, expected);
        for (const cpu_context& context : cluster_contexts()) {
          const resident_distances source(distances.view());
          searcher search(context, source);
          search.assign(start);
          const auto outcome = detail::improve_by_swaps(search, {100, 100000, {}, nullptr});
          BOOST_TEST(outcome.converged);
          BOOST_TEST(outcome.swaps == swaps);
          BOOST_TEST(std::vector(search.medoids().begin(), search.medoids().end()) == expected,
                     boost::test_tools::per_element());
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_swap_lowers_the_cost_by_what_it_says) {
  random_stream random(6);
  const tensor<float, 2> distances = random_distances(300, 1u << 20, random);
  const resident_distances source(distances.view());
  for (const cpu_context& context : cluster_contexts()) {
    searcher search(context, source);
    search.assign(first_rows(300, 12, random));
    std::size_t next = 0;
    while (const auto swap = search.first_improving_swap(next, 300)) {
      BOOST_TEST(swap->change < 0);
      BOOST_TEST(swap->candidate >= next);
      const std::int64_t before = search.cost();
      search.swap(*swap);
      BOOST_TEST(search.cost() == before + swap->change);
      next = swap->candidate + 1;
    }
    BOOST_TEST(next > 0u);
  }
}

BOOST_AUTO_TEST_CASE(the_first_improving_candidate_is_found_though_a_later_one_is_found_sooner) {
  // Only rows 47 and 48 improve. Threads that share the scan begin at 32 and take 16 rows each; the one that has row 47
  // waits until the one that has row 48 must be done.
  const std::size_t size = 100;
  tensor<float, 2> distances({size, size});
  std::ranges::fill(distances, 1.0f);
  for (std::size_t i = 0; i < size; ++i) distances(i, i) = 0;
  for (const std::size_t better : {47, 48}) {
    for (std::size_t o = 60; o < 80; ++o) distances(better, o) = 0.5f;
  }
  const waiting_distances source{distances.view()};
  for (const std::size_t threads : {2, 5}) {
    medoid_searcher_for<cpu_context, waiting_distances> search(cpu_context(threads), source);
    search.assign(std::vector<std::size_t>{size - 1});
    source.later_row_was_read = false;
    source.armed = true;
    const auto swap = search.first_improving_swap(0, size);
    source.armed = false;
    BOOST_TEST_REQUIRE(swap.has_value());
    BOOST_TEST(swap->candidate == 47u);
    BOOST_TEST(search.unit().to_double(swap->change) == -10.0);
  }
}

BOOST_AUTO_TEST_SUITE_END()
