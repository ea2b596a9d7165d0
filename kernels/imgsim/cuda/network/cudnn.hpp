// cuDNN as the network uses it: handles and descriptors with owners, statuses as exceptions, a choice of algorithms.
//
// This is cuDNN's C interface of old (cudnnConvolutionForward and its like), which version 9 keeps and marks deprecated
// (CUDNN_WARN_DEPRECATED), not its graph interface. What the network needs of cuDNN are the passes of single
// convolutions, and for those both choose among the same engines. The old interface states what each function computes,
// refuses and needs in a page each, so that a fake of it can be written, tested and trusted where there is no GPU
// (tests/cuda_host/cudnn/); a graph is compiled at run time into an engine whose support only a GPU can tell.
#pragma once

#include <cudnn.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>

#include <imgsim/core/error.hpp>

namespace imgsim::cuda {

/// Throws backend_error where `status` is no success: what was called, the status by name, and the line.
inline void check_cudnn(cudnnStatus_t status, const char* call,
                        const std::source_location& where = std::source_location::current()) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  throw backend_error("cuDNN", std::string(call) + " gave " + cudnnGetErrorString(status) + " at " + where.file_name() +
                                   ":" + std::to_string(where.line()));
}

/// The call's own text is what the message names.
#define IMGSIM_CUDNN_CHECK(call) ::imgsim::cuda::check_cudnn((call), #call)

/// Owns what a library made and `Destroy` takes back.
template <auto Destroy>
struct destroy_by {
  template <class Object>
  void operator()(Object* object) const noexcept {
    Destroy(object);
  }
};
template <class Handle, auto Destroy>
using library_object = std::unique_ptr<std::remove_pointer_t<Handle>, destroy_by<Destroy>>;

using cudnn_handle = library_object<cudnnHandle_t, cudnnDestroy>;
using cudnn_tensor = library_object<cudnnTensorDescriptor_t, cudnnDestroyTensorDescriptor>;
using cudnn_filter = library_object<cudnnFilterDescriptor_t, cudnnDestroyFilterDescriptor>;
using cudnn_convolution = library_object<cudnnConvolutionDescriptor_t, cudnnDestroyConvolutionDescriptor>;
using cudnn_activation = library_object<cudnnActivationDescriptor_t, cudnnDestroyActivationDescriptor>;

/// Queues on `stream`.
[[nodiscard]] inline cudnn_handle make_cudnn_handle(cudaStream_t stream) {
  cudnnHandle_t made = nullptr;
  IMGSIM_CUDNN_CHECK(cudnnCreate(&made));
  cudnn_handle handle(made);
  IMGSIM_CUDNN_CHECK(cudnnSetStream(handle.get(), stream));
  return handle;
}

/// float32 [n, h, w, c].
[[nodiscard]] inline cudnn_tensor make_cudnn_tensor(int n, int h, int w, int c) {
  cudnnTensorDescriptor_t made = nullptr;
  IMGSIM_CUDNN_CHECK(cudnnCreateTensorDescriptor(&made));
  cudnn_tensor tensor(made);
  IMGSIM_CUDNN_CHECK(cudnnSetTensor4dDescriptor(tensor.get(), CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, n, c, h, w));
  return tensor;
}

/// float32 [k, h, w, c].
[[nodiscard]] inline cudnn_filter make_cudnn_filter(int k, int h, int w, int c) {
  cudnnFilterDescriptor_t made = nullptr;
  IMGSIM_CUDNN_CHECK(cudnnCreateFilterDescriptor(&made));
  cudnn_filter filter(made);
  IMGSIM_CUDNN_CHECK(cudnnSetFilter4dDescriptor(filter.get(), CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, k, c, h, w));
  return filter;
}

[[nodiscard]] inline cudnn_convolution make_cudnn_convolution(int pad_h, int pad_w, int stride_h, int stride_w,
                                                              bool allow_tf32) {
  cudnnConvolutionDescriptor_t made = nullptr;
  IMGSIM_CUDNN_CHECK(cudnnCreateConvolutionDescriptor(&made));
  cudnn_convolution convolution(made);
  IMGSIM_CUDNN_CHECK(cudnnSetConvolution2dDescriptor(convolution.get(), pad_h, pad_w, stride_h, stride_w, 1, 1,
                                                     CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT));
  // By default cuDNN may round operands of float32 to TF32.
  IMGSIM_CUDNN_CHECK(cudnnSetConvolutionMathType(convolution.get(), allow_tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH));
  return convolution;
}

[[nodiscard]] inline cudnn_activation make_cudnn_activation(cudnnActivationMode_t mode) {
  cudnnActivationDescriptor_t made = nullptr;
  IMGSIM_CUDNN_CHECK(cudnnCreateActivationDescriptor(&made));
  cudnn_activation activation(made);
  IMGSIM_CUDNN_CHECK(cudnnSetActivationDescriptor(activation.get(), mode, CUDNN_PROPAGATE_NAN, 0.0));
  return activation;
}

/// An algorithm and the workspace it needs.
template <class Algorithm>
struct chosen_algorithm {
  Algorithm algorithm{};
  std::size_t workspace = 0;
};

/// The first of the candidates, which cuDNN orders by expected speed, that it supports, that fits the workspace, and
/// that is deterministic where it must be. `list(room, found, results)` asks for them, `measure(algorithm)` for the
/// workspace of one.
template <class Performance, class List, class Measure>
[[nodiscard]] auto choose_algorithm(std::size_t workspace, bool deterministic, List&& list, Measure&& measure)
    -> chosen_algorithm<decltype(Performance::algo)> {
  std::array<Performance, 16> results{};
  int found = 0;
  list(static_cast<int>(results.size()), &found, results.data());
  for (int i = 0; i < found; ++i) {
    const Performance& candidate = results[static_cast<std::size_t>(i)];
    if (candidate.status != CUDNN_STATUS_SUCCESS) continue;
    if (deterministic && candidate.determinism != CUDNN_DETERMINISTIC) continue;
    if (candidate.memory > workspace) continue;
    const std::size_t needed = measure(candidate.algo);
    if (needed <= workspace) return {candidate.algo, needed};
  }
  throw backend_error("cuDNN", imgsim::detail::concat("no algorithm of a convolution fits a workspace of ", workspace,
                                                      " bytes", deterministic ? " and is deterministic" : ""));
}

}  // namespace imgsim::cuda
