// Device and pinned memory (CUDA Runtime API, "Memory Management", "Stream Ordered Memory Allocator").
#include "cuda_host/runtime/memory.hpp"

#include <cuda_runtime_api.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "cuda_host/runtime/device_model.hpp"
#include "cuda_host/runtime/runtime_call.hpp"
#include "cuda_host/runtime/streams.hpp"

namespace imgsim::cuda_host {
namespace {

// "The allocated memory is suitably aligned for any kind of variable"; the Programming Guide says at least 256 bytes
// ("Size and Alignment Requirement").
constexpr std::size_t kDeviceAlignment = 256;

enum class source { malloc, malloc_async, malloc_host };

struct allocation {
  std::size_t bytes = 0;
  source from = source::malloc;
  bool freeing = false;  // cudaFreeAsync was called and has not run yet
};

std::map<char*, allocation>& allocations() {
  static std::map<char*, allocation> instance;
  return instance;
}

bool exposed = false;

std::size_t device_bytes_in_use() {
  std::size_t bytes = 0;
  for (const auto& [begin, memory] : allocations()) bytes += memory.from == source::malloc_host ? 0 : memory.bytes;
  return bytes;
}

/// New memory holds 0xFF: NaN, or -1.
cudaError_t allocate(void** address, std::size_t bytes, source from) {
  if (address == nullptr) return cudaErrorInvalidValue;
  *address = nullptr;
  if (bytes == 0) return cudaSuccess;
  if (from != source::malloc_host && bytes > device_model().memory_bytes - device_bytes_in_use()) {
    return cudaErrorMemoryAllocation;
  }
  void* begin = nullptr;
  if (posix_memalign(&begin, kDeviceAlignment, bytes) != 0) return cudaErrorMemoryAllocation;
  std::memset(begin, 0xFF, bytes);
  allocations().emplace(static_cast<char*>(begin), allocation{bytes, from});
  if (from != source::malloc_host && !exposed) forbid_access(begin, bytes);
  *address = begin;
  return cudaSuccess;
}

void release(std::map<char*, allocation>::iterator found) {
  allow_access(found->first, found->second.bytes);
  std::free(found->first);
  allocations().erase(found);
}

template <class Visit>
void each_device_allocation(Visit&& visit) {
  for (const auto& [begin, memory] : allocations()) {
    if (memory.from != source::malloc_host) visit(begin, memory.bytes);
  }
}

}  // namespace

void expose_device_memory() {
  exposed = true;
  each_device_allocation([](char* begin, std::size_t bytes) { allow_access(begin, bytes); });
}

void conceal_device_memory() {
  exposed = false;
  each_device_allocation([](char* begin, std::size_t bytes) { forbid_access(begin, bytes); });
}

memory_kind kind_of_memory(const void* address, std::size_t bytes) {
  char* const begin = static_cast<char*>(const_cast<void*>(address));
  auto after = allocations().upper_bound(begin);
  if (after == allocations().begin()) return memory_kind::pageable;
  const auto& [known, memory] = *--after;
  if (begin >= known + memory.bytes || memory.freeing) return memory_kind::pageable;
  if (bytes > static_cast<std::size_t>(known + memory.bytes - begin)) return memory_kind::pageable;
  return memory.from == source::malloc_host ? memory_kind::pinned : memory_kind::device;
}

void describe_memory(std::vector<std::string>& sentences) {
  for (const auto& [begin, memory] : allocations()) {
    sentences.push_back(std::to_string(memory.bytes) + " bytes of " +
                        (memory.from == source::malloc_host ? "pinned" : "device") + " memory were not freed");
  }
}

void reset_memory() {
  while (!allocations().empty()) release(allocations().begin());
}

}  // namespace imgsim::cuda_host

using namespace imgsim::cuda_host;

/// Not while a stream is captured: it "may implicitly synchronize".
cudaError_t cudaMalloc(void** address, size_t bytes) {
  return runtime_call("cudaMalloc", cudaErrorMemoryAllocation, [&] {
    const cudaError_t refused = refuse_during_capture();
    return refused != cudaSuccess ? refused : allocate(address, bytes, source::malloc);
  });
}

/// "If devPtr is 0, no operation is performed." Of memory from cudaMallocAsync: "This API will not perform any implicit
/// synchronization [...] For all other pointers, this API may perform implicit synchronization." What only may happen
/// is not relied on: it frees at once, and work that is still queued then uses freed memory.
cudaError_t cudaFree(void* address) {
  return completing_call("cudaFree", [&] {
    if (address == nullptr) return cudaSuccess;
    const auto found = allocations().find(static_cast<char*>(address));
    if (found == allocations().end() || found->second.from == source::malloc_host || found->second.freeing) {
      return cudaErrorInvalidValue;
    }
    release(found);
    return cudaSuccess;
  });
}

/// The memory exists at once; it must be used in the order of the stream. Within a capture it would become a node of
/// the graph, which is not modelled.
cudaError_t cudaMallocAsync(void** address, size_t bytes, cudaStream_t handle) {
  return runtime_call("cudaMallocAsync", cudaErrorMemoryAllocation, [&] {
    const std::shared_ptr<stream_queue> stream = find_stream(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (stream->captured_by != nullptr) {
      stream->captured_by->invalidated = true;
      return cudaErrorStreamCaptureUnsupported;
    }
    return allocate(address, bytes, source::malloc_async);
  });
}

/// "The allocation must not be accessed after stream execution reaches the free." Memory from cudaMalloc is refused.
cudaError_t cudaFreeAsync(void* address, cudaStream_t handle) {
  return completing_call("cudaFreeAsync", [&] {
    if (address == nullptr) return cudaSuccess;
    const auto found = allocations().find(static_cast<char*>(address));
    if (found == allocations().end() || found->second.from != source::malloc_async || found->second.freeing) {
      return cudaErrorInvalidValue;
    }
    const std::shared_ptr<stream_queue> stream = find_stream(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (stream->captured_by != nullptr) {
      stream->captured_by->invalidated = true;
      return cudaErrorStreamCaptureUnsupported;
    }
    found->second.freeing = true;
    return enqueue_work(
        handle,
        [begin = found->first] {
          const unwatched bookkeeping;
          release(allocations().find(begin));
        },
        true);
  });
}

cudaError_t cudaHostAlloc(void** address, size_t bytes, unsigned int flags) {
  return runtime_call("cudaHostAlloc", cudaErrorMemoryAllocation, [&] {
    if (flags != cudaHostAllocDefault && flags != cudaHostAllocPortable) return cudaErrorNotSupported;
    const cudaError_t refused = refuse_during_capture();
    return refused != cudaSuccess ? refused : allocate(address, bytes, source::malloc_host);
  });
}

cudaError_t cudaMallocHost(void** address, size_t bytes) {
  return runtime_call("cudaMallocHost", cudaErrorMemoryAllocation, [&] {
    const cudaError_t refused = refuse_during_capture();
    return refused != cudaSuccess ? refused : allocate(address, bytes, source::malloc_host);
  });
}

/// It does not wait for copies under way: freeing the memory under one shows as a use after free.
cudaError_t cudaFreeHost(void* address) {
  return completing_call("cudaFreeHost", [&] {
    if (address == nullptr) return cudaSuccess;
    const auto found = allocations().find(static_cast<char*>(address));
    if (found == allocations().end() || found->second.from != source::malloc_host) return cudaErrorInvalidValue;
    release(found);
    return cudaSuccess;
  });
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  return runtime_call("cudaMemGetInfo", cudaErrorUnknown, [&] {
    *total = device_model().memory_bytes;
    *free = device_model().memory_bytes - device_bytes_in_use();
    return cudaSuccess;
  });
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* address) {
  return runtime_call("cudaPointerGetAttributes", cudaErrorUnknown, [&] {
    *attributes = {};
    const memory_kind kind = kind_of_memory(address, 1);
    attributes->type = kind == memory_kind::device   ? cudaMemoryTypeDevice
                       : kind == memory_kind::pinned ? cudaMemoryTypeHost
                                                     : cudaMemoryTypeUnregistered;
    if (kind != memory_kind::pageable) attributes->devicePointer = const_cast<void*>(address);
    if (kind != memory_kind::device) attributes->hostPointer = const_cast<void*>(address);
    return cudaSuccess;
  });
}
