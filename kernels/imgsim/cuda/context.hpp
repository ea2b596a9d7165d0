// The CUDA execution context: a device, a stream, device memory and host threads, all of them the caller's.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include <imgsim/core/context.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cuda/check.cuh>
#include <imgsim/cuda/device_memory.hpp>

namespace imgsim {

/// Queues operations on one stream of the device that is current when it is made; nothing in it uses the default
/// stream. An operation that returns its answer by value waits for the stream; one that writes to device memory does
/// not. Where one throws, what it had queued before still runs: see waits_if_thrown. Copies share stream and memory;
/// one thread at a time may use them.
class cuda_context {
 public:
  using space = device_space;

  /// The stream must not be the default one, and outlive the context and what is made with it. Device memory comes from
  /// `memory`: without one, from the device's stream-ordered allocator (cudaMallocAsync).
  explicit cuda_context(cudaStream_t stream, std::shared_ptr<thread_pool> pool = std::make_shared<thread_pool>(1),
                        std::shared_ptr<cuda::device_memory> memory = std::make_shared<cuda::stream_ordered_memory>())
      : stream_(stream), pool_(std::move(pool)), memory_(std::move(memory)) {
    IMGSIM_EXPECTS(stream != nullptr, "a CUDA context takes a stream of the caller's, not the default stream");
    IMGSIM_CUDA_CHECK(cudaGetDevice(&device_));
  }

  [[nodiscard]] std::string name() const {
    cudaDeviceProp properties{};
    IMGSIM_CUDA_CHECK(cudaGetDeviceProperties(&properties, device_));
    return "cuda:" + std::to_string(device_) + " (" + properties.name + ")";
  }
  [[nodiscard]] thread_pool& host_pool() const noexcept { return *pool_; }
  [[nodiscard]] cudaStream_t stream() const noexcept { return stream_; }
  [[nodiscard]] int device() const noexcept { return device_; }

  /// Of the device, in bytes, in use or not.
  [[nodiscard]] std::size_t memory_bytes() const {
    std::size_t free = 0;
    std::size_t total = 0;
    IMGSIM_CUDA_CHECK(cudaMemGetInfo(&free, &total));
    return total;
  }

  /// For a block that queues work on memory which goes when the block is left, and waits at its end: where it is left
  /// by an exception, the work is waited for all the same.
  class waits_if_thrown {
   public:
    explicit waits_if_thrown(const cuda_context& context) noexcept : stream_(context.stream_) {}
    waits_if_thrown(const waits_if_thrown&) = delete;
    waits_if_thrown& operator=(const waits_if_thrown&) = delete;
    ~waits_if_thrown() {
      if (std::uncaught_exceptions() > exceptions_) cudaStreamSynchronize(stream_);
    }

   private:
    cudaStream_t stream_;
    int exceptions_ = std::uncaught_exceptions();
  };

  /// Waits for all that was queued.
  void synchronize() const { IMGSIM_CUDA_CHECK(cudaStreamSynchronize(stream_)); }

  /// `count` elements, not initialised, for work queued from now on; given back in the order of the stream.
  template <class T>
  [[nodiscard]] cuda::device_buffer<T> allocate(std::size_t count) const {
    return cuda::device_buffer<T>(memory_, stream_, count);
  }

  /// Queues a copy of rows between host and device, or within the device, in the direction that the views say. From and
  /// to host memory that is not pinned it may wait for the stream.
  template <class T, class From, class To>
  void copy(const matrix_view<const T, From>& from, const matrix_view<T, To>& to) const {
    IMGSIM_EXPECTS(from.extents() == to.extents(), "a copy of ", shape_text(from), " does not fit ", shape_text(to));
    if (from.empty()) return;
    IMGSIM_CUDA_CHECK(cudaMemcpy2DAsync(to.data(), to.stride(0) * sizeof(T), from.data(), from.stride(0) * sizeof(T),
                                        from.extent(1) * sizeof(T), from.extent(0), cudaMemcpyDefault, stream_));
  }

 private:
  cudaStream_t stream_;
  int device_ = 0;
  std::shared_ptr<thread_pool> pool_;
  std::shared_ptr<cuda::device_memory> memory_;
};

static_assert(execution_context<cuda_context>);

}  // namespace imgsim
