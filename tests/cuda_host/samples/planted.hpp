// How the tests launch the kernels of planted.cuh.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

namespace imgsim_test {

/// What the kernels work on, in device memory: `from` holds 256 floats, `to` 64, `counters` two zeros.
struct planted_arguments {
  const float* from;
  float* to;
  unsigned* counters;
};

/// Queues the kernel of that name, with its mistake or, where it has one, as the correct twin. Throws
/// std::out_of_range for an unknown name.
void launch_planted(const std::string& name, bool correct, const planted_arguments& arguments, cudaStream_t stream);

}  // namespace imgsim_test
