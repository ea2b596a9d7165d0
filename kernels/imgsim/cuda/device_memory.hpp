// Where the CUDA backend takes device memory from.
#pragma once

#include <cuda_runtime_api.h>

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cuda/check.cuh>

namespace imgsim::cuda {

/// A source of device memory in the order of a stream: an adapter over a pool, an arena or RMM is one class.
class device_memory {
 public:
  virtual ~device_memory() = default;
  /// At least `bytes`, aligned to 256, for work queued on the stream from now on. Throws where there is none.
  [[nodiscard]] virtual void* allocate(std::size_t bytes, cudaStream_t stream) = 0;
  /// After all work queued on the stream so far.
  virtual void deallocate(void* begin, std::size_t bytes, cudaStream_t stream) noexcept = 0;
};

/// The device's own pool. For graphs take workspace_memory.hpp: a graph that allocates its memory anew at each launch
/// is slower, and cannot keep an answer.
class stream_ordered_memory final : public device_memory {
 public:
  [[nodiscard]] void* allocate(std::size_t bytes, cudaStream_t stream) override {
    void* begin = nullptr;
    IMGSIM_CUDA_CHECK(cudaMallocAsync(&begin, bytes, stream));
    return begin;
  }
  void deallocate(void* begin, std::size_t, cudaStream_t stream) noexcept override { cudaFreeAsync(begin, stream); }
};

/// Owns `count` elements of device memory; gives them back in the order of its stream. Move-only.
template <class T>
class device_buffer {
 public:
  device_buffer() = default;
  device_buffer(std::shared_ptr<device_memory> memory, cudaStream_t stream, std::size_t count) : count_(count) {
    if (count == 0) return;
    const std::size_t bytes = checked_size(std::array{count}, sizeof(T)) * sizeof(T);
    void* begin = memory->allocate(bytes, stream);
    values_ = {static_cast<T*>(begin), releaser{std::move(memory), stream, bytes}};
  }

  [[nodiscard]] T* get() const noexcept { return values_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  /// The first rows * columns elements as a dense matrix.
  [[nodiscard]] matrix_view<T, device_space> matrix(std::size_t rows, std::size_t columns) const noexcept {
    return {get(), {rows, columns}};
  }

 private:
  struct releaser {
    std::shared_ptr<device_memory> memory;
    cudaStream_t stream = nullptr;
    std::size_t bytes = 0;
    void operator()(T* begin) const noexcept { memory->deallocate(begin, bytes, stream); }
  };

  std::size_t count_ = 0;
  std::unique_ptr<T, releaser> values_;
};

}  // namespace imgsim::cuda
