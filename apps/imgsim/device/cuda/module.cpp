// The CUDA backend's module: its devices, and compute on one of them. The other files hold the parts of compute_on.
#include <cuda_runtime_api.h>

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "device/compute_on.hpp"
#include "device/cuda/usable_device.hpp"
#include "device/cuda_module.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/cuda/context.hpp>

namespace imgsim::app {
namespace {

/// "Any error of cudaGetDeviceCount counts as no GPU": no driver, one that is too old, no device.
std::size_t count_devices() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess)
    throw error(std::string("no GPU can be used: ") + cudaGetErrorString(status) + " (CUDA error " +
                std::to_string(static_cast<int>(status)) + ")");
  if (count < 1) throw error("no GPU can be used: there is none");
  return static_cast<std::size_t>(count);
}

std::vector<std::string> device_names() {
  std::vector<std::string> names;
  for (std::size_t i = 0, count = count_devices(); i < count; ++i) {
    cudaDeviceProp properties{};
    IMGSIM_CUDA_CHECK(cudaGetDeviceProperties(&properties, static_cast<int>(i)));
    names.emplace_back(properties.name);
  }
  return names;
}

/// The stream of a device, made for it.
class owned_stream {
 protected:
  explicit owned_stream(std::size_t ordinal) {
    IMGSIM_CUDA_CHECK(cudaSetDevice(static_cast<int>(ordinal)));
    expect_usable_device();
    cudaStream_t made = nullptr;
    IMGSIM_CUDA_CHECK(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking));
    stream_.reset(made);
  }
  [[nodiscard]] cudaStream_t get() const noexcept { return stream_.get(); }

 private:
  struct destroyer {
    void operator()(cudaStream_t stream) const noexcept { static_cast<void>(cudaStreamDestroy(stream)); }
  };
  std::unique_ptr<std::remove_pointer_t<cudaStream_t>, destroyer> stream_;
};

class cuda_compute final : private owned_stream, public compute_on<cuda_context> {
 public:
  cuda_compute(std::size_t ordinal, std::size_t threads)
      : owned_stream(ordinal), compute_on(cuda_context(owned_stream::get(), std::make_shared<thread_pool>(threads))) {}
};

std::unique_ptr<compute> open(std::size_t ordinal, std::size_t threads) {
  const std::size_t count = count_devices();
  if (ordinal >= count)
    throw error("there is no CUDA device " + std::to_string(ordinal) + ": of " + std::to_string(count) +
                ", the last is " + std::to_string(count - 1));
  return std::make_unique<cuda_compute>(ordinal, threads);
}

}  // namespace
}  // namespace imgsim::app

extern "C" __attribute__((visibility("default"))) const imgsim::app::cuda_module* imgsim_cuda_module() {
  static const imgsim::app::cuda_module module{
      {IMGSIM_INTERFACE_HASH, __VERSION__}, &imgsim::app::device_names, &imgsim::app::open};
  return &module;
}
