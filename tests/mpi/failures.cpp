// Where one rank fails, all do, and go on with what comes next.
#include <mpi.h>

#include <cstddef>
#include <limits>
#include <stdexcept>
#include <stop_token>
#include <string>

#include <boost/test/unit_test.hpp>

#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/cluster/cost_bound.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/mpi.hpp>

#include "mpi/support.hpp"

namespace {

struct two_hundred_rows {
  imgsim::mpi_context context{MPI_COMM_WORLD, imgsim::cpu_context(2)};
  imgsim::tensor<float, 2> all = hard_rows(200, 8, /*damaged=*/false);
  part_of mine{context, all};
  std::size_t last = context.ranks().size() - 1;  // the rank that fails
  bool fails = context.ranks().rank() == last;

  /// That this rank throws Own where it is the last, and remote_error naming that one otherwise; after which the ranks
  /// work together as before.
  template <class Own, class Work>
  void check_failure(Work&& work) {
    if (fails) {
      BOOST_CHECK_THROW(work(), Own);
    } else {
      BOOST_CHECK_EXCEPTION(work(), imgsim::mpi::remote_error,
                            [&](const auto& e) { return e.rank() == static_cast<int>(last); });
    }
    const imgsim::mpi::sharded_rows rows(context, mine.rows());
    BOOST_TEST(imgsim::mpi::neighbors(rows, imgsim::cosine{}, {.n = 2}).queries() == mine.count());
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(mpi_failures, two_hundred_rows)

BOOST_AUTO_TEST_CASE(a_callback_that_throws_in_any_turn_of_the_ring) {
  const imgsim::mpi::sharded_rows rows(context, mine.rows());
  for (std::size_t turn = 0; turn < context.ranks().size(); ++turn) {
    std::size_t calls = 0;
    const auto stop = [&](std::size_t, std::size_t) {
      if (fails && calls++ == turn) throw std::runtime_error("enough");
    };
    // A rank without rows is passed over, so that there are fewer turns than ranks.
    if (turn + 1 == context.ranks().size() && turn > 1) break;
    check_failure<std::runtime_error>(
        [&] { (void)imgsim::mpi::neighbors(rows, imgsim::cosine{}, {.n = 3, .on_progress = stop}); });
  }
}

BOOST_AUTO_TEST_CASE(a_stop_that_one_rank_is_asked_for) {
  const imgsim::mpi::sharded_rows rows(context, mine.rows());
  const imgsim::mpi::sharded_distances distances(rows, imgsim::cosine{});
  std::stop_source stop;
  if (fails) stop.request_stop();
  check_failure<imgsim::cancelled>(
      [&] { (void)imgsim::k_medoids(context, distances, {.k = 5, .stop = stop.get_token()}); });
}

BOOST_AUTO_TEST_CASE(a_row_that_one_rank_cannot_use) {
  imgsim::tensor<float, 2> damaged = hard_rows(200, 8, /*damaged=*/false);
  damaged(199, 3) = std::numeric_limits<float>::infinity();
  const part_of part(context, damaged);
  const imgsim::mpi::sharded_rows rows(context, part.rows());
  check_failure<imgsim::invalid_argument>([&] { const imgsim::mpi::sharded_distances none(rows, imgsim::cosine{}); });
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused_by_all) {
  const std::size_t width = fails && context.ranks().size() > 1 ? 7 : 8;
  const imgsim::matrix_view<const float> narrow(all.data(), {3, width}, {8, 1});
  if (context.ranks().size() > 1)
    BOOST_CHECK_THROW((imgsim::mpi::sharded_rows(context, narrow)), imgsim::invalid_argument);
  const imgsim::mpi::sharded_rows rows(context, mine.rows());
  const auto other = all.view().slice(fails ? 1 : 0, fails ? 4 : 5);
  if (context.ranks().size() > 1)
    BOOST_CHECK_EXCEPTION((void)imgsim::mpi::top_n(rows, other, imgsim::cosine{}, {.n = 2}), imgsim::invalid_argument,
                          [](const auto& e) { return std::string(e.what()).find("the same") != std::string::npos; });
  check_failure<imgsim::invalid_argument>([&] {
    const std::size_t too_narrow = fails ? 7 : 8;
    const imgsim::matrix_view<const float> queries(all.data(), {2, too_narrow}, {8, 1});
    (void)imgsim::mpi::top_n(rows, queries, imgsim::cosine{}, {.n = 2});
  });
}

BOOST_AUTO_TEST_CASE(ranks_that_ask_for_other_groups_are_refused_by_all) {
  if (context.ranks().size() == 1) return;
  const imgsim::mpi::sharded_rows rows(context, mine.rows());
  const imgsim::mpi::sharded_distances distances(rows, imgsim::cosine{});
  const auto tells = [](const auto& e) {
    return std::string(e.what()).find("do not ask the same") != std::string::npos;
  };
  const std::size_t k = fails ? 4 : 5;
  BOOST_CHECK_EXCEPTION((void)imgsim::k_medoids(context, distances, {.k = k}), imgsim::invalid_argument, tells);
  // One that is wrong in itself on one rank alone.
  const std::size_t none = fails ? 0 : 5;
  BOOST_CHECK_EXCEPTION((void)imgsim::k_medoids(context, distances, {.k = none}), imgsim::invalid_argument, tells);
  BOOST_CHECK_EXCEPTION((void)imgsim::choose_k(context, distances, {.k_max = k}), imgsim::invalid_argument, tells);
  const std::vector<std::size_t> medoids(k, 1);
  BOOST_CHECK_EXCEPTION((void)imgsim::groups_around(context, distances, medoids), imgsim::invalid_argument, tells);
  const std::vector<std::size_t> others{0, k};
  BOOST_CHECK_EXCEPTION((void)imgsim::groups_around(context, distances, others), imgsim::invalid_argument, tells);
  BOOST_CHECK_EXCEPTION((void)imgsim::bound_cost(context, distances, medoids), imgsim::invalid_argument, tells);
  BOOST_CHECK_EXCEPTION((void)imgsim::bound_cost(context, distances, others), imgsim::invalid_argument, tells);
  BOOST_CHECK_EXCEPTION((void)imgsim::bound_cost(context, distances, std::vector<std::size_t>{0, 1}, {.iterations = k}),
                        imgsim::invalid_argument, tells);
}

BOOST_AUTO_TEST_CASE(an_error_of_mpi_is_thrown) {
  BOOST_CHECK_EXCEPTION(
      context.ranks().broadcast(std::span<float>(), context.ranks().size() + 3), imgsim::backend_error,
      [](const auto& e) { return std::string(e.what()).starts_with("MPI: MPI_Bcast gave MPI_ERR_ROOT"); });
}

BOOST_AUTO_TEST_SUITE_END()
