// Intervals of means: coverage on samples whose mean is known, degenerate samples, seeds.
#include <imgsim/evaluate/bootstrap.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>

using namespace imgsim;

BOOST_AUTO_TEST_SUITE(bootstrap)

/// Of 400 intervals at 90 % about 360 hold the mean; five deviations of the binomial are 30, and the percentile
/// interval of 100 values is short by one part in a hundred.
BOOST_AUTO_TEST_CASE(intervals_hold_the_mean_as_often_as_they_say) {
  random_stream random(1);
  std::size_t held = 0;
  for (std::uint64_t trial = 0; trial < 400; ++trial) {
    std::vector<double> values(100);
    for (double& value : values) value = random.uniform();
    const interval sure = bootstrap_mean(values, {.seed = trial, .resamples = 400, .confidence = 0.9});
    if (sure.low <= 0.5 && 0.5 <= sure.high) ++held;
  }
  BOOST_TEST((held >= 326 && held <= 390), held << " of 400");
}

/// The interval of a mean of n values is about 2 * 1.96 deviations wide; 1000 resamples tell its ends within a tenth.
BOOST_AUTO_TEST_CASE(the_width_is_that_of_the_normal_law) {
  random_stream random(2);
  std::vector<double> values(2000);
  for (double& value : values) value = random.normal();
  const interval sure = bootstrap_mean(values);
  BOOST_TEST(std::abs((sure.high - sure.low) / (2 * 1.96 / std::sqrt(2000.0)) - 1) < 0.15);
}

BOOST_AUTO_TEST_CASE(values_that_are_missing_are_left_out) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST((bootstrap_mean(std::vector<double>{0.25, none, none, 0.25}) == interval{0.25, 0.25}));
  BOOST_TEST((bootstrap_mean(std::vector<double>{none, none}) == interval{0, 0}));
  BOOST_TEST((bootstrap_mean({}) == interval{0, 0}));
  BOOST_TEST((bootstrap_mean(std::vector<double>{0.7}) == interval{0.7, 0.7}));
}

BOOST_AUTO_TEST_CASE(equal_seeds_give_equal_intervals) {
  random_stream random(3);
  std::vector<double> values(50);
  for (double& value : values) value = random.uniform();
  BOOST_TEST((bootstrap_mean(values, {.seed = 4}) == bootstrap_mean(values, {.seed = 4})));
  BOOST_TEST((bootstrap_mean(values, {.seed = 4}) != bootstrap_mean(values, {.seed = 5})));
  BOOST_CHECK_THROW(static_cast<void>(bootstrap_mean(values, {.resamples = 0})), invalid_argument);
  BOOST_CHECK_THROW(static_cast<void>(bootstrap_mean(values, {.confidence = 1.0})), invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
