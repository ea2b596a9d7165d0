#include <imgsim/model/training_time.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(training_time)

namespace {

struct outcome {
  std::size_t epochs = 0;
  std::size_t batches = 0;  // in all
  double elapsed = 0.0;
  double position = 0.0;
  double least_step = 1.0, most_step = 0.0;  // of the position, after the first epoch
};

/// A run on a clock of its own: a batch takes `each` seconds, the first of all `first` more, what follows an epoch
/// `after`; from epoch `slower_from` on a batch takes twice as long.
outcome run(double seconds, std::size_t batches, double each, double first = 0.0, double after = 0.0,
            std::size_t slower_from = 1'000'000) {
  imgsim::time_budget budget(seconds, batches, 20);
  outcome found;
  while (budget.begin_epoch(found.epochs, found.elapsed)) {
    double before = budget.position();
    for (std::size_t b = 0; b < budget.batches(); ++b) {
      found.elapsed += each * (found.epochs >= slower_from ? 2.0 : 1.0) + (found.batches++ == 0 ? first : 0.0);
      budget.end_batch(b + 1, found.elapsed);
      if (found.epochs > 0) {
        found.least_step = std::min(found.least_step, budget.position() - before);
        found.most_step = std::max(found.most_step, budget.position() - before);
      }
      before = budget.position();
    }
    found.elapsed += after;
    ++found.epochs;
    if (found.epochs > 100'000) break;
  }
  found.position = budget.position();
  return found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_budget_of_many_epochs_is_filled_with_whole_ones) {
  const outcome found = run(100.0, 10, 0.25, 1.0, 0.5);  // 3 seconds an epoch
  BOOST_TEST(found.batches == found.epochs * 10);
  BOOST_TEST(std::abs(found.elapsed - 100.0) <= 1.5 + 1e-9);  // half an epoch
  BOOST_TEST(std::abs(found.position - 1.0) < 1e-9);
  BOOST_TEST(found.most_step < 1.5 * found.least_step);  // the first epoch foretells what follows one badly
}

BOOST_AUTO_TEST_CASE(a_machine_that_slows_down_ends_in_time_all_the_same) {
  const outcome found = run(100.0, 10, 0.25, 0.0, 0.0, 10);  // 5 seconds an epoch from the tenth on
  BOOST_TEST(std::abs(found.elapsed - 100.0) <= 5.0);
  BOOST_TEST(std::abs(found.position - 1.0) < 1e-9);
}

BOOST_AUTO_TEST_CASE(a_budget_below_an_epoch_holds_a_part_of_one) {
  const outcome found = run(30.0, 1000, 0.25, 2.0);
  BOOST_TEST(found.epochs == 1u);
  BOOST_TEST(std::abs(found.elapsed - 30.0) <= 0.5);
  BOOST_TEST(std::abs(found.position - 1.0) < 1e-9);
}

BOOST_AUTO_TEST_CASE(a_budget_below_a_few_batches_ends_after_them) {
  const outcome found = run(0.1, 1000, 1.0);
  BOOST_TEST(found.epochs == 1u);
  BOOST_TEST(found.batches <= 6u);
}

BOOST_AUTO_TEST_CASE(an_epoch_of_one_batch_is_an_epoch) {
  const outcome found = run(10.0, 1, 0.5);
  BOOST_TEST(found.epochs == 20u);
  BOOST_TEST(std::abs(found.position - 1.0) < 1e-9);
}

BOOST_AUTO_TEST_CASE(a_resumed_run_goes_on_from_where_it_stood) {
  imgsim::time_budget budget(100.0, 10, 20);
  budget.restore(0.4);
  BOOST_TEST(budget.begin_epoch(5, 40.0));
  BOOST_TEST(budget.epochs() == 13u);  // 8 seconds each, 60 are left
  for (std::size_t epoch = 5; epoch < 13; ++epoch) {
    BOOST_TEST(budget.begin_epoch(epoch, 8.0 * static_cast<double>(epoch)));
    for (std::size_t b = 1; b <= 10; ++b) budget.end_batch(b, 0.0);
  }
  BOOST_TEST(!budget.begin_epoch(13, 104.0));
  BOOST_TEST(std::abs(budget.position() - 1.0) < 1e-9);
}

BOOST_AUTO_TEST_SUITE_END()
