// Scores to probabilities: scores whose densities are known, monotony, the smallest samples, JSON.
#include <imgsim/evaluate/score_calibration.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>

using namespace imgsim;

namespace {

std::vector<double> normal_scores(random_stream& random, std::size_t count, double mean) {
  std::vector<double> scores(count);
  for (double& score : scores) score = mean + random.normal();
  return scores;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(score_calibrations)

/// Of fresh pairs told a probability near p, about a share p is positive: within five deviations of the binomial
/// counts of the pairs it was fitted to and of those it is tried on.
BOOST_AUTO_TEST_CASE(probabilities_of_known_densities_are_met) {
  constexpr std::size_t kFitted = 4000, kTried = 40000, kBins = 10;
  random_stream random(1);
  const score_calibration fitted =
      fit_score_calibration(normal_scores(random, kFitted, 1.5), normal_scores(random, kFitted, 0));
  for (const double prior : {0.5, 0.1}) {
    std::array<double, kBins> told{}, positive{}, pairs{};
    for (std::size_t i = 0; i < kTried; ++i) {
      const bool is_positive = random.uniform() < prior;
      const double p = fitted.probability((is_positive ? 1.5 : 0.0) + random.normal(), prior);
      const auto bin = std::min(static_cast<std::size_t>(p * kBins), kBins - 1);
      told[bin] += p;
      positive[bin] += is_positive ? 1 : 0;
      ++pairs[bin];
    }
    for (std::size_t bin = 0; bin < kBins; ++bin) {
      if (pairs[bin] < 200) continue;
      const double share = pairs[bin] / kTried;
      const double bound = 5 * 0.5 * (1 / std::sqrt(pairs[bin]) + 1 / std::sqrt(2 * kFitted * share));
      BOOST_TEST(std::abs(told[bin] - positive[bin]) / pairs[bin] < bound, "prior " << prior << " bin " << bin);
    }
  }
}

/// The likelihood ratio of two normal densities a distance d apart is exp(d s - d^2 / 2).
BOOST_AUTO_TEST_CASE(odds_follow_the_densities_where_there_are_pairs) {
  random_stream random(2);
  const score_calibration fitted =
      fit_score_calibration(normal_scores(random, 50000, 2), normal_scores(random, 50000, 0));
  for (const double score : {-0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5})
    BOOST_TEST(std::abs(fitted.log_likelihood_ratio(score) - (2 * score - 2)) < 0.25, score);
}

BOOST_AUTO_TEST_CASE(a_larger_score_is_never_less_likely) {
  random_stream random(3);
  std::vector<double> high = normal_scores(random, 50, 0.3), low = normal_scores(random, 70, 0);
  for (std::size_t i = 0; i < 20; ++i) high[i] = low[i] = std::round(high[i]);  // ties
  const score_calibration fitted = fit_score_calibration(high, low);
  double before = 0;
  for (double score = -5; score < 5; score += 0.01) {
    const double p = fitted.probability(score, 0.2);
    BOOST_TEST_REQUIRE(p >= before);
    before = p;
  }
}

BOOST_AUTO_TEST_CASE(odds_never_exceed_the_sample) {
  const std::vector<double> high(30, 0.9), low(99, 0.1);
  const score_calibration fitted = fit_score_calibration(high, low);
  // All 30 positives and the one imagined negative of 100: odds (30 / 31) / (1 / 100).
  BOOST_TEST(fitted.log_likelihood_ratio(1) == std::log(30.0 / 31 * 100), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(fitted.log_likelihood_ratio(-1) == std::log(1.0 / 31 / (99.0 / 100)), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(fitted.probability(1, 0.5) < 1);
  BOOST_TEST(std::isnan(fitted.probability(std::numeric_limits<double>::quiet_NaN(), 0.5)));
}

BOOST_AUTO_TEST_CASE(scores_that_say_nothing_leave_the_prior) {
  const std::vector<double> one{0.5};
  const score_calibration even = fit_score_calibration(one, one);
  BOOST_TEST(even.probability(0.5, 0.3) == 0.3, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(even.probability(0.9, 0.3) == 0.3, boost::test_tools::tolerance(1e-12));
  const std::vector<double> high{0.2}, low{0.7};  // the wrong way round
  BOOST_TEST(fit_score_calibration(high, low).probability(1, 0.5) == 0.5, boost::test_tools::tolerance(1e-12));
  BOOST_CHECK_THROW(static_cast<void>(fit_score_calibration(one, {})), invalid_argument);
  BOOST_CHECK_THROW(static_cast<void>(fit_score_calibration({}, one)), invalid_argument);
  const std::vector<double> nan{std::numeric_limits<double>::quiet_NaN()};
  BOOST_CHECK_THROW(static_cast<void>(fit_score_calibration(nan, one)), invalid_argument);
}

BOOST_AUTO_TEST_CASE(json_keeps_all_and_damage_is_refused) {
  random_stream random(4);
  const score_calibration fitted = fit_score_calibration(normal_scores(random, 100, 1), normal_scores(random, 300, 0));
  const score_calibration read = parse_score_calibration(to_json(fitted).dump());
  BOOST_TEST(read.scores == fitted.scores, boost::test_tools::per_element());
  BOOST_TEST(read.log_odds == fitted.log_odds, boost::test_tools::per_element());
  BOOST_TEST(read.positives == 100u);
  BOOST_TEST(read.negatives == 300u);
  for (const char* text :
       {"", "[]", "{}", R"({"score":"euclidean","positives":1,"negatives":1,"scores":[0],"log_odds":[0]})",
        R"({"score":"cosine","positives":1,"negatives":1,"scores":[0,1],"log_odds":[0]})",
        R"({"score":"cosine","positives":1,"negatives":1,"scores":[1,0],"log_odds":[0,1]})",
        R"({"score":"cosine","positives":1,"negatives":1,"scores":[0,1],"log_odds":[1,0]})",
        R"({"score":"cosine","positives":1,"negatives":1,"scores":[0,0],"log_odds":[0,1]})",
        R"({"score":"cosine","positives":-1,"negatives":1,"scores":[0],"log_odds":[0]})"})
    BOOST_CHECK_THROW(static_cast<void>(parse_score_calibration(text)), invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
