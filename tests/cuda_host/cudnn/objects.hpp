// What the fake cuDNN's handles and descriptors hold, and the questions that its functions ask about them.
#pragma once

#include <cudnn.h>

#include <cstddef>
#include <optional>

#include "cuda_host/library/plain_loops.hpp"
#include "cuda_host/runtime/library_objects.hpp"

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

/// Extents are 0 until they are set.
struct cudnnTensorStruct {
  cudnnTensorFormat_t format = CUDNN_TENSOR_NCHW;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  int n = 0, c = 0, h = 0, w = 0;
};
struct cudnnFilterStruct {
  cudnnTensorFormat_t format = CUDNN_TENSOR_NCHW;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  int k = 0, c = 0, h = 0, w = 0;
};
struct cudnnConvolutionStruct {
  int pad_h = 0, pad_w = 0;
  int stride_h = 0, stride_w = 0;  // 0 until they are set
  int dilation_h = 1, dilation_w = 1;
  cudnnConvolutionMode_t mode = CUDNN_CONVOLUTION;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
};
struct cudnnActivationStruct {
  std::optional<cudnnActivationMode_t> mode;
  cudnnNanPropagation_t nan = CUDNN_NOT_PROPAGATE_NAN;
};

namespace imgsim::cuda_host {

enum class convolution_direction { forward, backward_data, backward_filter };

/// A convolution as its descriptors say, once they are found to fit together: CUDNN_STATUS_BAD_PARAM where they do not,
/// CUDNN_STATUS_NOT_SUPPORTED where they ask for what is not modelled (only float, NHWC, cross-correlation, undilated).
struct described_convolution {
  cudnnStatus_t status = CUDNN_STATUS_BAD_PARAM;
  convolution_loops loops;
  bool as_tf32 = false;
};

/// `fine` and `coarse` are the descriptors of x and y, or of their gradients.
[[nodiscard]] described_convolution describe_convolution(cudnnHandle_t handle, cudnnTensorDescriptor_t fine,
                                                         cudnnFilterDescriptor_t filter,
                                                         cudnnConvolutionDescriptor_t convolution,
                                                         cudnnTensorDescriptor_t coarse);

/// An algorithm of the fake: its workspace in bytes, and whether its sums have the same order in every run.
struct algorithm_model {
  int algorithm;
  bool deterministic;
  std::size_t workspace;
};

/// Nothing for an algorithm that the fake, as cuDNN for these layouts, does not support.
[[nodiscard]] std::optional<algorithm_model> model_of(convolution_direction direction, int algorithm,
                                                      const convolution_loops& loops);

}  // namespace imgsim::cuda_host
