// Copies and fills (CUDA Runtime API, "Memory Management", and for who waits "API synchronization behavior").
#include <cuda_runtime_api.h>

#include <cstring>

#include "cuda_host/runtime/device_state.hpp"
#include "cuda_host/runtime/memory.hpp"
#include "cuda_host/runtime/runtime_call.hpp"
#include "cuda_host/runtime/streams.hpp"

namespace imgsim::cuda_host {
namespace {

pageable_copies pageable = pageable_copies::queued;

/// Rows of `width` bytes, `pitch` apart.
struct rows {
  char* begin;
  std::size_t pitch;
  std::size_t width;
  std::size_t height;

  [[nodiscard]] std::size_t span() const { return height == 0 || width == 0 ? 0 : (height - 1) * pitch + width; }
  [[nodiscard]] memory_kind kind() const { return kind_of_memory(begin, span()); }
};

rows rows_of(const void* begin, std::size_t pitch, std::size_t width, std::size_t height) {
  return {static_cast<char*>(const_cast<void*>(begin)), pitch, width, height};
}

/// cudaErrorInvalidMemcpyDirection for a kind that is none; cudaErrorInvalidValue where an address is not of its side.
cudaError_t check_direction(const rows& to, const rows& from, cudaMemcpyKind kind) {
  const bool to_device = to.kind() == memory_kind::device;
  const bool from_device = from.kind() == memory_kind::device;
  switch (kind) {
    case cudaMemcpyHostToHost:
      return !to_device && !from_device ? cudaSuccess : cudaErrorInvalidValue;
    case cudaMemcpyHostToDevice:
      return to_device && !from_device ? cudaSuccess : cudaErrorInvalidValue;
    case cudaMemcpyDeviceToHost:
      return !to_device && from_device ? cudaSuccess : cudaErrorInvalidValue;
    case cudaMemcpyDeviceToDevice:
      return to_device && from_device ? cudaSuccess : cudaErrorInvalidValue;
    case cudaMemcpyDefault:
      return cudaSuccess;
  }
  return cudaErrorInvalidMemcpyDirection;
}

/// What overlaps is undefined: memcpy, so that AddressSanitizer tells.
void copy_rows(const rows& to, const rows& from) {
  if (to.pitch == to.width && from.pitch == from.width) {
    std::memcpy(to.begin, from.begin, to.width * to.height);
    return;
  }
  for (std::size_t row = 0; row < to.height; ++row) {
    std::memcpy(to.begin + row * to.pitch, from.begin + row * from.pitch, to.width);
  }
}

/// Whether a copy waits for the host, per the rules of the page above.
enum class waiting { blocking_function, asynchronous_function };

cudaError_t copy(const rows& to, const rows& from, cudaMemcpyKind kind, cudaStream_t handle, waiting how) {
  if (to.width > to.pitch || from.width > from.pitch) return cudaErrorInvalidValue;
  if (to.span() == 0) return cudaSuccess;
  if (const cudaError_t wrong = check_direction(to, from, kind); wrong != cudaSuccess) return wrong;
  const std::shared_ptr<stream_queue> stream = find_stream(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  const bool to_device = to.kind() == memory_kind::device;
  const bool from_device = from.kind() == memory_kind::device;
  const bool has_pageable = to.kind() == memory_kind::pageable || from.kind() == memory_kind::pageable;
  const cudaError_t queued = enqueue_work(handle, [to, from] { copy_rows(to, from); });
  if (queued != cudaSuccess || stream->captured_by != nullptr) return queued;

  bool waits = !to_device && !from_device;  // "from any host memory to any host memory, [...] fully synchronous"
  if (how == waiting::blocking_function) {
    waits = waits || to_device != from_device;  // device to device: "no host-side synchronization is performed"
  } else {
    waits = waits || (has_pageable && pageable == pageable_copies::waiting);
  }
  if (waits) stream->run_all();
  return device_error();
}

cudaError_t fill(const rows& to, int value, cudaStream_t handle) {
  if (to.width > to.pitch) return cudaErrorInvalidValue;
  if (to.span() == 0) return cudaSuccess;
  if (to.kind() == memory_kind::pageable) return cudaErrorInvalidValue;
  const cudaError_t queued = enqueue_work(handle, [to, value] {
    for (std::size_t row = 0; row < to.height; ++row) std::memset(to.begin + row * to.pitch, value, to.width);
  });
  return queued != cudaSuccess ? queued : device_error();
}

}  // namespace

void choose_pageable_copies(pageable_copies how) {
  pageable = how;
}

}  // namespace imgsim::cuda_host

using namespace imgsim::cuda_host;

/// Through the legacy default stream: streams made with cudaStreamNonBlocking are not waited for.
cudaError_t cudaMemcpy(void* to, const void* from, size_t count, cudaMemcpyKind kind) {
  return completing_call("cudaMemcpy", [&] {
    const cudaError_t refused = refuse_during_capture();
    return refused != cudaSuccess ? refused
                                  : copy(rows_of(to, count, count, 1), rows_of(from, count, count, 1), kind, nullptr,
                                         waiting::blocking_function);
  });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t count, cudaMemcpyKind kind, cudaStream_t stream) {
  return runtime_call("cudaMemcpyAsync", cudaErrorUnknown, [&] {
    return copy(rows_of(to, count, count, 1), rows_of(from, count, count, 1), kind, stream,
                waiting::asynchronous_function);
  });
}

/// "width must not exceed either dpitch or spitch."
cudaError_t cudaMemcpy2D(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t height,
                         cudaMemcpyKind kind) {
  return completing_call("cudaMemcpy2D", [&] {
    const cudaError_t refused = refuse_during_capture();
    return refused != cudaSuccess ? refused
                                  : copy(rows_of(to, to_pitch, width, height), rows_of(from, from_pitch, width, height),
                                         kind, nullptr, waiting::blocking_function);
  });
}

cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                              size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  return runtime_call("cudaMemcpy2DAsync", cudaErrorUnknown, [&] {
    return copy(rows_of(to, to_pitch, width, height), rows_of(from, from_pitch, width, height), kind, stream,
                waiting::asynchronous_function);
  });
}

/// "The cudaMemset functions are asynchronous with respect to the host except when the target memory is pinned host
/// memory."
cudaError_t cudaMemset(void* to, int value, size_t count) {
  return runtime_call("cudaMemset", cudaErrorUnknown, [&] {
    if (const cudaError_t refused = refuse_during_capture(); refused != cudaSuccess) return refused;
    const cudaError_t status = fill(rows_of(to, count, count, 1), value, nullptr);
    if (kind_of_memory(to, count) == memory_kind::pinned) find_stream(nullptr)->run_all();
    return status;
  });
}

/// "The Async versions are always asynchronous with respect to the host."
cudaError_t cudaMemsetAsync(void* to, int value, size_t count, cudaStream_t stream) {
  return runtime_call("cudaMemsetAsync", cudaErrorUnknown,
                      [&] { return fill(rows_of(to, count, count, 1), value, stream); });
}

cudaError_t cudaMemset2DAsync(void* to, size_t pitch, int value, size_t width, size_t height, cudaStream_t stream) {
  return runtime_call("cudaMemset2DAsync", cudaErrorUnknown,
                      [&] { return fill(rows_of(to, pitch, width, height), value, stream); });
}
