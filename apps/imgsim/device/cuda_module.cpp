#include "device/cuda_module.hpp"

#include <dlfcn.h>

#include <imgsim/core/error.hpp>

namespace imgsim::app {

namespace {

/// The module's libraries are half a gigabyte: without a driver there is no need to map them to learn that.
void expect_driver() {
  void* const driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver == nullptr) throw error("there is no NVIDIA driver (" + std::string(dlerror()) + ")");
  dlclose(driver);
}

}  // namespace

const cuda_module& load_cuda_module() {
  expect_module(kCudaModule);
  if (chosen_module(kCudaModule) == nullptr) expect_driver();
  return *static_cast<const cuda_module*>(load_module(kCudaModule));
}

}  // namespace imgsim::app
