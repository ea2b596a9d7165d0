// Groups on a CUDA device.
#include "device/compute_on_cluster.hpp"

#include <imgsim/cuda/cluster.cuh>
#include <imgsim/cuda/context.hpp>

namespace imgsim::app {

IMGSIM_INSTANTIATE_COMPUTE_CLUSTER(cuda_context);

}  // namespace imgsim::app
