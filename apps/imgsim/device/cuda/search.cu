// Search on a CUDA device, and the evaluation of encoders by what it finds.
#include "device/compute_on_evaluate.hpp"
#include "device/compute_on_search.hpp"

#include <imgsim/cuda/search.cuh>

namespace imgsim::app {

IMGSIM_INSTANTIATE_COMPUTE_SEARCH(cuda_context);
IMGSIM_INSTANTIATE_COMPUTE_EVALUATE(cuda_context);

}  // namespace imgsim::app
