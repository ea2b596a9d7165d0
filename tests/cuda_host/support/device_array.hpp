// Device memory and streams for tests: the least that the backend's own owners are not needed for.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <vector>

#include <imgsim/cuda/check.cuh>

namespace imgsim_test {

struct stream_destroyer {
  void operator()(cudaStream_t stream) const { cudaStreamDestroy(stream); }
};

/// A stream that takes no part in the implicit order of the default stream.
class test_stream {
 public:
  test_stream() {
    cudaStream_t made = nullptr;
    IMGSIM_CUDA_CHECK(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking));
    stream_.reset(made);
  }
  operator cudaStream_t() const { return stream_.get(); }  // NOLINT(google-explicit-constructor): it is one
  void synchronize() const { IMGSIM_CUDA_CHECK(cudaStreamSynchronize(stream_.get())); }

 private:
  std::unique_ptr<std::remove_pointer_t<cudaStream_t>, stream_destroyer> stream_;
};

/// `count` values in device memory, from cudaMalloc: at first NaN, or -1.
template <class T>
class device_array {
 public:
  explicit device_array(std::size_t count) : count_(count) {
    void* begin = nullptr;
    IMGSIM_CUDA_CHECK(cudaMalloc(&begin, count * sizeof(T)));
    values_.reset(static_cast<T*>(begin));
  }
  explicit device_array(const std::vector<T>& values) : device_array(values.size()) {
    IMGSIM_CUDA_CHECK(cudaMemcpy(get(), values.data(), count_ * sizeof(T), cudaMemcpyHostToDevice));
  }
  [[nodiscard]] T* get() const { return values_.get(); }
  [[nodiscard]] std::size_t size() const { return count_; }

  /// After all work in the stream.
  [[nodiscard]] std::vector<T> read(cudaStream_t stream) const {
    std::vector<T> values(count_);
    IMGSIM_CUDA_CHECK(cudaMemcpyAsync(values.data(), get(), count_ * sizeof(T), cudaMemcpyDeviceToHost, stream));
    IMGSIM_CUDA_CHECK(cudaStreamSynchronize(stream));
    return values;
  }

 private:
  struct freer {
    void operator()(T* begin) const { cudaFree(begin); }
  };
  std::size_t count_;
  std::unique_ptr<T, freer> values_;
};

}  // namespace imgsim_test
