// The precision of a list of duplicates on differences whose law is known: pairs that differ fall off as a power.
#include <imgsim/evaluate/duplicate_threshold.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>

using namespace imgsim;

namespace {

constexpr double kFrom = 0.05;  // duplicates stay below

/// Pairs that differ: P(difference < r) = r^dimension, r <= 1.
std::vector<double> differing(random_stream& random, std::size_t count, double dimension) {
  std::vector<double> differences(count);
  for (double& difference : differences) difference = std::pow(1 - random.uniform(), 1 / dimension);
  std::ranges::sort(differences);
  return differences;
}

std::vector<double> joined(std::vector<double> a, const std::vector<double>& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::ranges::sort(a);
  return a;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(duplicate_threshold)

/// The estimate is asymptotically normal with the deviation that its lower end states: five of them.
BOOST_AUTO_TEST_CASE(the_dimension_is_found_within_its_stated_deviation) {
  random_stream random(1);
  for (const double dimension : {1.5, 3.0, 6.0}) {
    const std::vector<double> differences = differing(random, 20000, dimension);
    const auto tail = fit_false_match_tail(differences, kFrom);
    BOOST_TEST_REQUIRE(tail.has_value());
    BOOST_TEST(tail->window == kMostTailWindow);
    const double deviation = (tail->dimension - tail->least_dimension) / 1.645;
    BOOST_TEST(std::abs(tail->dimension - dimension) < 5 * deviation, dimension << " told as " << tail->dimension);
    BOOST_TEST(tail->difference_of(tail->expected_within(0.02)) == 0.02, boost::test_tools::tolerance(1e-9));
  }
}

/// A folder without duplicates: at precision .99 a report is not empty once in a hundred folders. Of 400 folders that
/// is 4, and more than 14 would be five deviations off.
BOOST_AUTO_TEST_CASE(folders_without_duplicates_report_nearly_none) {
  random_stream random(2);
  std::size_t reports = 0;
  for (int folder = 0; folder < 400; ++folder) {
    const std::vector<double> differences = differing(random, 5000, 2.0);
    const auto tail = fit_false_match_tail(differences, kFrom);
    BOOST_TEST_REQUIRE(tail.has_value());
    if (select_duplicates(differences, *tail, 0.99).pairs > 0) ++reports;
  }
  BOOST_TEST(reports <= 14u, reports << " of 400 folders");
}

/// Planted duplicates, a few of them beyond `from`, among many more pairs that differ: the pooled precision of 100
/// reports holds what was asked, and most of the planted are found.
BOOST_AUTO_TEST_CASE(reports_hold_the_precision_that_was_asked_for) {
  for (const double precision : {0.9, 0.99}) {
    random_stream random(3);
    double reported = 0, right = 0, planted = 0;
    for (int folder = 0; folder < 100; ++folder) {
      const std::vector<double> others = differing(random, 10000, 2.5);
      std::vector<double> duplicates(100);
      for (double& difference : duplicates) difference = 0.012 * std::abs(random.normal());
      duplicates.back() = 0.07;
      const std::vector<double> all = joined(others, duplicates);
      const auto tail = fit_false_match_tail(all, kFrom);
      BOOST_TEST_REQUIRE(tail.has_value());
      const duplicate_selection chosen = select_duplicates(all, *tail, precision);
      BOOST_TEST(chosen.precisions.size() == chosen.pairs);
      BOOST_TEST(std::ranges::is_sorted(chosen.precisions, std::ranges::greater{}));
      for (std::size_t i = 0; i < chosen.pairs; ++i) {
        BOOST_TEST_REQUIRE(chosen.precisions[i] >= precision);
        if (std::ranges::binary_search(duplicates, all[i]) || std::ranges::find(duplicates, all[i]) != duplicates.end())
          ++right;
      }
      reported += static_cast<double>(chosen.pairs);
      planted += 100;
    }
    // Binomial error of the share over all reports.
    BOOST_TEST(right / reported >= precision - 5 * std::sqrt(precision * (1 - precision) / reported));
    BOOST_TEST(right / planted > (precision > 0.95 ? 0.2 : 0.6), "recall " << right / planted);
  }
}

BOOST_AUTO_TEST_CASE(too_few_pairs_or_pairs_that_crowd_where_duplicates_lie_give_no_estimate) {
  random_stream random(4);
  BOOST_TEST(!fit_false_match_tail({}, kFrom));
  BOOST_TEST(!fit_false_match_tail(differing(random, kLeastTailWindow, 20), kFrom));
  BOOST_TEST(fit_false_match_tail(differing(random, 200, 4), kFrom).has_value());
  std::vector<double> crowded(1000);  // the denser the closer
  for (double& difference : crowded) difference = kFrom + 0.02 * std::pow(random.uniform(), 2);
  std::ranges::sort(crowded);
  BOOST_TEST(!fit_false_match_tail(crowded, kFrom));
  BOOST_TEST(!fit_false_match_tail(std::vector<double>(1000, 1.0), kFrom));
  BOOST_TEST(!fit_false_match_tail(std::vector<double>(1000, 0.0), kFrom));
  BOOST_CHECK_THROW(static_cast<void>(fit_false_match_tail({}, 0)), invalid_argument);
  const std::vector<double> falling{0.3, 0.2}, negative{-0.1, 0.2};
  BOOST_CHECK_THROW(static_cast<void>(fit_false_match_tail(falling, kFrom)), invalid_argument);
  BOOST_CHECK_THROW(static_cast<void>(fit_false_match_tail(negative, kFrom)), invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
