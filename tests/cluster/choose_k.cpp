// The curve over K and the choice: monotone, deterministic, right on planted groups, candid on data without any.
#include <algorithm>
#include <limits>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/choose_k.hpp>

#include "cluster/support.hpp"

using namespace imgsim;
using namespace imgsim_test;

namespace {

void check_curve(const choose_k_result& result, const tensor<float, 2>& distances, std::size_t k_min,
                 std::size_t k_max) {
  const reference::distance_table table = to_table(distances.view());
  BOOST_TEST_REQUIRE(result.curve.size() == k_max - k_min + 1);
  for (std::size_t i = 0; i < result.curve.size(); ++i) {
    const k_choice& choice = result.curve[i];
    BOOST_TEST(choice.k == k_min + i);
    BOOST_TEST(choice.medoids.size() == choice.k);
    BOOST_TEST(choice.cost == reference::medoid_cost(table, choice.medoids), boost::test_tools::tolerance(1e-12));
    // The search compares exact sums; the curve holds float64 sums of the same float32 values.
    if (i > 0) BOOST_TEST(choice.cost <= result.curve[i - 1].cost * (1 + 1e-12));
    BOOST_TEST(choice.medoid_silhouette >= 0);
    BOOST_TEST(choice.medoid_silhouette <= 1);
  }
  BOOST_TEST(!result.verdict.empty());
  BOOST_TEST(result.reason.back() == '.');
}

}  // namespace

BOOST_AUTO_TEST_SUITE(choose_k_whole)

BOOST_AUTO_TEST_CASE(planted_groups_are_counted) {
  random_stream random(1);
  for (const std::size_t groups : {3, 5, 10}) {
    for (const std::size_t dimension : {10, 40}) {
      const tensor<float, 2> distances = euclidean_distances(blobs(400, dimension, groups, 4, random).view());
      const choose_k_result result = choose_k(cpu_context(2), distances.view(), {.k_max = 40});
      check_curve(result, distances, 2, 40);
      BOOST_TEST(result.clear);
      BOOST_TEST(result.recommended_k == groups);
      BOOST_TEST(result.verdict == "elbow at K = " + std::to_string(groups));
    }
  }
}

BOOST_AUTO_TEST_CASE(data_without_groups_have_no_clear_elbow) {
  random_stream random(2);
  for (const std::size_t dimension : {2, 5, 30}) {
    for (const bool normal : {false, true}) {
      tensor<float, 2> points({400, dimension});
      for (float& value : points) value = static_cast<float>(normal ? random.normal() : random.uniform());
      const tensor<float, 2> distances = euclidean_distances(points.view());
      const choose_k_result result = choose_k(cpu_context(2), distances.view(), {.k_max = 60});
      check_curve(result, distances, 2, 60);
      BOOST_TEST(!result.clear);
      BOOST_TEST(result.verdict == "no clear elbow");
      if (result.elbow) BOOST_TEST(result.reason.find(" this is that of K = 2 to 60.") != std::string::npos);
      BOOST_TEST(result.reason.find("without groups") == std::string::npos);  // the gap statistic may find some
      BOOST_TEST(result.recommended_k >= 2u);
      BOOST_TEST(result.recommended_k <= 60u);
    }
  }
}

BOOST_AUTO_TEST_CASE(cost_never_rises_with_k_on_rugged_distances) {
  random_stream random(3);
  for (int trial = 0; trial < 30; ++trial) {  // random tables have many poor local optima
    const tensor<float, 2> distances = random_distances(40, 1u << 20, random);
    check_curve(choose_k(cpu_context(1), distances.view(), {.k_min = 1, .k_max = 40}), distances, 1, 40);
  }
}

BOOST_AUTO_TEST_CASE(threads_do_not_change_the_result) {
  random_stream random(4);
  const tensor<float, 2> distances = euclidean_distances(blobs(300, 3, 6, 3, random).view());
  const choose_k_result one = choose_k(cpu_context(1), distances.view(), {.k_max = 30, .seed = 9});
  for (const cpu_context& context : cluster_contexts()) {
    const choose_k_result other = choose_k(context, distances.view(), {.k_max = 30, .seed = 9});
    for (std::size_t i = 0; i < one.curve.size(); ++i) {
      BOOST_TEST(other.curve[i].cost == one.curve[i].cost);
      BOOST_TEST(other.curve[i].medoids == one.curve[i].medoids, boost::test_tools::per_element());
    }
    BOOST_TEST(other.reason == one.reason);
  }
}

BOOST_AUTO_TEST_CASE(identical_points_and_few_places) {
  // Of equal photos, the distances are 0 or what rounding leaves.
  for (const float rest : {0.0f, 1e-16f}) {
    tensor<float, 2> distances({20, 20});
    random_stream random(7);
    for (float& d : distances) d = static_cast<float>(random.below(3)) * rest;
    const resident_distances source(distances.view(), rest > 0 ? std::optional(2.0f) : std::nullopt);
    for (const std::size_t k_min : {1, 2, 5}) {
      const choose_k_result same = choose_k(cpu_context(1), source, {.k_min = k_min});
      BOOST_TEST(!same.clear);
      BOOST_TEST(same.recommended_k == 1u);
      BOOST_TEST(same.verdict == "no cluster structure");
      BOOST_TEST(!same.elbow.has_value());
      BOOST_TEST(!same.bend.has_value());
    }
  }
  tensor<float, 2> places({60, 60});  // 5 places at distance 1 from each other
  for (std::size_t i = 0; i < 60; ++i) {
    for (std::size_t o = 0; o < 60; ++o) places(i, o) = i % 5 == o % 5 ? 0.0f : 1.0f;
  }
  const choose_k_result five = choose_k(cpu_context(1), places.view(), {});
  BOOST_TEST(five.clear);
  BOOST_TEST(five.recommended_k == 5u);
  const choose_k_result from_five = choose_k(cpu_context(1), places.view(), {.k_min = 5});
  BOOST_TEST(!from_five.clear);
  BOOST_TEST(from_five.recommended_k == 5u);
  BOOST_TEST(from_five.verdict == "no error is left at K = 5");
  BOOST_TEST(!from_five.elbow.has_value());
}

BOOST_AUTO_TEST_CASE(a_range_of_one_k_and_two_points_leave_no_choice) {
  random_stream random(8);
  const tensor<float, 2> distances = euclidean_distances(blobs(40, 3, 4, 10, random).view());
  const choose_k_result one = choose_k(cpu_context(1), distances.view(), {.k_min = 4, .k_max = 4});
  BOOST_TEST(!one.clear);
  BOOST_TEST(one.recommended_k == 4u);
  BOOST_TEST(one.verdict == "only K = 4 was tried");
  BOOST_TEST(one.best_silhouette_k == 4u);
  tensor<float, 2> two({2, 2});
  two(0, 1) = two(1, 0) = 1;
  for (const std::size_t k_min : {1, 2}) {
    const choose_k_result few = choose_k(cpu_context(1), two.view(), {.k_min = k_min});
    BOOST_TEST(few.recommended_k == 1u);
    BOOST_TEST(few.verdict == "too few to choose");
  }
}

BOOST_AUTO_TEST_CASE(as_many_groups_as_points_are_never_the_best) {
  random_stream random(9);
  // Every point a medoid has silhouette 1, of any points.
  const tensor<float, 2> blobs_apart = euclidean_distances(blobs(30, 3, 3, 20, random).view());
  const choose_k_result three = choose_k(cpu_context(1), blobs_apart.view(), {});
  BOOST_TEST(three.curve.back().k == 30u);
  BOOST_TEST(three.best_silhouette_k == 3u);
  tensor<float, 2> alike({12, 12});
  for (std::size_t i = 0; i < 12; ++i)
    for (std::size_t o = 0; o < 12; ++o) alike(i, o) = i == o ? 0.0f : 1.0f;
  BOOST_TEST(choose_k(cpu_context(1), alike.view(), {}).recommended_k < 12u);
}

BOOST_AUTO_TEST_CASE(ranges_are_cut_to_the_points_or_refused) {
  random_stream random(5);
  const tensor<float, 2> distances = random_distances(7, 100, random);
  const cpu_context context(1);
  check_curve(choose_k(context, distances.view(), {}), distances, 2, 7);
  check_curve(choose_k(context, distances.view(), {.k_min = 3, .k_max = 3}), distances, 3, 3);
  check_curve(choose_k(context, distances.view(), {.k_min = 7, .k_max = 100}), distances, 7, 7);
  BOOST_CHECK_THROW((void)choose_k(context, distances.view(), {.k_min = 0}), invalid_argument);
  BOOST_CHECK_THROW((void)choose_k(context, tensor<float, 2>({0, 0}).view(), {}), invalid_argument);
  BOOST_CHECK_THROW((void)choose_k(context, distances.view(), {.k_min = 8}), invalid_argument);
  BOOST_CHECK_THROW((void)choose_k(context, distances.view(), {.k_min = 5, .k_max = 4}), invalid_argument);
}

BOOST_AUTO_TEST_CASE(progress_counts_up_and_a_stop_ends_it) {
  random_stream random(6);
  const tensor<float, 2> distances = random_distances(50, 1u << 20, random);
  std::size_t done = 0;
  choose_k_options options{.k_max = 20, .on_progress = [&](const choose_k_progress& p) {
                             BOOST_TEST(p.done == ++done);
                             BOOST_TEST(p.total == 19u);
                             BOOST_TEST(p.k == 21 - p.done);
                           }};
  (void)choose_k(cpu_context(1), distances.view(), options);
  BOOST_TEST(done == 19u);
  std::stop_source stop;
  options.stop = stop.get_token();
  options.on_progress = [&](const choose_k_progress&) { stop.request_stop(); };
  BOOST_CHECK_THROW((void)choose_k(cpu_context(1), distances.view(), options), cancelled);
}

BOOST_AUTO_TEST_SUITE_END()
