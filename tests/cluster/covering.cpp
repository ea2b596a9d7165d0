// Groups of a guaranteed distance: the greedy rule, the least number of groups, and the swaps that follow.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/covering_medoids.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/search/similarity.hpp>

#include "cluster/support.hpp"

using namespace imgsim;
using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(covering)

BOOST_AUTO_TEST_CASE(every_member_is_within_the_distance) {
  random_stream random(1);
  for (const std::uint64_t steps : {4u, 1u << 20}) {
    const tensor<float, 2> distances = random_distances(60, steps, random);
    for (const double most : {0.0, 0.25, 0.4, 0.9, 2.0}) {
      const k_medoids_result found =
          covering_medoids(cpu_context(2), resident_distances(distances.view()), {.max_distance = most}).groups;
      BOOST_TEST(std::ranges::all_of(found.distances, [&](float d) { return static_cast<double>(d) <= most; }));
      for (std::size_t row = 0; row < 60; ++row)
        BOOST_TEST(found.distances[row] == distances(found.medoids[found.labels[row]], row));
      // No medoid is needless.
      for (std::size_t left_out = 0; left_out < found.medoids.size(); ++left_out) {
        bool all_covered = true;
        for (std::size_t o = 0; o < 60; ++o) {
          bool is_covered = false;
          for (std::size_t p = 0; p < found.medoids.size(); ++p)
            is_covered = is_covered || (p != left_out && static_cast<double>(distances(found.medoids[p], o)) <= most);
          all_covered = all_covered && is_covered;
        }
        BOOST_TEST(!all_covered);
      }
      if (most >= 1) BOOST_TEST(found.medoids.size() == 1u);
      if (most == 0) BOOST_TEST(found.medoids.size() == 60u);
    }
  }
}

namespace {

/// The greedy rule as it is told, ties to the smaller row, then without the medoids that later ones made needless.
std::vector<std::size_t> greedy_cover(const tensor<float, 2>& distances, double most) {
  const std::size_t size = distances.extent(0);
  const auto covers = [&](std::size_t row, std::size_t o) {
    return row == o || static_cast<double>(distances(row, o)) <= most;
  };
  std::vector<std::size_t> medoids;
  std::vector<std::size_t> times(size, 0);
  const auto count = [&](std::size_t row, std::size_t wanted) {
    std::size_t found = 0;
    for (std::size_t o = 0; o < size; ++o) found += covers(row, o) && times[o] == wanted ? 1 : 0;
    return found;
  };
  while (std::ranges::find(times, 0u) != times.end()) {
    std::size_t best = 0;
    for (std::size_t row = 1; row < size; ++row)
      if (count(row, 0) > count(best, 0)) best = row;
    medoids.push_back(best);
    for (std::size_t o = 0; o < size; ++o) times[o] += covers(best, o) ? 1 : 0;
  }
  std::erase_if(medoids, [&](std::size_t medoid) {
    if (count(medoid, 1) > 0) return false;
    for (std::size_t o = 0; o < size; ++o) times[o] -= covers(medoid, o) ? 1 : 0;
    return true;
  });
  std::ranges::sort(medoids);
  return medoids;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_cover_is_that_of_the_greedy_rule) {
  random_stream random(7);
  for (int table = 0; table < 60; ++table) {
    const std::size_t size = 5 + random.below(40);
    tensor<float, 2> distances({size, size});
    // Fifths, whose floats lie on either side of what is asked for: 0.4f is more than 0.4.
    for (float& d : distances) d = static_cast<float>(random.below(12)) / 5;
    for (const double most : {0.2, 0.4, 0.6, 1.4}) {
      const k_medoids_result found = covering_medoids(cpu_context(2), resident_distances(distances.view()),
                                                      {.max_distance = most, .max_passes = 0})
                                         .groups;
      BOOST_TEST(found.medoids == greedy_cover(distances, most), boost::test_tools::per_element());
      BOOST_TEST(std::ranges::all_of(found.distances, [&](float d) { return static_cast<double>(d) <= most; }));
    }
  }
}

namespace {

bool is_covered(const tensor<float, 2>& distances, std::span<const std::size_t> medoids, double most) {
  for (std::size_t o = 0; o < distances.extent(0); ++o)
    if (std::ranges::none_of(medoids,
                             [&](std::size_t m) { return m == o || static_cast<double>(distances(m, o)) <= most; }))
      return false;
  return true;
}

double cost_of(const tensor<float, 2>& distances, std::span<const std::size_t> medoids) {
  double cost = 0;
  for (std::size_t o = 0; o < distances.extent(0); ++o) {
    double nearest = std::ranges::find(medoids, o) != medoids.end() ? 0 : std::numeric_limits<double>::infinity();
    for (const std::size_t m : medoids) nearest = std::min(nearest, static_cast<double>(distances(m, o)));
    cost += nearest;
  }
  return cost;
}

/// The fewest medoids that cover all, by trying every subset.
std::size_t fewest_medoids(const tensor<float, 2>& distances, double most) {
  const std::size_t size = distances.extent(0);
  std::size_t fewest = size;
  for (std::uint32_t subset = 1; subset < (1u << size); ++subset) {
    std::vector<std::size_t> medoids;
    for (std::size_t row = 0; row < size; ++row)
      if ((subset >> row & 1u) != 0) medoids.push_back(row);
    if (medoids.size() < fewest && is_covered(distances, medoids, most)) fewest = medoids.size();
  }
  return fewest;
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_cover_has_fewer_medoids_than_the_least) {
  random_stream random(11);
  std::size_t met = 0;
  for (int table = 0; table < 40; ++table) {
    const tensor<float, 2> points = blobs(10, 2, 4, 3, random);
    const tensor<float, 2> distances = euclidean_distances(points.view());
    for (const double most : {0.5, 1.5, 3.0, 6.0}) {
      const covering_result found =
          covering_medoids(cpu_context(1), resident_distances(distances.view()), {.max_distance = most});
      const std::size_t fewest = fewest_medoids(distances, most);
      BOOST_TEST(found.least_k <= fewest);
      BOOST_TEST(found.groups.medoids.size() >= fewest);
      BOOST_TEST(is_covered(distances, found.groups.medoids, most));
      met += found.least_k == fewest ? 1 : 0;
    }
  }
  BOOST_TEST(met > 120u);  // of 160: of few points it is nearly always the fewest
}

BOOST_AUTO_TEST_CASE(weights_bound_covers_of_balls_that_all_overlap) {
  // Points on a circle, each within the distance of two on either side: no two of them are apart in a circle of 9, and
  // two balls of 5 cover it. Of 23 points, 4.6 balls' worth.
  for (const std::size_t size : {5u, 9u, 23u, 100u}) {
    ball_lists balls;
    for (std::uint32_t p = 0; p < size; ++p) {
      std::vector<std::uint32_t> ball;
      for (std::uint32_t step = 0; step < 5; ++step)
        ball.push_back(static_cast<std::uint32_t>((p + size + step - 2) % size));
      balls.add(ball);
    }
    BOOST_TEST(least_cover(balls) == (size + 4) / 5);
  }
  BOOST_TEST(least_cover(ball_lists()) == 0u);
  ball_lists empty;
  empty.add({});
  BOOST_CHECK_THROW((void)least_cover(empty), invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_better_medoid_that_leaves_all_covered_is_taken) {
  random_stream random(12);
  std::size_t cheaper = 0;
  for (int table = 0; table < 20; ++table) {
    const tensor<float, 2> points = blobs(40, 3, 4, 2, random);
    const tensor<float, 2> distances = euclidean_distances(points.view());
    for (const double most : {1.0, 2.5, 20.0}) {
      const covering_options options{.max_distance = most};
      covering_options greedy = options;
      greedy.max_passes = 0;
      const resident_distances source(distances.view());
      const k_medoids_result first = covering_medoids(cpu_context(1), source, greedy).groups;
      const k_medoids_result found = covering_medoids(cpu_context(2), source, options).groups;
      BOOST_TEST(is_covered(distances, found.medoids, most));
      BOOST_TEST(found.medoids.size() <= first.medoids.size());
      if (found.medoids.size() == first.medoids.size()) BOOST_TEST(found.cost <= first.cost);
      cheaper += found.cost < first.cost ? 1 : 0;
      BOOST_TEST(found.cost == cost_of(distances, found.medoids), boost::test_tools::tolerance(1e-6));
      // The best place of each candidate is the only one that is tried.
      for (std::size_t row = 0; row < 40; ++row) {
        if (std::ranges::find(found.medoids, row) != found.medoids.end()) continue;
        std::vector<std::size_t> best;
        for (std::size_t position = 0; position < found.medoids.size(); ++position) {
          std::vector<std::size_t> swapped = found.medoids;
          swapped[position] = row;
          if (best.empty() || cost_of(distances, swapped) < cost_of(distances, best)) best = swapped;
        }
        if (is_covered(distances, best, most)) BOOST_TEST(cost_of(distances, best) >= found.cost * (1 - 1e-6));
      }
    }
  }
  BOOST_TEST(cheaper > 20u);
}

BOOST_AUTO_TEST_CASE(a_cover_is_the_same_of_embeddings_and_of_a_table_on_any_number_of_threads) {
  random_stream random(13);
  const tensor<float, 2> points = blobs(300, 6, 5, 2, random);
  tensor<float, 2> table({300, 300});
  distance_matrix(cpu_context(1), points.view(), cosine{}, table.view());
  const resident_distances resident(std::as_const(table).view(), distance_bound(points.view(), cosine{}));
  std::size_t swaps = 0;
  for (const double most : {0.01, 0.05, 0.3}) {
    const covering_options options{.max_distance = most};
    const covering_result expected = covering_medoids(cpu_context(1), resident, options);
    swaps += expected.groups.swaps;
    const auto check = [&](const covering_result& found) {
      BOOST_TEST(found.least_k == expected.least_k);
      BOOST_TEST(found.groups.medoids == expected.groups.medoids, boost::test_tools::per_element());
      BOOST_TEST(found.groups.labels == expected.groups.labels, boost::test_tools::per_element());
      BOOST_TEST(found.groups.cost == expected.groups.cost);
      BOOST_TEST(found.groups.swaps == expected.groups.swaps);
    };
    check(covering_medoids(cpu_context(4), resident, options));
    for (const std::size_t threads : {1u, 3u})
      check(covering_medoids(cpu_context(threads), embedding_distances(points.view(), cosine{}), options));
  }
  BOOST_TEST(swaps > 0u);
}

BOOST_AUTO_TEST_CASE(negative_distances_and_a_point_far_from_itself_are_covered) {
  tensor<float, 2> distances({3, 3});
  const float values[] = {-1, -1, 5, -1, -1, 5, 5, 5, 7};
  std::ranges::copy(values, distances.begin());
  const k_medoids_result found =
      covering_medoids(cpu_context(1), resident_distances(distances.view()), {.max_distance = 1}).groups;
  BOOST_TEST(found.medoids.size() == 2u);
  BOOST_TEST(std::ranges::max(found.distances) <= 1);
}

BOOST_AUTO_TEST_CASE(the_first_medoid_covers_the_most) {
  random_stream random(2);
  const tensor<float, 2> points = blobs(100, 4, 3, 20, random);
  const tensor<float, 2> distances = euclidean_distances(points.view());
  const k_medoids_result found =
      covering_medoids(cpu_context(1), resident_distances(distances.view()), {.max_distance = 12}).groups;
  BOOST_TEST(found.medoids.size() == 3u);
  BOOST_CHECK_THROW((void)covering_medoids(cpu_context(1), resident_distances(distances.view()), {.max_distance = -1}),
                    invalid_argument);
  BOOST_CHECK_THROW((void)covering_medoids(cpu_context(1), resident_distances(distances.view()),
                                           {.max_distance = std::numeric_limits<double>::quiet_NaN()}),
                    invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
