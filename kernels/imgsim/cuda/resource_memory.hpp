// Device memory out of a memory resource of the caller's: RMM's, libcu++'s, or one written like them.
#pragma once

#include <driver_types.h>

#include <concepts>
#include <cstddef>

#include <imgsim/cuda/device_memory.hpp>

namespace imgsim::cuda {

/// How resources spell the allocation of memory in the order of a stream.
template <class R>
concept stream_first_resource = requires(R& resource, cudaStream_t stream, std::size_t bytes, void* begin) {
  { resource.allocate(stream, bytes, bytes) } -> std::same_as<void*>;  // libcu++ of CCCL 3, RMM since 25.10
  resource.deallocate(stream, begin, bytes, bytes);
};
template <class R>
concept async_resource = requires(R& resource, cudaStream_t stream, std::size_t bytes, void* begin) {
  { resource.allocate_async(bytes, bytes, stream) } -> std::same_as<void*>;  // libcu++ of CCCL 2
  resource.deallocate_async(begin, bytes, bytes, stream);
};
template <class R>
concept stream_last_resource = requires(R& resource, cudaStream_t stream, std::size_t bytes, void* begin) {
  { resource.allocate(bytes, stream) } -> std::same_as<void*>;  // RMM before
  resource.deallocate(begin, bytes, stream);
};

/// Takes device memory from `resource`, which must outlive the object and what was allocated. What it throws reaches
/// the caller of the operation.
///
///   auto memory = std::make_shared<cuda::resource_memory<rmm::mr::pool_memory_resource<...>>>(pool);
///   const cuda_context context(stream, std::make_shared<thread_pool>(1), memory);
template <class Resource>
  requires(stream_first_resource<Resource> || async_resource<Resource> || stream_last_resource<Resource>)
class resource_memory final : public device_memory {
 public:
  explicit resource_memory(Resource& resource) noexcept : resource_(resource) {}

  [[nodiscard]] void* allocate(std::size_t bytes, cudaStream_t stream) override {
    if constexpr (stream_first_resource<Resource>) {
      return resource_.allocate(stream, bytes, kAlignment);
    } else if constexpr (async_resource<Resource>) {
      return resource_.allocate_async(bytes, kAlignment, stream);
    } else {
      return resource_.allocate(bytes, stream);
    }
  }

  void deallocate(void* begin, std::size_t bytes, cudaStream_t stream) noexcept override {
    if constexpr (stream_first_resource<Resource>) {
      resource_.deallocate(stream, begin, bytes, kAlignment);
    } else if constexpr (async_resource<Resource>) {
      resource_.deallocate_async(begin, bytes, kAlignment, stream);
    } else {
      resource_.deallocate(begin, bytes, stream);
    }
  }

 private:
  static constexpr std::size_t kAlignment = 256;  // as device_memory promises

  Resource& resource_;
};

}  // namespace imgsim::cuda
