// The lower bound of the cost: below every optimum, and close to it.
#include <algorithm>
#include <limits>
#include <numeric>
#include <stop_token>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/cost_bound.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/metric/euclidean.hpp>

#include "cluster/support.hpp"
#include "reference/k_medoids.hpp"

using namespace imgsim;
using namespace imgsim_test;

namespace {

/// The cost of the best `k` medoids, by trying all.
double least_cost(const reference::distance_table& distances, std::size_t k) {
  std::vector<bool> taken(distances.size(), false);
  std::fill_n(taken.begin(), k, true);
  double least = std::numeric_limits<double>::infinity();
  do {
    std::vector<std::size_t> medoids;
    for (std::size_t row = 0; row < taken.size(); ++row)
      if (taken[row]) medoids.push_back(row);
    least = std::min(least, reference::medoid_cost(distances, medoids));
  } while (std::prev_permutation(taken.begin(), taken.end()));
  return least;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cost_bounds)

BOOST_AUTO_TEST_CASE(is_below_the_optimum_from_whatever_medoids_it_begins) {
  random_stream random(1);
  for (const std::size_t size : {3, 9, 14})
    for (const std::size_t k : {1, 2, 3})
      for (const std::uint64_t steps : {2u, 16u, 1u << 12}) {
        const tensor<float, 2> distances = random_distances(size, steps, random);
        const double least = least_cost(to_table(distances.view()), k);
        const std::vector<std::size_t> medoids = first_rows(size, k, random);
        const cost_bound bound = bound_cost(cpu_context(2), resident_distances(distances.view()), medoids);
        BOOST_TEST(bound.lower_bound <= least);
        BOOST_TEST(bound.cost == reference::medoid_cost(to_table(distances.view()), medoids));
        BOOST_TEST(bound.cost >= least);
      }
}

BOOST_AUTO_TEST_CASE(meets_the_cost_where_groups_are_clear) {
  random_stream random(2);
  const tensor<float, 2> points = blobs(200, 8, 5, 30, random);
  const embedding_distances source(points.view(), euclidean{});
  const k_medoids_result found = k_medoids(cpu_context(2), source, {.k = 5, .restarts = 3});
  const cost_bound bound = bound_cost(cpu_context(2), source, found.medoids);
  BOOST_TEST(bound.gap() <= 0.001);
  BOOST_TEST(bound.lower_bound > 0);
  const cost_bound rough = bound_cost(cpu_context(2), source, found.medoids, {.iterations = 1});
  BOOST_TEST(rough.lower_bound <= bound.lower_bound);
}

BOOST_AUTO_TEST_CASE(bad_medoids_have_a_wide_gap) {
  random_stream random(3);
  const tensor<float, 2> points = blobs(120, 6, 4, 30, random);
  const embedding_distances source(points.view(), euclidean{});
  const std::vector<std::size_t> one_group{0, 4, 8, 12};
  BOOST_TEST(bound_cost(cpu_context(1), source, one_group).gap() > 0.5);
}

/// Many medoids, each of which would save nearly all there is: their savings together are more than 64 bits hold.
BOOST_AUTO_TEST_CASE(many_bad_medoids_are_not_proved_good) {
  tensor<float, 2> distances({200, 200});
  for (std::size_t i = 0; i < 200; ++i)
    for (std::size_t o = 0; o < 200; ++o) distances(i, o) = (i < 100) == (o < 100) ? 0 : 1;
  std::vector<std::size_t> medoids(64);
  std::iota(medoids.begin(), medoids.end(), 100);
  const cost_bound bound = bound_cost(cpu_context(2), resident_distances(distances.view()), medoids);
  BOOST_TEST(bound.cost == 100);
  BOOST_TEST(bound.lower_bound == 0);
  BOOST_TEST(bound.gap() == 1);
}

BOOST_AUTO_TEST_CASE(threads_do_not_change_it) {
  random_stream random(4);
  const tensor<float, 2> distances = random_distances(150, 1u << 20, random);
  const std::vector<std::size_t> medoids = first_rows(150, 7, random);
  const cost_bound one = bound_cost(cpu_context(1), resident_distances(distances.view()), medoids);
  for (const cpu_context& context : cluster_contexts()) {
    const cost_bound other = bound_cost(context, resident_distances(distances.view()), medoids);
    BOOST_TEST(other.lower_bound == one.lower_bound);
    BOOST_TEST(other.iterations == one.iterations);
  }
}

BOOST_AUTO_TEST_CASE(edges) {
  const tensor<float, 2> zeros({6, 6});
  const resident_distances source(zeros.view());
  const std::vector<std::size_t> all{0, 1, 2, 3, 4, 5};
  BOOST_TEST(bound_cost(cpu_context(1), source, all).gap() == 0);
  BOOST_TEST(bound_cost(cpu_context(1), source, std::vector<std::size_t>{2}).lower_bound == 0);
  BOOST_CHECK_THROW((void)bound_cost(cpu_context(1), source, std::vector<std::size_t>{}), invalid_argument);
  BOOST_CHECK_THROW((void)bound_cost(cpu_context(1), source, std::vector<std::size_t>{6}), invalid_argument);
  random_stream random(5);
  const tensor<float, 2> some = random_distances(20, 100, random);
  std::stop_source stop;
  stop.request_stop();
  BOOST_CHECK_THROW((void)bound_cost(cpu_context(1), resident_distances(some.view()), std::vector<std::size_t>{1},
                                     {.stop = stop.get_token()}),
                    cancelled);
}

BOOST_AUTO_TEST_SUITE_END()
