// Handles and descriptors (NVIDIA cuDNN Backend API 9, "cudnn_graph Library", "cudnn_ops Library", "cudnn_cnn
// Library").
#include "cuda_host/cudnn/objects.hpp"
#include "cuda_host/library/library_call.hpp"

using namespace imgsim::cuda_host;

namespace {

template <class Object, class Handle>
cudnnStatus_t create(const char* function, const char* kind, Handle* handle) {
  return library_call(function, CUDNN_STATUS_ALLOC_FAILED, [&] {
    if (handle == nullptr) return CUDNN_STATUS_BAD_PARAM;
    *handle = static_cast<Handle>(create_object<Object>(kind));
    return CUDNN_STATUS_SUCCESS;
  });
}

template <class Object>
cudnnStatus_t destroy(const char* function, const void* handle) {
  return releasing_library_call(function, CUDNN_STATUS_EXECUTION_FAILED, [&] {
    return destroy_object<Object>(handle) ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
  });
}

/// set(object) where the handle is one and `valid`.
template <class Object, class Set>
cudnnStatus_t change(const char* function, const void* handle, bool valid, Set&& set) {
  return library_call(function, CUDNN_STATUS_BAD_PARAM, [&] {
    auto* const object = find_object<Object>(handle);
    if (object == nullptr || !valid) return CUDNN_STATUS_BAD_PARAM;
    set(*object);
    return CUDNN_STATUS_SUCCESS;
  });
}

bool all_positive(int a, int b, int c, int d) {
  return a > 0 && b > 0 && c > 0 && d > 0;
}

}  // namespace

namespace imgsim::cuda_host {

described_convolution describe_convolution(cudnnHandle_t handle, cudnnTensorDescriptor_t fine,
                                           cudnnFilterDescriptor_t filter, cudnnConvolutionDescriptor_t convolution,
                                           cudnnTensorDescriptor_t coarse) {
  const auto* const x = find_object<cudnnTensorStruct>(fine);
  const auto* const y = find_object<cudnnTensorStruct>(coarse);
  const auto* const w = find_object<cudnnFilterStruct>(filter);
  const auto* const c = find_object<cudnnConvolutionStruct>(convolution);
  if (find_object<cudnnContext>(handle) == nullptr) return {CUDNN_STATUS_NOT_INITIALIZED, {}, false};
  if (x == nullptr || y == nullptr || w == nullptr || c == nullptr) return {};
  if (x->n == 0 || y->n == 0 || w->k == 0 || c->stride_h == 0) return {};
  for (const cudnnDataType_t type : {x->type, y->type, w->type, c->type})
    if (type != CUDNN_DATA_FLOAT) return {CUDNN_STATUS_NOT_SUPPORTED, {}, false};
  for (const cudnnTensorFormat_t format : {x->format, y->format, w->format})
    if (format != CUDNN_TENSOR_NHWC) return {CUDNN_STATUS_NOT_SUPPORTED, {}, false};
  if (c->mode != CUDNN_CROSS_CORRELATION || c->dilation_h != 1 || c->dilation_w != 1)
    return {CUDNN_STATUS_NOT_SUPPORTED, {}, false};
  // "outputDim = 1 + (inputDim + 2 * pad - (((filterDim - 1) * dilation) + 1)) / convolutionStride"
  const auto out = [](int in, int pad, int window, int stride) {
    return in + 2 * pad < window ? 0 : 1 + (in + 2 * pad - window) / stride;
  };
  if (x->n != y->n || x->c != w->c || y->c != w->k || y->h != out(x->h, c->pad_h, w->h, c->stride_h) ||
      y->w != out(x->w, c->pad_w, w->w, c->stride_w))
    return {};
  const auto size = [](int value) { return static_cast<std::size_t>(value); };
  const convolution_loops loops{.photos = size(x->n),
                                .height = size(x->h),
                                .width = size(x->w),
                                .fine = size(x->c),
                                .out_height = size(y->h),
                                .out_width = size(y->w),
                                .coarse = size(y->c),
                                .kernel_height = size(w->h),
                                .kernel_width = size(w->w),
                                .pad_height = size(c->pad_h),
                                .pad_width = size(c->pad_w),
                                .stride_height = size(c->stride_h),
                                .stride_width = size(c->stride_w)};
  return {CUDNN_STATUS_SUCCESS, loops, c->math != CUDNN_FMA_MATH};
}

}  // namespace imgsim::cuda_host

extern "C" {

const char* cudnnGetErrorString(cudnnStatus_t status) {
  switch (status) {
    case CUDNN_STATUS_SUCCESS:
      return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_NOT_INITIALIZED:
      return "CUDNN_STATUS_NOT_INITIALIZED";
    case CUDNN_STATUS_BAD_PARAM:
      return "CUDNN_STATUS_BAD_PARAM";
    case CUDNN_STATUS_NOT_SUPPORTED:
      return "CUDNN_STATUS_NOT_SUPPORTED";
    case CUDNN_STATUS_ALLOC_FAILED:
      return "CUDNN_STATUS_ALLOC_FAILED";
    case CUDNN_STATUS_EXECUTION_FAILED:
      return "CUDNN_STATUS_EXECUTION_FAILED";
    default:
      return "CUDNN_UNKNOWN_STATUS";
  }
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  return create<cudnnContext>("cudnnCreate", "cuDNN handle", handle);
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  return destroy<cudnnContext>("cudnnDestroy", handle);
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  return change<cudnnContext>("cudnnSetStream", handle, true, [&](cudnnContext& c) { c.stream = stream; });
}

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* descriptor) {
  return create<cudnnTensorStruct>("cudnnCreateTensorDescriptor", "cuDNN tensor descriptor", descriptor);
}
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t descriptor) {
  return destroy<cudnnTensorStruct>("cudnnDestroyTensorDescriptor", descriptor);
}
/// "CUDNN_STATUS_BAD_PARAM: At least one of the parameters n, c, h, w was negative or format has an invalid enumerant
/// value ..."; zero is refused, too.
cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t descriptor, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w) {
  return change<cudnnTensorStruct>("cudnnSetTensor4dDescriptor", descriptor, all_positive(n, c, h, w),
                                   [&](cudnnTensorStruct& t) { t = {format, type, n, c, h, w}; });
}

cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* descriptor) {
  return create<cudnnFilterStruct>("cudnnCreateFilterDescriptor", "cuDNN filter descriptor", descriptor);
}
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t descriptor) {
  return destroy<cudnnFilterStruct>("cudnnDestroyFilterDescriptor", descriptor);
}
/// With CUDNN_TENSOR_NHWC the filter lies in memory as KRSC.
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t descriptor, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w) {
  return change<cudnnFilterStruct>("cudnnSetFilter4dDescriptor", descriptor, all_positive(k, c, h, w),
                                   [&](cudnnFilterStruct& f) { f = {format, type, k, c, h, w}; });
}

cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* descriptor) {
  return create<cudnnConvolutionStruct>("cudnnCreateConvolutionDescriptor", "cuDNN convolution descriptor", descriptor);
}
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t descriptor) {
  return destroy<cudnnConvolutionStruct>("cudnnDestroyConvolutionDescriptor", descriptor);
}
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t descriptor, int pad_h, int pad_w,
                                              int stride_h, int stride_w, int dilation_h, int dilation_w,
                                              cudnnConvolutionMode_t mode, cudnnDataType_t type) {
  return change<cudnnConvolutionStruct>(
      "cudnnSetConvolution2dDescriptor", descriptor,
      pad_h >= 0 && pad_w >= 0 && all_positive(stride_h, stride_w, dilation_h, dilation_w),
      [&](cudnnConvolutionStruct& c) {
        c = {pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w, mode, type, c.math};
      });
}
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t descriptor, cudnnMathType_t math) {
  return change<cudnnConvolutionStruct>("cudnnSetConvolutionMathType", descriptor, true,
                                        [&](cudnnConvolutionStruct& c) { c.math = math; });
}

cudnnStatus_t cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t* descriptor) {
  return create<cudnnActivationStruct>("cudnnCreateActivationDescriptor", "cuDNN activation descriptor", descriptor);
}
cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t descriptor) {
  return destroy<cudnnActivationStruct>("cudnnDestroyActivationDescriptor", descriptor);
}
cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t descriptor, cudnnActivationMode_t mode,
                                           cudnnNanPropagation_t nan, double) {
  return change<cudnnActivationStruct>("cudnnSetActivationDescriptor", descriptor, true,
                                       [&](cudnnActivationStruct& a) { a = {mode, nan}; });
}

}  // extern "C"
