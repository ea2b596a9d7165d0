// The three passes of a convolution (cuDNN Backend API 9, cudnnConvolutionForward,
// cudnnConvolutionBiasActivationForward, cudnnConvolutionBackwardData, cudnnConvolutionBackwardFilter): "output = alpha
// * Op(inputs) + beta * output".
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include "cuda_host/cudnn/objects.hpp"
#include "cuda_host/library/library_call.hpp"
#include "cuda_host/library/operands.hpp"

using namespace imgsim::cuda_host;

namespace {

struct pass_operands {
  const void* first;
  std::size_t first_size;  // in floats
  const void* second;
  std::size_t second_size;
  void* out;
  std::size_t out_size;
  void* workspace;
  std::size_t workspace_bytes;
  const void* alpha;
  const void* beta;
};

bool is_device_floats(const void* address, std::size_t count) {
  return is_device_memory(address, count * sizeof(float));
}

/// Whether the pass can be queued: an unsupported algorithm, a workspace that is too small, and operands that are not
/// in device memory are refused.
cudnnStatus_t check_operands(const std::optional<algorithm_model>& model, const pass_operands& p) {
  if (p.alpha == nullptr || p.beta == nullptr) return CUDNN_STATUS_BAD_PARAM;
  if (!model) return CUDNN_STATUS_NOT_SUPPORTED;
  if (p.workspace_bytes < model->workspace) return CUDNN_STATUS_BAD_PARAM;
  if (!is_device_floats(p.first, p.first_size) || !is_device_floats(p.second, p.second_size) ||
      !is_device_floats(p.out, p.out_size) ||
      (model->workspace > 0 && !is_device_memory(p.workspace, model->workspace)))
    return CUDNN_STATUS_EXECUTION_FAILED;
  return CUDNN_STATUS_SUCCESS;
}

/// Sums whose order differs from run to run differ by about a rounding error: here by up to two, at random.
double order_of_sums(const algorithm_model& model) {
  static std::minstd_rand random;
  return model.deterministic ? 1.0 : 1.0 + static_cast<double>(random() % 5) * 0x1p-23 - 0x1p-22;
}

cudnnStatus_t enqueued(cudaStream_t stream, std::function<void()> work) {
  return enqueue(stream, std::move(work)) == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_EXECUTION_FAILED;
}

/// Queues out = alpha * compute(first, second) + beta * out.
template <class Compute>
cudnnStatus_t queue_pass(const char* function, convolution_direction direction, int algorithm, cudnnHandle_t handle,
                         const described_convolution& described, const pass_operands& p, Compute compute) {
  return library_call(function, CUDNN_STATUS_EXECUTION_FAILED, [&] {
    if (described.status != CUDNN_STATUS_SUCCESS) return described.status;
    const auto model = model_of(direction, algorithm, described.loops);
    if (const cudnnStatus_t status = check_operands(model, p); status != CUDNN_STATUS_SUCCESS) return status;
    const double alpha = static_cast<double>(*static_cast<const float*>(p.alpha)) * order_of_sums(*model);
    const auto beta = static_cast<double>(*static_cast<const float*>(p.beta));
    return enqueued(find_object<cudnnContext>(handle)->stream,
                    [=, loops = described.loops, as_tf32 = described.as_tf32, used = model->workspace] {
                      const auto first = loaded(static_cast<const float*>(p.first), p.first_size, as_tf32);
                      const auto second = loaded(static_cast<const float*>(p.second), p.second_size, as_tf32);
                      spoil_workspace(p.workspace, used);
                      store_scaled(compute(loops, first, second), alpha, beta, static_cast<float*>(p.out));
                    });
  });
}

}  // namespace

extern "C" {

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t x_layout,
                                      const void* x, cudnnFilterDescriptor_t w_layout, const void* w,
                                      cudnnConvolutionDescriptor_t convolution, cudnnConvolutionFwdAlgo_t algorithm,
                                      void* workspace, std::size_t bytes, const void* beta,
                                      cudnnTensorDescriptor_t y_layout, void* y) {
  const auto described = describe_convolution(handle, x_layout, w_layout, convolution, y_layout);
  const convolution_loops& s = described.loops;
  return queue_pass(
      "cudnnConvolutionForward", convolution_direction::forward, algorithm, handle, described,
      {x, s.fine_size(), w, s.kernel_size(), y, s.coarse_size(), workspace, bytes, alpha, beta},
      [](const auto& loops, const auto& from, const auto& kernel) { return loops.forward(from, kernel); });
}

cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha, cudnnFilterDescriptor_t w_layout,
                                           const void* w, cudnnTensorDescriptor_t dy_layout, const void* dy,
                                           cudnnConvolutionDescriptor_t convolution,
                                           cudnnConvolutionBwdDataAlgo_t algorithm, void* workspace, std::size_t bytes,
                                           const void* beta, cudnnTensorDescriptor_t dx_layout, void* dx) {
  const auto described = describe_convolution(handle, dx_layout, w_layout, convolution, dy_layout);
  const convolution_loops& s = described.loops;
  return queue_pass(
      "cudnnConvolutionBackwardData", convolution_direction::backward_data, algorithm, handle, described,
      {w, s.kernel_size(), dy, s.coarse_size(), dx, s.fine_size(), workspace, bytes, alpha, beta},
      [](const auto& loops, const auto& kernel, const auto& from) { return loops.backward_data(kernel, from); });
}

cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t x_layout,
                                             const void* x, cudnnTensorDescriptor_t dy_layout, const void* dy,
                                             cudnnConvolutionDescriptor_t convolution,
                                             cudnnConvolutionBwdFilterAlgo_t algorithm, void* workspace,
                                             std::size_t bytes, const void* beta, cudnnFilterDescriptor_t dw_layout,
                                             void* dw) {
  const auto described = describe_convolution(handle, x_layout, dw_layout, convolution, dy_layout);
  const convolution_loops& s = described.loops;
  return queue_pass(
      "cudnnConvolutionBackwardFilter", convolution_direction::backward_filter, algorithm, handle, described,
      {x, s.fine_size(), dy, s.coarse_size(), dw, s.kernel_size(), workspace, bytes, alpha, beta},
      [](const auto& loops, const auto& fine, const auto& coarse) { return loops.backward_filter(fine, coarse); });
}

/// y = act(alpha1 * conv(x) + alpha2 * z + bias). "CUDNN_ACTIVATION_RELU or CUDNN_ACTIVATION_IDENTITY"; "only the
/// CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM algorithm is enabled with CUDNN_ACTIVATION_IDENTITY"; the first
/// dimension of the bias is one, the second that of the filter; z and y have one shape, and may be one tensor.
cudnnStatus_t cudnnConvolutionBiasActivationForward(
    cudnnHandle_t handle, const void* alpha1, cudnnTensorDescriptor_t x_layout, const void* x,
    cudnnFilterDescriptor_t w_layout, const void* w, cudnnConvolutionDescriptor_t convolution,
    cudnnConvolutionFwdAlgo_t algorithm, void* workspace, std::size_t bytes, const void* alpha2,
    cudnnTensorDescriptor_t z_layout, const void* z, cudnnTensorDescriptor_t bias_layout, const void* bias,
    cudnnActivationDescriptor_t activation, cudnnTensorDescriptor_t y_layout, void* y) {
  return library_call("cudnnConvolutionBiasActivationForward", CUDNN_STATUS_EXECUTION_FAILED, [&] {
    const auto described = describe_convolution(handle, x_layout, w_layout, convolution, y_layout);
    if (described.status != CUDNN_STATUS_SUCCESS) return described.status;
    const convolution_loops& s = described.loops;
    const auto* const of_bias = find_object<cudnnTensorStruct>(bias_layout);
    const auto* const of_z = find_object<cudnnTensorStruct>(z_layout);
    const auto* const of_y = find_object<cudnnTensorStruct>(y_layout);
    const auto* const kind = find_object<cudnnActivationStruct>(activation);
    if (of_bias == nullptr || of_z == nullptr || kind == nullptr || !kind->mode) return CUDNN_STATUS_BAD_PARAM;
    if (of_bias->type != CUDNN_DATA_FLOAT || of_bias->n != 1 || of_bias->h != 1 || of_bias->w != 1 ||
        of_bias->c != of_y->c || of_z->type != of_y->type || of_z->format != of_y->format || of_z->n != of_y->n ||
        of_z->c != of_y->c || of_z->h != of_y->h || of_z->w != of_y->w)
      return CUDNN_STATUS_BAD_PARAM;
    const bool rectifies = *kind->mode == CUDNN_ACTIVATION_RELU;
    if (!rectifies &&
        (*kind->mode != CUDNN_ACTIVATION_IDENTITY || algorithm != CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM))
      return CUDNN_STATUS_NOT_SUPPORTED;
    const auto model = model_of(convolution_direction::forward, algorithm, s);
    const pass_operands p{x, s.fine_size(), w, s.kernel_size(), y, s.coarse_size(), workspace, bytes, alpha1, alpha2};
    if (const cudnnStatus_t status = check_operands(model, p); status != CUDNN_STATUS_SUCCESS) return status;
    if (!is_device_floats(bias, s.coarse) || !is_device_floats(z, s.coarse_size()))
      return CUDNN_STATUS_EXECUTION_FAILED;
    const auto scale = static_cast<double>(*static_cast<const float*>(alpha1));
    const auto z_scale = static_cast<double>(*static_cast<const float*>(alpha2));
    const bool keeps_nan = kind->nan == CUDNN_PROPAGATE_NAN;
    return enqueued(find_object<cudnnContext>(handle)->stream,
                    [=, loops = s, as_tf32 = described.as_tf32, used = model->workspace] {
                      const auto from = loaded(static_cast<const float*>(x), loops.fine_size(), as_tf32);
                      const auto kernel = loaded(static_cast<const float*>(w), loops.kernel_size(), as_tf32);
                      const auto shift = loaded(static_cast<const float*>(bias), loops.coarse);
                      spoil_workspace(workspace, used);
                      std::vector<double> sums = loops.forward(from, kernel);
                      for (std::size_t i = 0; i < sums.size(); ++i) {
                        double value = scale * sums[i] + shift[i % loops.coarse];
                        if (z_scale != 0.0) value += z_scale * static_cast<double>(static_cast<const float*>(z)[i]);
                        if (rectifies && !(value > 0.0) && !(keeps_nan && std::isnan(value))) value = 0.0;
                        sums[i] = value;
                      }
                      store_scaled(sums, 1.0, 0.0, static_cast<float*>(y));
                    });
  });
}

}  // extern "C"
