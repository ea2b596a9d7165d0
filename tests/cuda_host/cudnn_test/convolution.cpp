// The fake cuDNN against tests/reference/, and what it refuses.
#include <cudnn.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

#include "cuda_host/library_test/support.hpp"
#include "cuda_host/runtime/device_state.hpp"
#include "reference/layers.hpp"

namespace {

using namespace imgsim_test;
using reference::image;

struct window {
  std::size_t height, width, fine, coarse, kernel_h, kernel_w, stride, pad_h, pad_w;
  std::size_t photos = 2;
  std::size_t out_h() const { return (height + 2 * pad_h - kernel_h) / stride + 1; }
  std::size_t out_w() const { return (width + 2 * pad_w - kernel_w) / stride + 1; }
  std::size_t fine_size() const { return photos * height * width * fine; }
  std::size_t coarse_size() const { return photos * out_h() * out_w() * coarse; }
  std::size_t kernel_size() const { return coarse * kernel_h * kernel_w * fine; }
};

const std::vector<window> kWindows{
    {5, 4, 3, 2, 3, 3, 1, 1, 1}, {7, 6, 1, 4, 2, 3, 2, 0, 1}, {4, 4, 2, 1, 4, 4, 2, 1, 1}};

/// Handle, descriptors and operands of one convolution; everything in them is right until a test spoils it.
struct cudnn_case {
  explicit cudnn_case(const window& w) : shape(w) {
    const auto n = [](std::size_t value) { return static_cast<int>(value); };
    cudnnCreate(&handle);
    cudnnSetStream(handle, stream);
    cudnnCreateTensorDescriptor(&fine);
    cudnnCreateTensorDescriptor(&coarse);
    cudnnCreateTensorDescriptor(&bias);
    cudnnCreateFilterDescriptor(&filter);
    cudnnCreateConvolutionDescriptor(&convolution);
    cudnnCreateActivationDescriptor(&activation);
    cudnnSetTensor4dDescriptor(fine, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, n(w.photos), n(w.fine), n(w.height),
                               n(w.width));
    cudnnSetTensor4dDescriptor(coarse, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, n(w.photos), n(w.coarse), n(w.out_h()),
                               n(w.out_w()));
    cudnnSetTensor4dDescriptor(bias, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 1, n(w.coarse), 1, 1);
    cudnnSetFilter4dDescriptor(filter, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, n(w.coarse), n(w.fine), n(w.kernel_h),
                               n(w.kernel_w));
    cudnnSetConvolution2dDescriptor(convolution, n(w.pad_h), n(w.pad_w), n(w.stride), n(w.stride), 1, 1,
                                    CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT);
    cudnnSetConvolutionMathType(convolution, CUDNN_FMA_MATH);
    cudnnSetActivationDescriptor(activation, CUDNN_ACTIVATION_RELU, CUDNN_PROPAGATE_NAN, 0);
  }
  ~cudnn_case() {
    cudnnDestroyActivationDescriptor(activation);
    cudnnDestroyConvolutionDescriptor(convolution);
    cudnnDestroyFilterDescriptor(filter);
    cudnnDestroyTensorDescriptor(bias);
    cudnnDestroyTensorDescriptor(coarse);
    cudnnDestroyTensorDescriptor(fine);
    cudnnDestroy(handle);
  }
  cudnn_case(const cudnn_case&) = delete;
  cudnn_case& operator=(const cudnn_case&) = delete;

  [[nodiscard]] cudnnStatus_t forward(cudnnConvolutionFwdAlgo_t algorithm, const float* from, const float* kernel,
                                      float* to, std::size_t bytes) const {
    return cudnnConvolutionForward(handle, &one, fine, from, filter, kernel, convolution, algorithm, workspace.get(),
                                   bytes, &zero, coarse, to);
  }
  [[nodiscard]] cudnnStatus_t forward(const device_array<float>& from, const device_array<float>& kernel,
                                      const device_array<float>& to) const {
    return forward(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, from.get(), kernel.get(), to.get(),
                   workspace.size());
  }

  window shape;
  test_stream stream;
  device_array<char> workspace{1 << 12};
  float one = 1, zero = 0;
  cudnnHandle_t handle{};
  cudnnTensorDescriptor_t fine{}, coarse{}, bias{};
  cudnnFilterDescriptor_t filter{};
  cudnnConvolutionDescriptor_t convolution{};
  cudnnActivationDescriptor_t activation{};
};

/// The reference's kernel [h, w, fine, coarse] from cuDNN's [coarse, h, w, fine].
std::vector<double> reference_kernel(const window& w, const std::vector<float>& kernel) {
  std::vector<double> turned(kernel.size());
  const std::size_t inner = w.kernel_h * w.kernel_w * w.fine;
  for (std::size_t k = 0; k < w.coarse; ++k)
    for (std::size_t i = 0; i < inner; ++i) turned[i * w.coarse + k] = static_cast<double>(kernel[k * inner + i]);
  return turned;
}

/// A photo with zeros around it, so that the reference needs no padding.
image padded_photo(const window& w, const std::vector<float>& values, std::size_t photo) {
  image padded(w.height + 2 * w.pad_h, w.width + 2 * w.pad_w, w.fine);
  for (std::size_t y = 0; y < w.height; ++y)
    for (std::size_t x = 0; x < w.width; ++x)
      for (std::size_t c = 0; c < w.fine; ++c)
        padded.at(y + w.pad_h, x + w.pad_w, c) =
            static_cast<double>(values[((photo * w.height + y) * w.width + x) * w.fine + c]);
  return padded;
}

std::vector<double> reference_forward(const window& w, const std::vector<float>& x, const std::vector<float>& kernel,
                                      const std::vector<double>& bias = {}) {
  std::vector<double> all;
  for (std::size_t photo = 0; photo < w.photos; ++photo) {
    const image out = reference::convolve(padded_photo(w, x, photo), reference_kernel(w, kernel), bias, w.kernel_h,
                                          w.kernel_w, w.stride, w.stride, false);
    all.insert(all.end(), out.values.begin(), out.values.end());
  }
  return all;
}

double dot(const std::vector<double>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * static_cast<double>(b[i]);
  return sum;
}

}  // namespace

BOOST_AUTO_TEST_CASE(forward_equals_the_reference) {
  for (const window& w : kWindows) {
    const cudnn_case c(w);
    const auto x = random_floats(w.fine_size(), 1), kernel = random_floats(w.kernel_size(), 2);
    const device_array<float> from(x), with(kernel), to(w.coarse_size());
    BOOST_TEST(c.forward(from, with, to) == CUDNN_STATUS_SUCCESS);
    check_equal(to.read(c.stream), reference_forward(w, x, kernel));
  }
}

// The backward passes are the transposes of the forward one: <dy, conv(x)> is linear in x and in the kernel.
BOOST_AUTO_TEST_CASE(backward_equals_the_reference) {
  for (const window& w : kWindows) {
    const cudnn_case c(w);
    const auto x = random_floats(w.fine_size(), 1), kernel = random_floats(w.kernel_size(), 2),
               dy = random_floats(w.coarse_size(), 3);
    const device_array<float> from(x), with(kernel), gradient(dy), dx(x.size()), dw(kernel.size());
    BOOST_TEST(cudnnConvolutionBackwardData(c.handle, &c.one, c.filter, with.get(), c.coarse, gradient.get(),
                                            c.convolution, CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, c.workspace.get(),
                                            c.workspace.size(), &c.zero, c.fine, dx.get()) == CUDNN_STATUS_SUCCESS);
    BOOST_TEST(cudnnConvolutionBackwardFilter(c.handle, &c.one, c.fine, from.get(), c.coarse, gradient.get(),
                                              c.convolution, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, c.workspace.get(),
                                              c.workspace.size(), &c.zero, c.filter, dw.get()) == CUDNN_STATUS_SUCCESS);
    std::vector<double> expected(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      std::vector<float> unit(x.size());
      unit[i] = 1;
      expected[i] = dot(reference_forward(w, unit, kernel), dy);
    }
    check_equal(dx.read(c.stream), expected);
    expected.resize(kernel.size());
    for (std::size_t i = 0; i < kernel.size(); ++i) {
      std::vector<float> unit(kernel.size());
      unit[i] = 1;
      expected[i] = dot(reference_forward(w, x, unit), dy);
    }
    check_equal(dw.read(c.stream), expected);
  }
}

BOOST_AUTO_TEST_CASE(bias_and_activation_are_fused) {
  const window& w = kWindows.front();
  const cudnn_case c(w);
  const auto x = random_floats(w.fine_size(), 1), kernel = random_floats(w.kernel_size(), 2),
             shift = random_floats(w.coarse, 3);
  const device_array<float> from(x), with(kernel), bias(shift), to(w.coarse_size());
  const auto run = [&](cudnnConvolutionFwdAlgo_t algorithm) {
    return cudnnConvolutionBiasActivationForward(
        c.handle, &c.one, c.fine, from.get(), c.filter, with.get(), c.convolution, algorithm, c.workspace.get(),
        c.workspace.size(), &c.zero, c.coarse, to.get(), c.bias, bias.get(), c.activation, c.coarse, to.get());
  };
  std::vector<double> expected = reference_forward(w, x, kernel, {shift.begin(), shift.end()});
  cudnnSetActivationDescriptor(c.activation, CUDNN_ACTIVATION_IDENTITY, CUDNN_PROPAGATE_NAN, 0);
  BOOST_TEST(run(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM) == CUDNN_STATUS_NOT_SUPPORTED);
  BOOST_TEST(run(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM) == CUDNN_STATUS_SUCCESS);
  check_equal(to.read(c.stream), expected);
  cudnnSetActivationDescriptor(c.activation, CUDNN_ACTIVATION_RELU, CUDNN_PROPAGATE_NAN, 0);
  BOOST_TEST(run(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM) == CUDNN_STATUS_SUCCESS);
  for (double& value : expected) value = std::max(value, 0.0);
  check_equal(to.read(c.stream), expected);
  cudnnSetActivationDescriptor(c.activation, CUDNN_ACTIVATION_TANH, CUDNN_PROPAGATE_NAN, 0);
  BOOST_TEST(run(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM) == CUDNN_STATUS_NOT_SUPPORTED);
}

BOOST_AUTO_TEST_CASE(results_are_scaled_and_added) {
  const window& w = kWindows.front();
  const cudnn_case c(w);
  const auto x = random_floats(w.fine_size(), 1), kernel = random_floats(w.kernel_size(), 2),
             before = random_floats(w.coarse_size(), 3);
  const device_array<float> from(x), with(kernel), to(before);
  const float two = 2, half = 0.5f;
  BOOST_TEST(cudnnConvolutionForward(c.handle, &two, c.fine, from.get(), c.filter, with.get(), c.convolution,
                                     CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, nullptr, 0, &half, c.coarse,
                                     to.get()) == CUDNN_STATUS_SUCCESS);
  std::vector<double> expected = reference_forward(w, x, kernel);
  for (std::size_t i = 0; i < expected.size(); ++i)
    expected[i] = 2 * expected[i] + 0.5 * static_cast<double>(before[i]);
  check_equal(to.read(c.stream), expected);
}

BOOST_AUTO_TEST_CASE(only_fma_math_keeps_all_digits) {
  const window& w = kWindows.front();
  const cudnn_case c(w);
  const auto x = random_floats(w.fine_size(), 1), kernel = random_floats(w.kernel_size(), 2);
  const device_array<float> from(x), with(kernel), exact(w.coarse_size()), rounded(w.coarse_size());
  BOOST_TEST(c.forward(from, with, exact) == CUDNN_STATUS_SUCCESS);
  cudnnSetConvolutionMathType(c.convolution, CUDNN_DEFAULT_MATH);
  BOOST_TEST(c.forward(from, with, rounded) == CUDNN_STATUS_SUCCESS);
  BOOST_TEST(exact.read(c.stream) != rounded.read(c.stream));
}

BOOST_AUTO_TEST_CASE(an_algorithm_may_not_be_deterministic) {
  const window& w = kWindows.front();
  const cudnn_case c(w);
  const device_array<float> from(random_floats(w.fine_size(), 1)), gradient(random_floats(w.coarse_size(), 2)),
      dw(w.kernel_size());
  const auto run = [&](cudnnConvolutionBwdFilterAlgo_t algorithm) {
    BOOST_TEST(cudnnConvolutionBackwardFilter(c.handle, &c.one, c.fine, from.get(), c.coarse, gradient.get(),
                                              c.convolution, algorithm, c.workspace.get(), c.workspace.size(), &c.zero,
                                              c.filter, dw.get()) == CUDNN_STATUS_SUCCESS);
    return dw.read(c.stream);
  };
  BOOST_TEST(run(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1) == run(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1));
  const std::vector<float> once = run(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0);
  bool differs = false;
  for (int turn = 0; turn < 20; ++turn) differs |= run(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0) != once;
  BOOST_TEST(differs);
}

BOOST_AUTO_TEST_CASE(algorithms_are_listed_with_their_needs) {
  const cudnn_case c(kWindows.front());
  std::array<cudnnConvolutionBwdFilterAlgoPerf_t, 8> found{};
  int count = 0;
  BOOST_TEST(cudnnGetConvolutionBackwardFilterAlgorithm_v7(c.handle, c.fine, c.coarse, c.convolution, c.filter, 8,
                                                           &count, found.data()) == CUDNN_STATUS_SUCCESS);
  bool any_deterministic = false, any_unsupported = false;
  for (int i = 0; i < count; ++i) {
    const auto& each = found[static_cast<std::size_t>(i)];
    std::size_t bytes = 0;
    const cudnnStatus_t told = cudnnGetConvolutionBackwardFilterWorkspaceSize(c.handle, c.fine, c.coarse, c.convolution,
                                                                              c.filter, each.algo, &bytes);
    BOOST_TEST(told == each.status);
    any_unsupported |= each.status != CUDNN_STATUS_SUCCESS;
    any_deterministic |= each.status == CUDNN_STATUS_SUCCESS && each.determinism == CUDNN_DETERMINISTIC;
    if (told == CUDNN_STATUS_SUCCESS) BOOST_TEST(bytes == each.memory);
  }
  BOOST_TEST(any_deterministic);
  BOOST_TEST(any_unsupported);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_refused) {
  const window& w = kWindows.front();
  const device_array<float> from(random_floats(w.fine_size(), 1)), with(random_floats(w.kernel_size(), 2)),
      to(w.coarse_size());
  std::vector<float> here(w.coarse_size());
  constexpr auto kGemm = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
  const auto run = [&](auto&& spoil) {
    const cudnn_case c(w);
    spoil(c);
    return c.forward(from, with, to);
  };
  const auto extents = [](std::size_t value) { return static_cast<int>(value); };
  BOOST_TEST(run([&](const cudnn_case& c) {
               cudnnSetTensor4dDescriptor(c.fine, CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, 2, extents(w.fine),
                                          extents(w.height), extents(w.width));
             }) == CUDNN_STATUS_NOT_SUPPORTED);
  BOOST_TEST(run([&](const cudnn_case& c) {
               cudnnSetTensor4dDescriptor(c.fine, CUDNN_TENSOR_NHWC, CUDNN_DATA_HALF, 2, extents(w.fine),
                                          extents(w.height), extents(w.width));
             }) == CUDNN_STATUS_NOT_SUPPORTED);
  BOOST_TEST(run([&](const cudnn_case& c) {
               cudnnSetTensor4dDescriptor(c.coarse, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 2, 2, 4, 4);
             }) == CUDNN_STATUS_BAD_PARAM);
  BOOST_TEST(run([](const cudnn_case& c) {
               cudnnSetConvolution2dDescriptor(c.convolution, 1, 1, 1, 1, 1, 1, CUDNN_CONVOLUTION, CUDNN_DATA_FLOAT);
             }) == CUDNN_STATUS_NOT_SUPPORTED);

  const cudnn_case c(w);
  BOOST_TEST(c.forward(kGemm, from.get(), with.get(), to.get(), 3) == CUDNN_STATUS_BAD_PARAM);
  BOOST_TEST(c.forward(kGemm, from.get(), with.get(), here.data(), c.workspace.size()) ==
             CUDNN_STATUS_EXECUTION_FAILED);
  BOOST_TEST(c.forward(kGemm, from.get(), from.get(), to.get() + 1, c.workspace.size()) ==
             CUDNN_STATUS_EXECUTION_FAILED);
  BOOST_TEST(c.forward(CUDNN_CONVOLUTION_FWD_ALGO_FFT, from.get(), with.get(), to.get(), c.workspace.size()) ==
             CUDNN_STATUS_NOT_SUPPORTED);
  BOOST_TEST(cudnnSetTensor4dDescriptor(c.fine, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 0, 1, 1, 1) ==
             CUDNN_STATUS_BAD_PARAM);

  cudnnTensorDescriptor_t gone = nullptr;
  BOOST_TEST(cudnnCreateTensorDescriptor(&gone) == CUDNN_STATUS_SUCCESS);
  BOOST_TEST(imgsim::cuda_host::what_is_left().size() > 0u);
  BOOST_TEST(cudnnDestroyTensorDescriptor(gone) == CUDNN_STATUS_SUCCESS);
  BOOST_TEST(cudnnDestroyTensorDescriptor(gone) == CUDNN_STATUS_BAD_PARAM);
  BOOST_TEST(cudnnConvolutionForward(c.handle, &c.one, gone, from.get(), c.filter, with.get(), c.convolution, kGemm,
                                     c.workspace.get(), c.workspace.size(), &c.zero, c.coarse,
                                     to.get()) == CUDNN_STATUS_BAD_PARAM);
}

BOOST_AUTO_TEST_CASE(work_is_done_in_the_order_of_the_stream) {
  const window& w = kWindows.front();
  const cudnn_case c(w);
  const auto x = random_floats(w.fine_size(), 1), kernel = random_floats(w.kernel_size(), 2);
  const device_array<float> from(x.size()), with(kernel), to(w.coarse_size());
  const pinned_copy before(x);
  // Queued before the convolution, which must not read its input when it is called.
  IMGSIM_CUDA_CHECK(
      cudaMemcpyAsync(from.get(), before.get(), x.size() * sizeof(float), cudaMemcpyHostToDevice, c.stream));
  BOOST_TEST(c.forward(from, with, to) == CUDNN_STATUS_SUCCESS);
  check_equal(to.read(c.stream), reference_forward(w, x, kernel));
}

BOOST_AUTO_TEST_CASE(faults_are_injected) {
  const window& w = kWindows.front();
  const cudnn_case c(w);
  const device_array<float> from(random_floats(w.fine_size(), 1)), with(random_floats(w.kernel_size(), 2)),
      to(w.coarse_size());
  imgsim::cuda_host::begin_faults({.failing_function = "cudnnConvolutionForward"});
  BOOST_TEST(c.forward(from, with, to) == CUDNN_STATUS_EXECUTION_FAILED);
  imgsim::cuda_host::begin_faults();
  BOOST_TEST(c.forward(from, with, to) == CUDNN_STATUS_SUCCESS);
  c.stream.synchronize();
}
