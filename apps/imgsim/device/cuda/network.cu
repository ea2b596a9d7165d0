// Training and encoding on a CUDA device.
#include "device/compute_on_network.hpp"

#include <imgsim/cuda/context.hpp>
#include <imgsim/cuda/network.cuh>

namespace imgsim::app {

IMGSIM_INSTANTIATE_COMPUTE_NETWORK(cuda_context);

}  // namespace imgsim::app
