// The program is started on several ranks, each of which runs every case.
#define BOOST_TEST_MODULE imgsim
#include <mpi.h>

#include <boost/test/unit_test.hpp>

namespace {

struct mpi_session {
  mpi_session() {
    int level = MPI_THREAD_SINGLE;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &level);
  }
  ~mpi_session() { MPI_Finalize(); }
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(mpi_session);
