// Ends a test program, as skipped, on a machine without a CUDA device.
#include <cuda_runtime_api.h>

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

struct needs_device {
  needs_device() {
    int devices = 0;
    const cudaError_t status = cudaGetDeviceCount(&devices);
    if (status != cudaSuccess || devices == 0)
      skip(status == cudaSuccess ? "there is no CUDA device" : cudaGetErrorString(status));
    cudaDeviceProp properties{};
    if (cudaGetDeviceProperties(&properties, 0) != cudaSuccess) return;  // the tests will say
    const std::string capability = std::to_string(properties.major) + std::to_string(properties.minor);
    if (std::string(" " IMGSIM_CUDA_ARCHITECTURES " ").find(" " + capability + " ") == std::string::npos)
      skip("it is built for sm_" IMGSIM_CUDA_ARCHITECTURES ", the device is sm_" + capability +
           "; configure with IMGSIM_CUDA_ALL_ARCHITECTURES");
  }

 private:
  static void skip(const std::string& reason) {
    std::printf("SKIPPED a test on a GPU: %s\n", reason.c_str());
    std::exit(0);
  }
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(needs_device);
