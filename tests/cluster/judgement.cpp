// Measures of a grouping: adjusted Rand index, silhouettes, Kneedle.
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/agreement.hpp>
#include <imgsim/cluster/kneedle.hpp>
#include <imgsim/cluster/silhouette.hpp>

#include "cluster/support.hpp"
#include "reference/silhouette.hpp"

using namespace imgsim;
using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(judgement)

namespace {

std::vector<std::uint32_t> random_labels(std::size_t size, std::size_t k, random_stream& random) {
  std::vector<std::uint32_t> labels(size);
  for (std::uint32_t& label : labels) label = static_cast<std::uint32_t>(random.below(k));
  return labels;
}

std::vector<std::size_t> widened(const std::vector<std::uint32_t>& labels) {
  return {labels.begin(), labels.end()};
}

std::vector<double> whole_numbers(std::size_t first, std::size_t count) {
  std::vector<double> x(count);
  for (std::size_t i = 0; i < count; ++i) x[i] = static_cast<double>(first + i);
  return x;
}

}  // namespace

BOOST_AUTO_TEST_CASE(rand_index_is_that_of_counting_pairs) {
  random_stream random(1);
  for (const std::size_t size : {2, 3, 10, 60}) {
    for (const std::size_t k : {1, 2, 5}) {
      const std::vector<std::uint32_t> a = random_labels(size, k, random);
      const std::vector<std::uint32_t> b = random_labels(size, 3, random);
      const double expected = reference::adjusted_rand_index(widened(a), widened(b));
      BOOST_TEST(std::abs(adjusted_rand_index(a, b) - expected) < 1e-12);
      BOOST_TEST(adjusted_rand_index(a, b) == adjusted_rand_index(b, a));
      BOOST_TEST(adjusted_rand_index(a, a) == 1.0);
    }
  }
}

BOOST_AUTO_TEST_CASE(rand_index_at_its_edges) {
  using labels = std::vector<std::uint32_t>;
  BOOST_TEST(adjusted_rand_index(labels{}, labels{}) == 1.0);
  BOOST_TEST(adjusted_rand_index(labels{7}, labels{0}) == 1.0);
  BOOST_TEST(adjusted_rand_index(labels{4, 4, 9}, labels{1, 1, 0}) == 1.0);  // names do not count
  BOOST_TEST(adjusted_rand_index(labels{0, 0, 0}, labels{0, 0, 0}) == 1.0);
  BOOST_TEST(adjusted_rand_index(labels{0, 1, 2}, labels{2, 1, 0}) == 1.0);
  BOOST_TEST(adjusted_rand_index(labels{0, 0, 0}, labels{0, 1, 2}) == 0.0);
  BOOST_CHECK_THROW((void)adjusted_rand_index(labels{0, 1}, labels{0}), invalid_argument);
}

BOOST_AUTO_TEST_CASE(silhouette_is_that_of_the_scalar_reference) {
  random_stream random(2);
  for (const std::size_t size : {2, 7, 40}) {
    for (const std::size_t k : {2, 3, 12}) {  // with groups that are empty, or hold one point
      const tensor<float, 2> distances = random_distances(size, 1u << 16, random);
      const std::vector<std::uint32_t> labels = random_labels(size, k, random);
      if (std::ranges::count(labels, labels[0]) == static_cast<std::ptrdiff_t>(size)) continue;
      const double expected = reference::silhouette(to_table(distances.view()), widened(labels), k);
      for (const cpu_context& context : cluster_contexts()) {
        BOOST_TEST(std::abs(silhouette(context, distances.view(), labels, k) - expected) <
                   1e-15 * static_cast<double>(size * size));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(silhouette_at_its_edges) {
  const cpu_context context(2);
  const tensor<float, 2> zeros({4, 4});
  using labels = std::vector<std::uint32_t>;
  BOOST_TEST(silhouette(context, zeros.view(), labels{0, 0, 1, 1}, 2) == 0.0);
  BOOST_TEST(silhouette(context, zeros.view(), labels{1, 1, 1, 1}, 2) == 0.0);
  BOOST_TEST(silhouette(context, tensor<float, 2>({0, 0}).view(), labels{}, 0) == 0.0);
  BOOST_CHECK_THROW((void)silhouette(context, zeros.view(), labels{0, 0, 1}, 2), invalid_argument);
  BOOST_CHECK_THROW((void)silhouette(context, zeros.view(), labels{0, 0, 1, 2}, 2), invalid_argument);
}

BOOST_AUTO_TEST_CASE(medoid_silhouette_is_a_mean_of_ratios) {
  using values = std::vector<float>;
  BOOST_TEST(medoid_silhouette(values{0, 1, 3}, values{2, 2, 3}) == 0.5);
  BOOST_TEST(medoid_silhouette(values{0, 0}, values{0, 5}) == 0.5);  // on both medoids: 0
  BOOST_TEST(medoid_silhouette(values{}, values{}) == 0.0);
  BOOST_CHECK_THROW((void)medoid_silhouette(values{1}, values{}), invalid_argument);
}

BOOST_AUTO_TEST_CASE(kneedle_finds_the_corner_of_two_lines) {
  for (const std::size_t corner : {1, 4, 9, 17}) {
    std::vector<double> y(20);
    for (std::size_t i = 0; i < y.size(); ++i) {
      y[i] = i < corner ? 100.0 - 90.0 * static_cast<double>(i) / static_cast<double>(corner)
                        : 10.0 - 0.1 * static_cast<double>(i - corner);
    }
    const auto elbow = kneedle(whole_numbers(2, 20), y);
    BOOST_TEST_REQUIRE(elbow.has_value());
    BOOST_TEST(elbow->position == corner);
    BOOST_TEST(elbow->x == static_cast<double>(corner + 2));
    const double across = static_cast<double>(corner) / 19;
    const double down = (y[corner] - y[19]) / (y[0] - y[19]);
    BOOST_TEST(elbow->strength == 1 - across - down, boost::test_tools::tolerance(1e-12));
  }
}

BOOST_AUTO_TEST_CASE(kneedle_finds_the_elbow_of_the_paper) {
  // Figure 2 of the paper, turned over: y = 5 - (-1 / x + 5) on x = 0.1 .. 1 falls most below its chord at sqrt(0.1).
  std::vector<double> x;
  std::vector<double> y;
  for (int i = 0; i < 10; ++i) {
    x.push_back(0.1 * (i + 1));
    y.push_back(1 / x.back());
  }
  const auto elbow = kneedle(x, y);
  BOOST_TEST_REQUIRE(elbow.has_value());
  BOOST_TEST(elbow->position == 2u);  // x = 0.3, nearest below 0.316
}

BOOST_AUTO_TEST_CASE(kneedle_may_find_nothing) {
  const std::vector<double> x = whole_numbers(1, 6);
  using values = std::vector<double>;
  BOOST_TEST(!kneedle(x, values{6, 5, 4, 3, 2, 1}));  // a line
  random_stream random(1);
  for (int line = 0; line < 200; ++line) {  // as rounding leaves them, with no sensitivity to it
    const double begin = 100 * random.uniform(), slope = random.uniform();
    values y;
    for (const double at : whole_numbers(2, 60)) y.push_back(begin - slope * at);
    BOOST_TEST(!kneedle(whole_numbers(2, 60), y, 0));
  }
  BOOST_TEST(!kneedle(x, values{1, 2, 3, 4, 5, 6}));        // rises
  BOOST_TEST(!kneedle(x, values{3, 3, 3, 3, 3, 3}));        // flat
  BOOST_TEST(!kneedle(x, values{36, 35, 32, 27, 20, 11}));  // bends the other way
  BOOST_TEST(!kneedle(values{1, 2}, values{2, 1}));
  BOOST_TEST(!kneedle(values{}, values{}));
  BOOST_TEST(kneedle(x, values{10, 4, 3, 2, 1, 0}, 1.0).has_value());
  BOOST_TEST(!kneedle(x, values{10, 4, 3, 2, 1, 0}, 3.0));  // not sharp enough for that sensitivity
}

BOOST_AUTO_TEST_CASE(kneedle_returns_the_strongest_of_two) {
  std::vector<double> y;  // a corner at 3, a plateau, a larger fall to a corner at 13
  for (int i = 0; i <= 3; ++i) y.push_back(100 - 10 * i);
  for (int i = 4; i <= 10; ++i) y.push_back(70 - 0.1 * i);
  for (int i = 11; i <= 13; ++i) y.push_back(69 - 20 * (i - 10));
  for (int i = 14; i <= 30; ++i) y.push_back(9 - 0.1 * (i - 13));
  const auto elbow = kneedle(whole_numbers(0, y.size()), y);
  BOOST_TEST_REQUIRE(elbow.has_value());
  BOOST_TEST(elbow->position == 13u);
}

BOOST_AUTO_TEST_CASE(kneedle_refuses_what_is_no_curve) {
  using values = std::vector<double>;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_CHECK_THROW((void)kneedle(values{1, 2, 3}, values{3, 2}), invalid_argument);
  BOOST_CHECK_THROW((void)kneedle(values{1, 1, 3}, values{3, 2, 1}), invalid_argument);
  BOOST_CHECK_THROW((void)kneedle(values{1, 2, 3}, values{3, nan, 1}), invalid_argument);
  BOOST_CHECK_THROW((void)kneedle(values{1, 2, 3}, values{3, 2, 1}, -1), invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
