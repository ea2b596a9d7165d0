#include <imgsim/mpi/search.hpp>

#include <mpi.h>

#include <cstddef>

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

BOOST_AUTO_TEST_SUITE_END()
