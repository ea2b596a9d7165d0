#include <imgsim/model/schedule.hpp>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <tuple>

#include <boost/test/unit_test.hpp>

namespace {

/// Rounding of a handful of operations on numbers near the rate.
void check_rate(double actual, double expected) {
  BOOST_TEST(std::abs(actual - expected) <= 16 * std::numeric_limits<double>::epsilon() * expected,
             actual << " instead of " << expected);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schedule)

BOOST_AUTO_TEST_CASE(constant) {
  const imgsim::learning_rate rate(0.5, imgsim::constant_schedule{}, 10);
  for (const double progress : {0.0, 0.5, 9.99, 100.0}) BOOST_TEST(rate.at(progress) == 0.5);
}

BOOST_AUTO_TEST_CASE(cosine_rises_then_falls) {
  const imgsim::learning_rate rate(2.0, imgsim::cosine_schedule{.warm_up = 2.0, .final = 0.1}, 10);
  BOOST_TEST(rate.at(0.0) > 0.0);
  BOOST_TEST(rate.at(0.0) < 0.02);
  BOOST_TEST(rate.at(1.0) < rate.at(1.5));
  check_rate(rate.at(2.0), 2.0);
  check_rate(rate.at(4.0), 2.0 * (0.1 + 0.9 * 0.5 * (1.0 + std::cos(std::numbers::pi * 0.25))));
  check_rate(rate.at(6.0), 1.1);
  check_rate(rate.at(10.0), 0.2);
  check_rate(rate.at(12.0), 0.2);
  const imgsim::learning_rate plain(1.0, imgsim::cosine_schedule{}, 4);
  check_rate(plain.at(0.0), 1.0);
  check_rate(plain.at(2.0), 0.5);
  const imgsim::learning_rate all_warm_up(1.0, imgsim::cosine_schedule{.warm_up = 5.0}, 5);
  BOOST_TEST(std::isfinite(all_warm_up.at(5.0)));
}

BOOST_AUTO_TEST_CASE(step_and_exponential_change_between_epochs) {
  const imgsim::learning_rate step(1.0, imgsim::step_schedule{.every = 3.0, .factor = 0.1}, 10);
  check_rate(step.at(2.9), 1.0);
  check_rate(step.at(3.0), 0.1);
  check_rate(step.at(6.5), 0.01);
  const imgsim::learning_rate exponential(1.0, imgsim::exponential_schedule{.factor = 0.5}, 10);
  check_rate(exponential.at(0.9), 1.0);
  check_rate(exponential.at(1.0), 0.5);
  check_rate(exponential.at(3.2), 0.125);
}

BOOST_AUTO_TEST_CASE(plateau_waits_for_improvement) {
  imgsim::learning_rate rate(
      1.0, imgsim::plateau_schedule{.patience = 2, .factor = 0.5, .improvement = 0.01, .minimum = 0.2}, 100);
  rate.end_epoch(10.0);
  rate.end_epoch(9.0);
  rate.end_epoch(8.95);  // less than 1 % better
  check_rate(rate.at(3.0), 1.0);
  rate.end_epoch(9.5);
  check_rate(rate.at(4.0), 0.5);
  rate.end_epoch(8.0);
  rate.end_epoch(8.0);
  check_rate(rate.at(6.0), 0.5);
  rate.end_epoch(8.0);
  check_rate(rate.at(7.0), 0.25);
  for (int i = 0; i < 20; ++i) rate.end_epoch(8.0);
  check_rate(rate.at(30.0), 0.2);
}

BOOST_AUTO_TEST_CASE(plateau_takes_negative_losses) {
  imgsim::learning_rate rate(1.0, imgsim::plateau_schedule{.patience = 1, .factor = 0.5}, 10);
  rate.end_epoch(-1.0);
  rate.end_epoch(-2.0);
  check_rate(rate.at(2.0), 1.0);
  rate.end_epoch(-1.5);
  check_rate(rate.at(3.0), 0.5);
}

BOOST_AUTO_TEST_CASE(text_form_reads_back) {
  const imgsim::learning_rate_schedule all[] = {
      imgsim::constant_schedule{}, imgsim::cosine_schedule{.warm_up = 1.5, .final = 0.1},
      imgsim::step_schedule{.every = 7, .factor = 1.0 / 3.0}, imgsim::exponential_schedule{.factor = 0.9},
      imgsim::plateau_schedule{.patience = 3, .factor = 0.1, .improvement = 1e-5, .minimum = 0.0}};
  for (const auto& one : all) BOOST_TEST((imgsim::parse_schedule(imgsim::to_text(one)) == one));
  BOOST_TEST(imgsim::to_text(imgsim::cosine_schedule{.warm_up = 2, .final = 0.01}) == "cosine,warm_up=2,final=0.01");
  BOOST_TEST((imgsim::parse_schedule("step,factor=0.5") ==
              imgsim::learning_rate_schedule(imgsim::step_schedule{.factor = 0.5})));
}

BOOST_AUTO_TEST_CASE(bad_text_and_bad_numbers_are_refused) {
  for (const char* text : {"", "cosin", "cosine,warm_up", "cosine,warm_up=", "cosine,warm_up=x", "cosine,warm_up=-1",
                           "cosine,warm_up=nan", "cosine,every=3", "constant,factor=1", "step,,factor=1", "step,=1"}) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_CHECK_THROW(std::ignore = imgsim::parse_schedule(text), imgsim::invalid_argument);
    }
  }
  const auto refuses = [](double base, const imgsim::learning_rate_schedule& schedule) {
    BOOST_CHECK_THROW(imgsim::learning_rate(base, schedule, 1), imgsim::invalid_argument);
  };
  refuses(0.0, imgsim::constant_schedule{});
  refuses(-1.0, imgsim::constant_schedule{});
  refuses(std::nan(""), imgsim::constant_schedule{});
  refuses(1.0, imgsim::cosine_schedule{.final = 2.0});
  refuses(1.0, imgsim::step_schedule{.every = 0.0});
  refuses(1.0, imgsim::exponential_schedule{.factor = 0.0});
  refuses(1.0, imgsim::plateau_schedule{.factor = 1.0});
}

BOOST_AUTO_TEST_SUITE_END()
