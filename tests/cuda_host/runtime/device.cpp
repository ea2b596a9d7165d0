// The device (CUDA Runtime API, "Device Management", "Version Management"). There is one, number 0.
#include <cuda_runtime_api.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "cuda_host/runtime/device_model.hpp"
#include "cuda_host/runtime/device_state.hpp"
#include "cuda_host/runtime/library_objects.hpp"
#include "cuda_host/runtime/runtime_call.hpp"
#include "cuda_host/runtime/streams.hpp"

namespace imgsim::cuda_host {
namespace {

constexpr std::size_t operator""_KiB(unsigned long long n) {
  return static_cast<std::size_t>(n) << 10;
}
constexpr std::size_t operator""_MiB(unsigned long long n) {
  return static_cast<std::size_t>(n) << 20;
}

constexpr std::array kModels{
    device_model_numbers{75, 64_KiB, 64_KiB, 1024, 16, 40, 4_MiB},
    device_model_numbers{80, 164_KiB, 163_KiB, 2048, 32, 108, 40_MiB},
    device_model_numbers{86, 100_KiB, 99_KiB, 1536, 16, 84, 6_MiB},
    device_model_numbers{89, 100_KiB, 99_KiB, 1536, 24, 128, 72_MiB},
    device_model_numbers{90, 228_KiB, 227_KiB, 2048, 32, 132, 50_MiB},
    device_model_numbers{100, 228_KiB, 227_KiB, 2048, 32, 148, 126_MiB},
    device_model_numbers{120, 100_KiB, 99_KiB, 1536, 24, 170, 96_MiB},
};

device_model_numbers& chosen_model() {
  static device_model_numbers model;
  return model;
}

/// cudaErrorNotSupported for what the model does not say.
cudaError_t attribute(int& value, cudaDeviceAttr which) {
  const device_model_numbers& model = device_model();
  switch (which) {
    case cudaDevAttrMaxThreadsPerBlock:
      value = kMaxThreadsPerBlock;
      break;
    case cudaDevAttrMaxBlockDimX:
    case cudaDevAttrMaxBlockDimY:
      value = 1024;
      break;
    case cudaDevAttrMaxBlockDimZ:
      value = 64;
      break;
    case cudaDevAttrMaxGridDimX:
      value = 2147483647;
      break;
    case cudaDevAttrMaxGridDimY:
    case cudaDevAttrMaxGridDimZ:
      value = 65535;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      value = static_cast<int>(kSharedPerBlock);
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      value = static_cast<int>(model.shared_per_block_opt_in);
      break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      value = static_cast<int>(model.shared_per_multiprocessor);
      break;
    case cudaDevAttrWarpSize:
      value = 32;
      break;
    case cudaDevAttrMultiProcessorCount:
      value = model.multiprocessors;
      break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      value = model.threads_per_multiprocessor;
      break;
    case cudaDevAttrMaxBlocksPerMultiprocessor:
      value = model.blocks_per_multiprocessor;
      break;
    case cudaDevAttrMaxRegistersPerBlock:
    case cudaDevAttrMaxRegistersPerMultiprocessor:
      value = kRegistersPerMultiprocessor;
      break;
    case cudaDevAttrL2CacheSize:
      value = static_cast<int>(model.l2_bytes);
      break;
    case cudaDevAttrComputeCapabilityMajor:
      value = model.capability / 10;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      value = model.capability % 10;
      break;
    case cudaDevAttrMemoryPoolsSupported:
      value = 1;
      break;
    case cudaDevAttrManagedMemory:
    case cudaDevAttrConcurrentManagedAccess:
    case cudaDevAttrPageableMemoryAccess:
      value = 0;
      break;
    default:
      return cudaErrorNotSupported;
  }
  return cudaSuccess;
}

}  // namespace

const device_model_numbers& device_model() {
  return chosen_model();
}

void choose_device(int capability, std::size_t memory_bytes) {
  for (const device_model_numbers& model : kModels) {
    if (model.capability == capability) {
      chosen_model() = model;
      chosen_model().memory_bytes = memory_bytes;
      return;
    }
  }
  throw std::invalid_argument("no model of compute capability " + std::to_string(capability));
}

std::vector<std::string> what_is_left() {
  const runtime_lock lock;
  const unwatched bookkeeping;
  run_all_streams();
  std::vector<std::string> sentences;
  describe_memory(sentences);
  describe_streams(sentences);
  describe_events(sentences);
  describe_graphs(sentences);
  describe_objects(sentences);
  return sentences;
}

void reset_device() {
  const runtime_lock lock;
  const unwatched bookkeeping;
  reset_graphs();
  reset_events();
  reset_streams();
  reset_memory();
  reset_objects();
  set_device_error(cudaSuccess);
  cudaGetLastError();
}

}  // namespace imgsim::cuda_host

using namespace imgsim::cuda_host;

cudaError_t cudaGetDeviceCount(int* count) {
  return runtime_call("cudaGetDeviceCount", cudaErrorNoDevice, [&] {
    *count = 1;
    return cudaSuccess;
  });
}

cudaError_t cudaGetDevice(int* device) {
  return runtime_call("cudaGetDevice", cudaErrorUnknown, [&] {
    *device = 0;
    return cudaSuccess;
  });
}

cudaError_t cudaSetDevice(int device) {
  return runtime_call("cudaSetDevice", cudaErrorInvalidDevice,
                      [&] { return device == 0 ? cudaSuccess : cudaErrorInvalidDevice; });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr which, int device) {
  return runtime_call("cudaDeviceGetAttribute", cudaErrorUnknown, [&] {
    if (device != 0) return cudaErrorInvalidDevice;
    return attribute(*value, which);
  });
}

/// The fields that the model knows; the others are zero.
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return runtime_call("cudaGetDeviceProperties", cudaErrorUnknown, [&] {
    if (device != 0) return cudaErrorInvalidDevice;
    const device_model_numbers& model = device_model();
    *properties = {};
    std::strncpy(properties->name, "host runner (no GPU)", sizeof(properties->name) - 1);
    properties->totalGlobalMem = model.memory_bytes;
    properties->sharedMemPerBlock = kSharedPerBlock;
    properties->sharedMemPerBlockOptin = model.shared_per_block_opt_in;
    properties->sharedMemPerMultiprocessor = model.shared_per_multiprocessor;
    properties->regsPerBlock = properties->regsPerMultiprocessor = kRegistersPerMultiprocessor;
    properties->warpSize = 32;
    properties->maxThreadsPerBlock = kMaxThreadsPerBlock;
    properties->maxThreadsPerMultiProcessor = model.threads_per_multiprocessor;
    properties->maxBlocksPerMultiProcessor = model.blocks_per_multiprocessor;
    properties->multiProcessorCount = model.multiprocessors;
    properties->l2CacheSize = static_cast<int>(model.l2_bytes);
    properties->major = model.capability / 10;
    properties->minor = model.capability % 10;
    properties->maxThreadsDim[0] = properties->maxThreadsDim[1] = 1024;
    properties->maxThreadsDim[2] = 64;
    properties->maxGridSize[0] = 2147483647;
    properties->maxGridSize[1] = properties->maxGridSize[2] = 65535;
    properties->memoryPoolsSupported = 1;
    return cudaSuccess;
  });
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  return runtime_call("cudaRuntimeGetVersion", cudaErrorUnknown, [&] {
    *version = CUDART_VERSION;
    return cudaSuccess;
  });
}

cudaError_t cudaDriverGetVersion(int* version) {
  return runtime_call("cudaDriverGetVersion", cudaErrorUnknown, [&] {
    *version = CUDART_VERSION;
    return cudaSuccess;
  });
}
