// Kernel launches and what is asked about kernels (CUDA Runtime API, "Execution Control", "Occupancy").
#include <cuda_runtime_api.h>

#include <algorithm>
#include <map>

#include "cuda_host/runner/grid.hpp"
#include "cuda_host/runtime/device_model.hpp"
#include "cuda_host/runtime/kernel_registry.hpp"
#include "cuda_host/runtime/runtime_call.hpp"
#include "cuda_host/runtime/streams.hpp"

namespace imgsim::cuda_host {
namespace {

std::map<const void*, kernel_record>& kernels() {
  static std::map<const void*, kernel_record> instance;
  return instance;
}

/// Limits: CUDA C++ Programming Guide, "Technical Specifications per Compute Capability".
cudaError_t check_shape(const grid_launch& launch, const kernel_record& kernel) {
  const auto within = [](const dim3& extent, unsigned x, unsigned y, unsigned z) {
    return extent.x >= 1 && extent.y >= 1 && extent.z >= 1 && extent.x <= x && extent.y <= y && extent.z <= z;
  };
  if (!within(launch.grid, 2147483647u, 65535u, 65535u) || !within(launch.block, 1024u, 1024u, 64u) ||
      launch.block.x * launch.block.y * launch.block.z > static_cast<unsigned>(kMaxThreadsPerBlock)) {
    return cudaErrorInvalidConfiguration;
  }
  return launch.dynamic_shared_bytes > kernel.dynamic_shared_limit ? cudaErrorInvalidValue : cudaSuccess;
}

cudaError_t queue_kernel(const cudaLaunchConfig_t& config, const void* address, void** arguments) {
  const kernel_record* const kernel = find_kernel(address);
  if (kernel == nullptr) return cudaErrorInvalidDeviceFunction;
  if (config.numAttrs != 0) return cudaErrorNotSupported;
  grid_launch launch;
  launch.grid = config.gridDim;
  launch.block = config.blockDim;
  launch.dynamic_shared_bytes = config.dynamicSmemBytes;
  launch.kernel = kernel->call;
  launch.name = "kernel launched at " + kernel->launched.text();
  if (const cudaError_t wrong = check_shape(launch, *kernel); wrong != cudaSuccess) return wrong;
  const std::shared_ptr<void> copied = kernel->copy_arguments(address, arguments);
  launch.arguments = copied.get();
  return enqueue_work(config.stream, [launch, copied] {
    if (!run_grid(launch, fibers_of_running_stream())) set_device_error(cudaErrorLaunchFailure);
  });
}

}  // namespace

const void* register_kernel(const void* address, const kernel_record& record) {
  const runtime_lock lock;
  const unwatched bookkeeping;
  const auto [known, fresh] = kernels().try_emplace(address, record);
  if (!fresh) known->second.launched = record.launched;
  return address;
}

kernel_record* find_kernel(const void* address) {
  const auto found = kernels().find(address);
  return found == kernels().end() ? nullptr : &found->second;
}

}  // namespace imgsim::cuda_host

using namespace imgsim::cuda_host;

/// Launch attributes (clusters, programmatic dependent launch, ...) are not modelled. A kernel that faults leaves
/// cudaErrorLaunchFailure: "This leaves the process in an inconsistent state and any further CUDA work will return the
/// same error."
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* kernel, void** arguments) {
  return runtime_call("cudaLaunchKernelExC", cudaErrorLaunchOutOfResources,
                      [&] { return queue_kernel(*config, kernel, arguments); });
}

/// Only cudaFuncAttributeMaxDynamicSharedMemorySize: "The sum of this value and the function attribute sharedSizeBytes
/// cannot exceed the device attribute cudaDevAttrMaxSharedMemoryPerBlockOptin."
cudaError_t cudaFuncSetAttribute(const void* address, cudaFuncAttribute which, int value) {
  return runtime_call("cudaFuncSetAttribute", cudaErrorInvalidValue, [&] {
    kernel_record* const kernel = find_kernel(address);
    if (kernel == nullptr) return cudaErrorInvalidDeviceFunction;
    if (which != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaErrorNotSupported;
    if (value < 0 || static_cast<std::size_t>(value) > device_model().shared_per_block_opt_in) {
      return cudaErrorInvalidValue;
    }
    kernel->dynamic_shared_limit = static_cast<std::size_t>(value);
    return cudaSuccess;
  });
}

/// As far as threads, blocks and dynamic shared memory limit it (1 KiB of shared memory a block is reserved from
/// compute capability 8.0 on); registers are not known here.
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* address, int block_size,
                                                          size_t dynamic_shared_bytes) {
  return runtime_call("cudaOccupancyMaxActiveBlocksPerMultiprocessor", cudaErrorUnknown, [&] {
    if (find_kernel(address) == nullptr) return cudaErrorInvalidDeviceFunction;
    if (block_size < 1 || block_size > kMaxThreadsPerBlock) return cudaErrorInvalidValue;
    const device_model_numbers& model = device_model();
    const int warps = (block_size + 31) / 32;
    const std::size_t shared = dynamic_shared_bytes + (model.capability >= 80 ? 1024 : 0);
    *blocks = std::min(model.blocks_per_multiprocessor, model.threads_per_multiprocessor / (32 * warps));
    if (shared > 0) *blocks = std::min(*blocks, static_cast<int>(model.shared_per_multiprocessor / shared));
    return cudaSuccess;
  });
}
