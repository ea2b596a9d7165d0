// The MPI backend, whole: search and clustering over the ranks of a communicator of the caller's. Link imgsim::mpi.
#pragma once

#include <imgsim/mpi/cluster.hpp>
#include <imgsim/mpi/context.hpp>
#include <imgsim/mpi/search.hpp>
