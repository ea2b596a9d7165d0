// The choice of an algorithm (cuDNN Backend API 9, cudnnGetConvolution...Algorithm_v7, ...WorkspaceSize). The lists
// hold what a caller must be able to pass over: algorithms that are not supported, that are not deterministic, and that
// need more workspace than there may be.
#include <algorithm>
#include <array>

#include "cuda_host/cudnn/objects.hpp"
#include "cuda_host/library/library_call.hpp"

using namespace imgsim::cuda_host;

namespace {

/// In the order in which the heuristics return them.
constexpr std::array kForward{CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
                              CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM};
constexpr std::array kBackwardData{CUDNN_CONVOLUTION_BWD_DATA_ALGO_0, CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT,
                                   CUDNN_CONVOLUTION_BWD_DATA_ALGO_1};
constexpr std::array kBackwardFilter{CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0,
                                     CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1};

template <class Results, class Algorithms>
cudnnStatus_t list_algorithms(const char* function, convolution_direction direction, const Algorithms& algorithms,
                              const described_convolution& described, int wanted, int* count, Results* results) {
  return library_call(function, CUDNN_STATUS_NOT_SUPPORTED, [&] {
    if (described.status != CUDNN_STATUS_SUCCESS) return described.status;
    if (count == nullptr || results == nullptr || wanted < 1) return CUDNN_STATUS_BAD_PARAM;
    *count = std::min(wanted, static_cast<int>(algorithms.size()));
    for (int i = 0; i < *count; ++i) {
      results[i] = {};
      results[i].algo = algorithms[static_cast<std::size_t>(i)];
      const auto model = model_of(direction, results[i].algo, described.loops);
      results[i].status = model ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
      results[i].time = -1;  // "the heuristics do not measure"
      if (!model) continue;
      results[i].memory = model->workspace;
      results[i].determinism = model->deterministic ? CUDNN_DETERMINISTIC : CUDNN_NON_DETERMINISTIC;
      results[i].mathType = described.as_tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH;
    }
    return CUDNN_STATUS_SUCCESS;
  });
}

cudnnStatus_t tell_workspace(const char* function, convolution_direction direction, int algorithm,
                             const described_convolution& described, std::size_t* bytes) {
  return library_call(function, CUDNN_STATUS_NOT_SUPPORTED, [&] {
    if (described.status != CUDNN_STATUS_SUCCESS) return described.status;
    const auto model = model_of(direction, algorithm, described.loops);
    if (!model) return CUDNN_STATUS_NOT_SUPPORTED;
    *bytes = model->workspace;
    return CUDNN_STATUS_SUCCESS;
  });
}

}  // namespace

namespace imgsim::cuda_host {

std::optional<algorithm_model> model_of(convolution_direction direction, int algorithm,
                                        const convolution_loops& loops) {
  switch (direction) {
    case convolution_direction::forward:
      if (algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM) return algorithm_model{algorithm, true, 0};
      if (algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM)
        return algorithm_model{algorithm, true, 4 * loops.photos * loops.out_height * loops.out_width};
      break;
    case convolution_direction::backward_data:  // "the sum is done using atomic add operations": ALGO_0
      if (algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_0) return algorithm_model{algorithm, false, 0};
      if (algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_1)
        return algorithm_model{algorithm, true, 4 * loops.kernel_size()};
      break;
    case convolution_direction::backward_filter:  // the same of ALGO_0 and ALGO_3
      if (algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0) return algorithm_model{algorithm, false, 0};
      if (algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3) return algorithm_model{algorithm, false, 256};
      if (algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1)
        return algorithm_model{algorithm, true, 8 * loops.kernel_size()};
      break;
  }
  return std::nullopt;
}

}  // namespace imgsim::cuda_host

extern "C" {

cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                                                     cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t c,
                                                     cudnnTensorDescriptor_t y, int wanted, int* count,
                                                     cudnnConvolutionFwdAlgoPerf_t* results) {
  return list_algorithms("cudnnGetConvolutionForwardAlgorithm_v7", convolution_direction::forward, kForward,
                         describe_convolution(handle, x, w, c, y), wanted, count, results);
}
cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnnHandle_t handle, cudnnFilterDescriptor_t w,
                                                          cudnnTensorDescriptor_t dy, cudnnConvolutionDescriptor_t c,
                                                          cudnnTensorDescriptor_t dx, int wanted, int* count,
                                                          cudnnConvolutionBwdDataAlgoPerf_t* results) {
  return list_algorithms("cudnnGetConvolutionBackwardDataAlgorithm_v7", convolution_direction::backward_data,
                         kBackwardData, describe_convolution(handle, dx, w, c, dy), wanted, count, results);
}
cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                                                            cudnnTensorDescriptor_t dy, cudnnConvolutionDescriptor_t c,
                                                            cudnnFilterDescriptor_t dw, int wanted, int* count,
                                                            cudnnConvolutionBwdFilterAlgoPerf_t* results) {
  return list_algorithms("cudnnGetConvolutionBackwardFilterAlgorithm_v7", convolution_direction::backward_filter,
                         kBackwardFilter, describe_convolution(handle, x, dw, c, dy), wanted, count, results);
}

cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                                                      cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t c,
                                                      cudnnTensorDescriptor_t y, cudnnConvolutionFwdAlgo_t algorithm,
                                                      std::size_t* bytes) {
  return tell_workspace("cudnnGetConvolutionForwardWorkspaceSize", convolution_direction::forward, algorithm,
                        describe_convolution(handle, x, w, c, y), bytes);
}
cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(cudnnHandle_t handle, cudnnFilterDescriptor_t w,
                                                           cudnnTensorDescriptor_t dy, cudnnConvolutionDescriptor_t c,
                                                           cudnnTensorDescriptor_t dx,
                                                           cudnnConvolutionBwdDataAlgo_t algorithm,
                                                           std::size_t* bytes) {
  return tell_workspace("cudnnGetConvolutionBackwardDataWorkspaceSize", convolution_direction::backward_data, algorithm,
                        describe_convolution(handle, dx, w, c, dy), bytes);
}
cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                                                             cudnnTensorDescriptor_t dy, cudnnConvolutionDescriptor_t c,
                                                             cudnnFilterDescriptor_t dw,
                                                             cudnnConvolutionBwdFilterAlgo_t algorithm,
                                                             std::size_t* bytes) {
  return tell_workspace("cudnnGetConvolutionBackwardFilterWorkspaceSize", convolution_direction::backward_filter,
                        algorithm, describe_convolution(handle, x, dw, c, dy), bytes);
}

}  // extern "C"
