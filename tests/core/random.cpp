#include <imgsim/core/random.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(random_streams)

BOOST_AUTO_TEST_CASE(equal_seeds_agree_and_streams_differ) {
  imgsim::random_stream a(7, 1), b(7, 1), c(7, 2), d(8, 1);
  const auto first = a.next();
  BOOST_TEST(first == b.next());
  BOOST_TEST(first != c.next());
  BOOST_TEST(first != d.next());
}

BOOST_AUTO_TEST_CASE(below_is_uniform) {
  imgsim::random_stream random(3);
  constexpr int kDraws = 70000;
  std::vector<int> count(7);
  for (int i = 0; i < kDraws; ++i) ++count[random.below(7)];
  // Binomial with p = 1/7: five standard deviations.
  const double expected = kDraws / 7.0, bound = 5 * std::sqrt(expected * 6 / 7);
  for (const int n : count) BOOST_TEST(std::abs(n - expected) < bound);
}

BOOST_AUTO_TEST_CASE(normal_has_unit_variance) {
  imgsim::random_stream random(5);
  constexpr int kDraws = 100000;
  double sum = 0, squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
  }
  BOOST_TEST(std::abs(sum / kDraws) < 5 / std::sqrt(kDraws));
  BOOST_TEST(std::abs(squares / kDraws - 1) < 5 * std::sqrt(2.0 / kDraws));
}

BOOST_AUTO_TEST_CASE(a_permutation_holds_every_index_once) {
  auto order = imgsim::random_stream(11).permutation(1000);
  BOOST_TEST(!std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (std::size_t i = 0; i < order.size(); ++i) BOOST_TEST(order[i] == i);
}

BOOST_AUTO_TEST_SUITE_END()
