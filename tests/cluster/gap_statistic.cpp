// The gap statistic: groups are told from none, on data whose answer is known.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stop_token>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/gap_statistic.hpp>

#include "cluster/support.hpp"

using namespace imgsim;
using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(gaps)

namespace {

matrix_view<const float> read_only(const tensor<float, 2>& values) {
  return values.view();
}

tensor<float, 2> cloud(std::size_t size, std::size_t dimension, bool normal, random_stream& random) {
  tensor<float, 2> points({size, dimension});
  for (float& value : points) value = static_cast<float>(normal ? random.normal() : random.uniform());
  return points;
}

}  // namespace

BOOST_AUTO_TEST_CASE(uniform_and_normal_points_have_no_structure) {
  random_stream random(1);
  std::size_t trials = 0, false_alarms = 0, more_than_one = 0;
  for (const std::size_t dimension : {1, 2, 5, 20})
    for (const bool normal : {false, true})
      for (std::uint64_t seed = 0; seed < 5; ++seed) {
        const tensor<float, 2> points = cloud(150, dimension, normal, random);
        const gap_statistic_result found =
            gap_statistic(cpu_context(2), read_only(points), {.k_max = 10, .seed = seed});
        BOOST_TEST(found.curve.size() == 10u);
        ++trials;
        false_alarms += found.has_structure();
        more_than_one += found.k > 1;
      }
  BOOST_TEST(trials == 40u);
  BOOST_TEST(false_alarms <= 4u);  // the level allows 2 on average, of the uniform half 1
  BOOST_TEST(more_than_one <= 8u);
}

BOOST_AUTO_TEST_CASE(planted_groups_are_found_and_counted) {
  random_stream random(2);
  for (const std::size_t dimension : {2, 5, 20})
    for (const std::size_t groups : {2, 4, 7}) {
      const tensor<float, 2> points = blobs(150, dimension, groups, 10, random);
      const gap_statistic_result found = gap_statistic(cpu_context(2), read_only(points), {.k_max = 12});
      BOOST_TEST(found.has_structure());
      BOOST_TEST(found.p_value == 1.0 / 21);
      if (dimension >= 5) BOOST_TEST(found.k == groups);
      BOOST_TEST(found.curve[0].error > 0);
    }
}

BOOST_AUTO_TEST_CASE(the_gap_is_that_of_the_formula_and_threads_do_not_change_it) {
  // Two points, K = 1: W is their distance, W* that of two uniform points on the segment between them.
  tensor<float, 2> two({2, 1});
  two(1, 0) = 8;
  const gap_statistic_result found = gap_statistic(cpu_context(1), read_only(two), {.references = 4, .seed = 6});
  double mean = 0, square = 0;
  for (std::uint64_t set = 0; set < 4; ++set) {
    random_stream random(6, 1 + set);
    const auto a = static_cast<float>(random.uniform(0, 8));
    const auto b = static_cast<float>(random.uniform(0, 8));
    const double cost = std::log(static_cast<double>(static_cast<float>(std::abs(double{a} - double{b}))));
    mean += cost / 4;
    square += cost * cost / 4;
  }
  BOOST_TEST_REQUIRE(found.curve.size() == 1u);
  BOOST_TEST(found.curve[0].gap == mean - std::log(8), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(found.curve[0].error == std::sqrt((square - mean * mean) * 1.25), boost::test_tools::tolerance(1e-9));
  BOOST_TEST(found.k == 1u);
  BOOST_TEST(!found.has_structure());

  std::vector<std::size_t> told;
  const gap_statistic_result watched =
      gap_statistic(cpu_context(1), read_only(two),
                    {.references = 4, .seed = 6, .on_progress = [&](std::size_t done, std::size_t total) {
                       BOOST_TEST(total == 5u);
                       told.push_back(done);
                     }});
  BOOST_TEST(told == (std::vector<std::size_t>{1, 2, 3, 4, 5}), boost::test_tools::per_element());
  BOOST_TEST(watched.curve[0].gap == found.curve[0].gap);

  random_stream random(3);
  const tensor<float, 2> points = blobs(90, 4, 3, 3, random);
  const gap_statistic_result one = gap_statistic(cpu_context(1), read_only(points), {.k_max = 6});
  for (const cpu_context& context : cluster_contexts()) {
    const gap_statistic_result other = gap_statistic(context, read_only(points), {.k_max = 6});
    for (std::size_t i = 0; i < 6; ++i) BOOST_TEST(other.curve[i].gap == one.curve[i].gap);
    BOOST_TEST(other.p_value == one.p_value);
  }
}

BOOST_AUTO_TEST_CASE(the_rank_holds_each_set_against_the_others) {
  // Four points on a line, K up to 2: every cost by exhaustion, the mean without the set itself from the other sets.
  constexpr std::size_t kSets = 5;
  const auto log_costs = [](const std::vector<float>& line) {
    double one = 1e9, two = 1e9;
    for (std::size_t a = 0; a < 4; ++a)
      for (std::size_t b = 0; b < 4; ++b) {
        double to_one = 0, to_two = 0;
        for (const float at : line) {
          const auto to_a = static_cast<double>(std::abs(at - line[a]));
          to_one += to_a;
          to_two += std::min(to_a, static_cast<double>(std::abs(at - line[b])));
        }
        one = std::min(one, to_one);
        two = std::min(two, to_two);
      }
    return std::array{std::log(one), std::log(std::max(two, 1e-6 * one))};
  };
  std::size_t others_decide = 0;
  random_stream random(4);
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    tensor<float, 2> points({4, 1});
    for (float& value : points) value = static_cast<float>(random.uniform());
    const auto [low, high] = std::ranges::minmax_element(points);
    std::vector<std::array<double, 2>> drawn;
    for (std::size_t set = 0; set < kSets; ++set) {
      random_stream uniform(seed, 1 + set);
      std::vector<float> line(4);
      for (float& at : line)
        at = static_cast<float>(uniform.uniform(static_cast<double>(*low), static_cast<double>(*high)));
      drawn.push_back(log_costs(line));
    }
    // What the second group gains beyond the mean of the sets but one (none where `left_out` is kSets).
    const auto gain = [&](const std::array<double, 2>& costs, std::size_t left_out) {
      double mean = 0;
      for (std::size_t set = 0; set < kSets; ++set)
        if (set != left_out) mean += (drawn[set][1] - drawn[set][0]) / static_cast<double>(kSets - (left_out < kSets));
      return std::max(0.0, mean - (costs[1] - costs[0]));
    };
    const double own = gain(log_costs({points.begin(), points.end()}), kSets);
    std::size_t as_much = 0, by_the_mean_of_all = 0;
    for (std::size_t set = 0; set < kSets; ++set) {
      as_much += gain(drawn[set], set) >= own;
      by_the_mean_of_all += gain(drawn[set], kSets) >= own;
    }
    others_decide += as_much != by_the_mean_of_all;
    const gap_statistic_result found =
        gap_statistic(cpu_context(1), read_only(points), {.references = kSets, .seed = seed});
    BOOST_TEST(found.p_value == static_cast<double>(1 + as_much) / (1 + kSets));
  }
  BOOST_TEST(others_decide > 0u);
}

BOOST_AUTO_TEST_CASE(edges_and_refusals) {
  const cpu_context context(2);
  const tensor<float, 2> same({30, 3});
  const gap_statistic_result none = gap_statistic(context, read_only(same));
  BOOST_TEST(none.k == 1u);
  BOOST_TEST(!none.has_structure());
  BOOST_TEST(none.curve.size() == 15u);
  BOOST_TEST(gap_statistic(context, read_only(tensor<float, 2>({1, 3}))).curve.size() == 1u);
  tensor<float, 2> places({40, 2});  // 4 places of 10 equal points: a cost of 0 from K = 4 on
  for (std::size_t row = 0; row < 40; ++row) places(row, row % 2) = static_cast<float>(1 + row % 4);
  BOOST_TEST(gap_statistic(context, read_only(places)).has_structure());

  BOOST_CHECK_THROW((void)gap_statistic(context, read_only(tensor<float, 2>({0, 3}))), invalid_argument);
  BOOST_CHECK_THROW((void)gap_statistic(context, read_only(same), {.k_max = 0}), invalid_argument);
  BOOST_CHECK_THROW((void)gap_statistic(context, read_only(same), {.references = 1}), invalid_argument);
  tensor<float, 2> bad({30, 3});
  bad(4, 1) = std::numeric_limits<float>::infinity();
  BOOST_CHECK_THROW((void)gap_statistic(context, read_only(bad)), invalid_argument);
  std::stop_source stop;
  stop.request_stop();
  BOOST_CHECK_THROW((void)gap_statistic(context, read_only(places), {.stop = stop.get_token()}), cancelled);
}

BOOST_AUTO_TEST_SUITE_END()
