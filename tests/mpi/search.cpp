#include <imgsim/mpi/search.hpp>

#include <mpi.h>

#include <cstddef>
#include <cstdint>

#include <boost/test/unit_test.hpp>

#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/metric/euclidean.hpp>

#include "mpi/support.hpp"

BOOST_AUTO_TEST_SUITE(mpi_search)

namespace {

template <class Metric>
void check_search(const imgsim::mpi_context& context, std::size_t rows, std::size_t width, std::size_t n) {
  const imgsim::tensor<float, 2> all = hard_rows(rows, width, /*damaged=*/true);
  const part_of mine(context, all);
  const imgsim::mpi::sharded_rows shards(context, mine.rows());
  BOOST_TEST(shards.size() == rows);
  BOOST_TEST(shards.first_row() == mine.first());
  for (const bool exclude_self : {false, true}) {
    const imgsim::top_n_options options{.n = n, .exclude_self = exclude_self};
    const auto expected = imgsim::top_n(context.local(), all.view(), all.view(), Metric{}, options);
    const auto neighbors = imgsim::mpi::neighbors(shards, Metric{}, options);
    BOOST_TEST(neighbors.queries() == mine.count());
    check_equal(neighbors, expected, mine.first());
    check_equal(imgsim::mpi::top_n(shards, all.view(), Metric{}, options), expected, 0);
  }
  if (rows < 8) return;
  const imgsim::top_n_options some{.n = n, .exclude_self = true, .first_row = 5};
  const auto expected = imgsim::top_n(context.local(), all.view(), all.view().slice(5, 3), Metric{}, some);
  check_equal(imgsim::mpi::top_n(shards, all.view().slice(5, 3), Metric{}, some), expected, 0);
}

}  // namespace

BOOST_AUTO_TEST_CASE(ranks_find_what_one_finds) {
  const imgsim::mpi_context context(MPI_COMM_WORLD, imgsim::cpu_context(2));
  for (const std::size_t rows : {0, 1, 3, 40, 333}) {
    check_search<imgsim::cosine>(context, rows, 17, 6);
    check_search<imgsim::euclidean>(context, rows, 17, 6);
  }
  check_search<imgsim::cosine>(context, 50, 1, 3);
  check_search<imgsim::cosine>(context, 12, 9, 100);  // more than there are
  check_search<imgsim::cosine>(context, 12, 9, 0);
}

BOOST_AUTO_TEST_CASE(messages_of_the_caller_are_not_touched) {
  const imgsim::mpi_context context(MPI_COMM_WORLD);
  int rank = 0, size = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  // Under way all the while, from any rank with any tag.
  MPI_Request request = MPI_REQUEST_NULL;
  int received = -1, sent = rank;
  MPI_Irecv(&received, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &request);
  check_search<imgsim::cosine>(context, 40, 5, 3);
  MPI_Send(&sent, 1, MPI_INT, (rank + 1) % size, 0, MPI_COMM_WORLD);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  BOOST_TEST(received == (rank + size - 1) % size);
}

BOOST_AUTO_TEST_CASE(parts_of_the_job_work_apart) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm half = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, rank % 2, 0, &half);
  {
    const imgsim::mpi_context context(half);
    check_search<imgsim::euclidean>(context, rank % 2 == 0 ? 60 : 45, 8, 4);
  }
  MPI_Comm_free(&half);
}

/// docs/scaling.md, term by term.
BOOST_AUTO_TEST_CASE(messages_are_counted_as_the_model_has_them) {
  constexpr std::size_t kRows = 333, kWidth = 17, kQueries = 5, kWanted = 4, kStep = sizeof(int);
  const imgsim::mpi_context context(MPI_COMM_WORLD);
  const imgsim::mpi::communicator& ranks = context.ranks();
  const std::size_t size = ranks.size(), rank = ranks.rank();
  const bool alone = size == 1;
  const imgsim::tensor<float, 2> all = hard_rows(kRows, kWidth, /*damaged=*/false);
  const part_of mine(context, all);
  const imgsim::mpi::sharded_rows shards(context, mine.rows());
  const auto local = [&](std::size_t of) { return shards.first_row(of + 1) - shards.first_row(of); };

  imgsim::mpi::message_volume before = ranks.volume();
  (void)imgsim::mpi::neighbors(shards, imgsim::cosine{}, {.n = kWanted});
  imgsim::mpi::message_volume used = ranks.volume() - before;
  const std::size_t row = kWidth * sizeof(float), steps = alone ? 0 : (size + 1) * kStep;
  BOOST_TEST(used.received == (kRows - local(rank)) * row + steps);
  BOOST_TEST(used.sent == (kRows - local((rank + size - 1) % size)) * row * (alone ? 0 : 1) + steps);

  before = ranks.volume();
  (void)imgsim::mpi::top_n(shards, all.view().slice(0, kQueries), imgsim::cosine{}, {.n = kWanted});
  used = ranks.volume() - before;
  const std::size_t lists = kQueries * kWanted * (sizeof(double) + sizeof(std::int64_t)), request = 5 * 8;
  const std::size_t exchange = alone ? 0 : 3 * kStep;
  BOOST_TEST(used.sent == (alone ? 0 : lists + request) + exchange);
  BOOST_TEST(used.received == (lists + request) * (size - 1) + exchange);
  BOOST_TEST(used.calls == 6U);
}

BOOST_AUTO_TEST_SUITE_END()
