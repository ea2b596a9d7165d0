// The context of several processes, outside imgsim's tree.
#include <mpi.h>

#include <imgsim/mpi/context.hpp>

std::size_t ranks_of(MPI_Comm communicator) {
  return imgsim::mpi_context(communicator).ranks().size();
}
