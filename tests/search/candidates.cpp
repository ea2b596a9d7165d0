// The lists of candidates: bounded, whatever is pushed.
#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/cpu/search/candidates.hpp>

using imgsim::cpu::candidate;
using imgsim::cpu::candidate_lists;

namespace {

/// Pushes rows with the given keys, known to within `error` until they are refined, and returns the N best.
std::vector<std::size_t> best_rows(const std::vector<double>& keys, double error, std::size_t wanted,
                                   std::size_t& refined) {
  candidate_lists lists(3, wanted, keys.size());
  const std::size_t limit = candidate_lists::bytes_for(wanted, keys.size()) / sizeof(candidate);
  const auto refine = [&](std::size_t query, std::span<candidate> list) {
    BOOST_TEST(query == 1u);
    for (candidate& each : list) {
      refined += each.is_canonical() ? 0 : 1;
      each.low = each.high = keys[each.row];
    }
  };
  imgsim::random_stream random(1);
  for (std::size_t row = 0; row < keys.size(); ++row) {
    const double middle = keys[row] + error * random.uniform(-1, 1);
    const candidate added{middle - error, middle + error, row};
    if (added.high >= lists.threshold(1)) lists.push(1, added, refine);
    BOOST_TEST_REQUIRE(lists[1].size() <= limit);
  }
  lists.prune(1);
  refine(1, lists[1]);
  lists.keep_best(1);
  std::ranges::sort(lists[1], candidate::better);
  std::vector<std::size_t> rows;
  for (const candidate& each : lists[1]) rows.push_back(each.row);
  BOOST_TEST(lists[0].empty());
  BOOST_TEST(lists[2].empty());
  return rows;
}

std::vector<std::size_t> expected_rows(const std::vector<double>& keys, std::size_t wanted) {
  std::vector<std::size_t> rows(keys.size());
  for (std::size_t r = 0; r < rows.size(); ++r) rows[r] = r;
  std::ranges::stable_sort(rows, [&](std::size_t a, std::size_t b) { return keys[a] > keys[b]; });
  rows.resize(std::min(wanted, rows.size()));
  return rows;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(candidates)

BOOST_AUTO_TEST_CASE(keep_the_best) {
  imgsim::random_stream random(2);
  std::vector<double> keys(5000);
  for (double& key : keys) key = random.uniform();
  for (const std::size_t wanted : {1, 2, 63, 64, 65, 500, 4999, 5000})
    for (const double error : {0.0, 1e-6, 0.01, 10.0}) {
      std::size_t refined = 0;
      const auto rows = best_rows(keys, error, wanted, refined);
      BOOST_TEST(rows == expected_rows(keys, wanted), boost::test_tools::per_element());
      if (error == 1e-6) BOOST_TEST(refined <= wanted + 20);  // the bounds alone rule out nearly all
      if (error == 0) BOOST_TEST(refined == 0u);
    }
}

BOOST_AUTO_TEST_CASE(keep_the_first_of_equals) {
  for (const double error : {0.0, 1.0}) {
    std::size_t refined = 0;
    const std::vector<double> equal(3000, 0.5);
    BOOST_TEST(best_rows(equal, error, 20, refined) == expected_rows(equal, 20), boost::test_tools::per_element());
    std::vector<double> rising(3000);
    for (std::size_t r = 0; r < 3000; ++r) rising[r] = static_cast<double>(r / 50);
    BOOST_TEST(best_rows(rising, error, 75, refined) == expected_rows(rising, 75), boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_SUITE_END()
