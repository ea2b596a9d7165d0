// Ends a test program, as skipped, on a machine without a CUDA device.
#include <cuda_runtime_api.h>

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>

namespace {

struct needs_device {
  needs_device() {
    int devices = 0;
    const cudaError_t status = cudaGetDeviceCount(&devices);
    if (status == cudaSuccess && devices > 0) return;
    std::printf("SKIPPED a test on a GPU: %s\n",
                status == cudaSuccess ? "there is no CUDA device" : cudaGetErrorString(status));
    std::exit(0);
  }
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(needs_device);
