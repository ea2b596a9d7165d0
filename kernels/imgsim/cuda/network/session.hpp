// What the layers of one network share on a device: context, library handles, and memory that any of them may use while
// its work is queued.
#pragma once

#include <cstddef>

#include <imgsim/cuda/context.hpp>
#include <imgsim/cuda/network/cublaslt.hpp>
#include <imgsim/cuda/network/cudnn.hpp>
#include <imgsim/cuda/network/policy.hpp>

namespace imgsim::cuda {

/// Device memory that only grows; what it held is gone then. In the order of the context's stream.
template <class T>
class growing_device_buffer {
 public:
  T* at_least(const cuda_context& context, std::size_t count) {
    if (memory_.size() < count) {
      memory_ = {};  // first, so that the two need not fit side by side
      memory_ = context.allocate<T>(count);
    }
    return memory_.get();
  }
  [[nodiscard]] T* get() const noexcept { return memory_.get(); }

 private:
  device_buffer<T> memory_;
};

/// All on one stream: work queued later may use the same memory.
struct network_session {
  network_session(const cuda_context& context_, const network_policy& policy_)
      : context(context_),
        policy(policy_),
        dnn(make_cudnn_handle(context_.stream())),
        products(make_cublaslt_handle()) {}

  cuda_context context;
  network_policy policy;
  cudnn_handle dnn;
  cublaslt_handle products;
  growing_device_buffer<std::byte> workspace;  ///< of libraries, at most policy.workspace_bytes
  growing_device_buffer<double> partial_sums;
};

}  // namespace imgsim::cuda
