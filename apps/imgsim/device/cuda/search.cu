// Search on a CUDA device, and the evaluation of encoders by what it finds.
#include "device/compute_on_evaluate.hpp"
#include "device/compute_on_search.hpp"
#include "device/cuda/usable_device.hpp"

#include <imgsim/cuda/search.cuh>

namespace imgsim::app {

void expect_usable_device() {
  int device = 0;
  IMGSIM_CUDA_CHECK(cudaGetDevice(&device));
  cudaDeviceProp properties{};
  IMGSIM_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
  const std::string name = std::string(properties.name) + " (compute capability " + std::to_string(properties.major) +
                           "." + std::to_string(properties.minor) + ")";
  if (properties.memoryPoolsSupported == 0) throw error(name + " has no stream-ordered memory");
  try {
    static_cast<void>(cuda::resident_blocks(cuda::zero_diagonal<float>, 256));
  } catch (const backend_error& reason) {
    throw error("this build has no code for " + name + ": " + reason.what());
  }
}

IMGSIM_INSTANTIATE_COMPUTE_SEARCH(cuda_context);
IMGSIM_INSTANTIATE_COMPUTE_EVALUATE(cuda_context);

}  // namespace imgsim::app
