// Principal axes on a CUDA device.
#include "device/compute_on_fit.hpp"

#include <imgsim/cuda/context.hpp>

namespace imgsim::app {

IMGSIM_INSTANTIATE_COMPUTE_FIT(cuda_context);

}  // namespace imgsim::app
