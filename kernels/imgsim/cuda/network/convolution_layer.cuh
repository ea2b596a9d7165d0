// Convolution and its transpose on cuDNN. Both are the three passes of one convolution between a fine side and a coarse
// side, with different names:
//
//                      convolution            transposed convolution
//   fine -> coarse     forward                backward
//   coarse -> fine     backward               forward
//   (fine, coarse)     kernel gradient        kernel gradient
//
// Kernels are [kernel_h, kernel_w, fine, coarse] in both (layer_spec.hpp); cuDNN gets them as filter_kernel.cuh says,
// made anew when the parameters have changed. Algorithms are chosen once for each number of photos.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>

#include <imgsim/core/error.hpp>
#include <imgsim/cuda/network/filter_kernel.cuh>
#include <imgsim/cuda/network/launches.cuh>
#include <imgsim/cuda/network/layer.hpp>
#include <imgsim/model/layer_spec.hpp>

namespace imgsim::cuda {

/// cuDNN counts in int.
[[nodiscard]] inline int checked_int(std::size_t value) {
  IMGSIM_EXPECTS(value <= static_cast<std::size_t>(std::numeric_limits<int>::max()), "a convolution with a side of ",
                 value, " is too large for cuDNN");
  return static_cast<int>(value);
}

/// The convolution as cuDNN takes it: padding alike on both sides, the kernel wider in front where it is not.
struct symmetric_window {
  filter_shape filter;
  int pad_height;
  int pad_width;
  extent_2d stride;

  template <class Specification>
  symmetric_window(const Specification& spec, const feature_shape& fine, const feature_shape& coarse)
      : stride(spec.stride) {
    const window_extent rows = slide_window(fine.height, spec.kernel.height, spec.stride.height, spec.padding);
    const window_extent columns = slide_window(fine.width, spec.kernel.width, spec.stride.width, spec.padding);
    pad_height = checked_int(rows.pad_after);
    pad_width = checked_int(columns.pad_after);
    filter = {checked_count(spec.kernel.height, "rows of a kernel"),
              checked_count(spec.kernel.width, "columns of a kernel"),
              checked_count(fine.channels, "channels"),
              checked_count(coarse.channels, "channels"),
              static_cast<unsigned>(rows.pad_after - rows.pad_before),
              static_cast<unsigned>(columns.pad_after - columns.pad_before)};
  }

  [[nodiscard]] unsigned plain_size() const { return size(filter.height, filter.width); }
  [[nodiscard]] unsigned packed_size() const {
    return size(filter.height + filter.extra_rows, filter.width + filter.extra_columns);
  }

 private:
  [[nodiscard]] unsigned size(std::size_t rows, std::size_t columns) const {
    return checked_count(rows * columns * filter.fine * filter.coarse, "values in a kernel");
  }
};

/// Descriptors and algorithms for batches of one size.
class convolution_passes {
 public:
  convolution_passes(network_session& session, const symmetric_window& window, const feature_shape& fine,
                     const feature_shape& coarse, std::size_t photos)
      : session_(session),
        fine_(make_cudnn_tensor(checked_int(photos), checked_int(fine.height), checked_int(fine.width),
                                checked_int(fine.channels))),
        coarse_(make_cudnn_tensor(checked_int(photos), checked_int(coarse.height), checked_int(coarse.width),
                                  checked_int(coarse.channels))),
        bias_(make_cudnn_tensor(1, 1, 1, checked_int(coarse.channels))),
        filter_(make_cudnn_filter(
            checked_int(coarse.channels), checked_int(window.filter.height + window.filter.extra_rows),
            checked_int(window.filter.width + window.filter.extra_columns), checked_int(fine.channels))),
        convolution_(make_cudnn_convolution(window.pad_height, window.pad_width, checked_int(window.stride.height),
                                            checked_int(window.stride.width), session.policy.allow_tf32)) {}

  void prepare_to_coarse() {
    if (to_coarse_) return;
    to_coarse_ = choose<cudnnConvolutionFwdAlgoPerf_t>(
        [&](int room, int* found, cudnnConvolutionFwdAlgoPerf_t* results) {
          IMGSIM_CUDNN_CHECK(cudnnGetConvolutionForwardAlgorithm_v7(
              handle(), fine_.get(), filter_.get(), convolution_.get(), coarse_.get(), room, found, results));
        },
        [&](cudnnConvolutionFwdAlgo_t algorithm) {
          std::size_t bytes = 0;
          IMGSIM_CUDNN_CHECK(cudnnGetConvolutionForwardWorkspaceSize(
              handle(), fine_.get(), filter_.get(), convolution_.get(), coarse_.get(), algorithm, &bytes));
          return bytes;
        });
  }
  void prepare_to_fine() {
    if (to_fine_) return;
    to_fine_ = choose<cudnnConvolutionBwdDataAlgoPerf_t>(
        [&](int room, int* found, cudnnConvolutionBwdDataAlgoPerf_t* results) {
          IMGSIM_CUDNN_CHECK(cudnnGetConvolutionBackwardDataAlgorithm_v7(
              handle(), filter_.get(), coarse_.get(), convolution_.get(), fine_.get(), room, found, results));
        },
        [&](cudnnConvolutionBwdDataAlgo_t algorithm) {
          std::size_t bytes = 0;
          IMGSIM_CUDNN_CHECK(cudnnGetConvolutionBackwardDataWorkspaceSize(
              handle(), filter_.get(), coarse_.get(), convolution_.get(), fine_.get(), algorithm, &bytes));
          return bytes;
        });
  }
  void prepare_gradient() {
    if (gradient_) return;
    gradient_ = choose<cudnnConvolutionBwdFilterAlgoPerf_t>(
        [&](int room, int* found, cudnnConvolutionBwdFilterAlgoPerf_t* results) {
          IMGSIM_CUDNN_CHECK(cudnnGetConvolutionBackwardFilterAlgorithm_v7(
              handle(), fine_.get(), coarse_.get(), convolution_.get(), filter_.get(), room, found, results));
        },
        [&](cudnnConvolutionBwdFilterAlgo_t algorithm) {
          std::size_t bytes = 0;
          IMGSIM_CUDNN_CHECK(cudnnGetConvolutionBackwardFilterWorkspaceSize(
              handle(), fine_.get(), coarse_.get(), convolution_.get(), filter_.get(), algorithm, &bytes));
          return bytes;
        });
  }

  void queue_to_coarse(const float* filter, const float* fine, float* coarse) const {
    IMGSIM_CUDNN_CHECK(cudnnConvolutionForward(handle(), &kOne, fine_.get(), fine, filter_.get(), filter,
                                               convolution_.get(), to_coarse_->algorithm, workspace(*to_coarse_),
                                               to_coarse_->workspace, &kZero, coarse_.get(), coarse));
  }

  /// queue_to_coarse with a bias, and with a ReLU or as it is. Returns false, with nothing queued, where cuDNN does not
  /// do both at once by the algorithm that was chosen: without an activation it has one algorithm only.
  [[nodiscard]] bool queue_to_coarse_with(const float* bias, cudnnActivationDescriptor_t activation,
                                          const float* filter, const float* fine, float* coarse) {
    if (!fuses_bias_) return false;
    const cudnnStatus_t status = cudnnConvolutionBiasActivationForward(
        handle(), &kOne, fine_.get(), fine, filter_.get(), filter, convolution_.get(), to_coarse_->algorithm,
        workspace(*to_coarse_), to_coarse_->workspace, &kZero, coarse_.get(), coarse, bias_.get(), bias, activation,
        coarse_.get(), coarse);
    fuses_bias_ = CUDNN_STATUS_CATEGORY(status) != CUDNN_STATUS_NOT_SUPPORTED;
    if (fuses_bias_) check_cudnn(status, "cudnnConvolutionBiasActivationForward");
    return fuses_bias_;
  }

  void queue_to_fine(const float* filter, const float* coarse, float* fine) const {
    IMGSIM_CUDNN_CHECK(cudnnConvolutionBackwardData(handle(), &kOne, filter_.get(), filter, coarse_.get(), coarse,
                                                    convolution_.get(), to_fine_->algorithm, workspace(*to_fine_),
                                                    to_fine_->workspace, &kZero, fine_.get(), fine));
  }
  void queue_gradient(const float* fine, const float* coarse, float* filter) const {
    IMGSIM_CUDNN_CHECK(cudnnConvolutionBackwardFilter(handle(), &kOne, fine_.get(), fine, coarse_.get(), coarse,
                                                      convolution_.get(), gradient_->algorithm, workspace(*gradient_),
                                                      gradient_->workspace, &kZero, filter_.get(), filter));
  }

 private:
  static constexpr float kOne = 1;
  static constexpr float kZero = 0;

  [[nodiscard]] cudnnHandle_t handle() const { return session_.dnn.get(); }
  template <class Algorithm>
  [[nodiscard]] void* workspace(const chosen_algorithm<Algorithm>& chosen) const {
    return session_.workspace.at_least(session_.context, chosen.workspace);
  }
  template <class Performance, class List, class Measure>
  [[nodiscard]] chosen_algorithm<decltype(Performance::algo)> choose(List&& list, Measure&& measure) const {
    return choose_algorithm<Performance>(session_.policy.workspace_bytes, session_.policy.deterministic, list, measure);
  }

  network_session& session_;
  cudnn_tensor fine_;
  cudnn_tensor coarse_;
  cudnn_tensor bias_;
  cudnn_filter filter_;
  cudnn_convolution convolution_;
  std::optional<chosen_algorithm<cudnnConvolutionFwdAlgo_t>> to_coarse_;
  std::optional<chosen_algorithm<cudnnConvolutionBwdDataAlgo_t>> to_fine_;
  std::optional<chosen_algorithm<cudnnConvolutionBwdFilterAlgo_t>> gradient_;
  bool fuses_bias_ = true;  // until cuDNN has said no
};

/// What both kinds do, whichever of the two directions is theirs.
class convolution_base : public layer {
 public:
  void prepare(std::size_t photos, pass_kind pass, std::uint64_t version) final {
    convolution_passes& passes =
        passes_.try_emplace(photos, session_, window_, fine_shape_, coarse_shape_, photos).first->second;
    prepare_ahead(passes);
    if (pass == pass_kind::training) {
      prepare_back(passes);
      passes.prepare_gradient();
      (void)filter_gradient_.at_least(context(), window_.packed_size());
    }
    if (version_ == version) return;
    float* const packed = filter_.at_least(context(), window_.packed_size());
    launch(cover(window_.packed_size(), kNetworkThreads), context().stream(), pack_filter<float>, window_.packed_size(),
           window_.filter, kernel_.values, packed);
    version_ = version;
  }

  void backward(const layer_batch& batch, const layer_gradients& gradients) final {
    convolution_passes& passes = passes_of(batch);
    const std::size_t pixels = batch.photos * out_.pixels();
    if (bias_) {
      queue_channel_sums(
          session_, pixels, out_.channels,
          bias_gradient_term{gradients.diff_out, batch.out, static_cast<unsigned>(out_.channels), rectifier_slope_},
          store_first_sum{gradients.of(*bias_)});
    } else if (rectifies()) {
      queue_values(session_, pixels * out_.channels,
                   rectifier_gradient{gradients.diff_out, batch.out, gradients.diff_out, rectifier_slope_});
    }
    queue_filter_gradient(passes, batch.in, gradients.diff_out, filter_gradient_.get());
    launch(cover(window_.plain_size(), kNetworkThreads), context().stream(), unpack_filter<float>, window_.plain_size(),
           window_.filter, filter_gradient_.get(), gradients.of(kernel_));
    if (gradients.diff_in != nullptr) queue_back(passes, gradients.diff_out, gradients.diff_in);
  }

 protected:
  template <class Specification>
  convolution_base(const layer_setup& setup, const Specification& spec, const feature_shape& fine,
                   const feature_shape& coarse)
      : layer(setup),
        fine_shape_(fine),
        coarse_shape_(coarse),
        window_(spec, fine, coarse),
        kernel_(setup.parameters[0]) {
    if (spec.bias) bias_ = setup.parameters[1];
  }

  virtual void prepare_ahead(convolution_passes& passes) const = 0;
  virtual void prepare_back(convolution_passes& passes) const = 0;
  virtual void queue_back(const convolution_passes& passes, const float* diff_out, float* diff_in) const = 0;
  virtual void queue_filter_gradient(const convolution_passes& passes, const float* in, const float* diff_out,
                                     float* filter) const = 0;

  [[nodiscard]] convolution_passes& passes_of(const layer_batch& batch) { return passes_.find(batch.photos)->second; }

  /// What cuDNN has not done to the output.
  void queue_bias_and_rectifier(const layer_batch& batch) const {
    if (!bias_ && !rectifies()) return;
    queue_values(session_, batch.photos * out_.size(),
                 bias_and_rectifier{batch.out, bias_ ? bias_->values : nullptr, static_cast<unsigned>(out_.channels),
                                    rectifier_slope_});
  }

  feature_shape fine_shape_;
  feature_shape coarse_shape_;
  symmetric_window window_;
  parameter_view kernel_;
  std::optional<parameter_view> bias_;
  growing_device_buffer<float> filter_;

 private:
  std::map<std::size_t, convolution_passes> passes_;  // by photos
  growing_device_buffer<float> filter_gradient_;
  std::uint64_t version_ = 0;
};

class convolution_layer final : public convolution_base {
 public:
  convolution_layer(const layer_setup& setup, const convolution& spec)
      : convolution_base(setup, spec, setup.in, setup.out),
        activation_(make_cudnn_activation(rectifies() ? CUDNN_ACTIVATION_RELU : CUDNN_ACTIVATION_IDENTITY)) {}

  void forward(const layer_batch& batch) override {
    convolution_passes& passes = passes_of(batch);
    const bool can_fuse = bias_ && (rectifier_slope_ == 0.0f || !rectifies());
    if (can_fuse && passes.queue_to_coarse_with(bias_->values, activation_.get(), filter_.get(), batch.in, batch.out)) {
      return;
    }
    passes.queue_to_coarse(filter_.get(), batch.in, batch.out);
    queue_bias_and_rectifier(batch);
  }

 private:
  void prepare_ahead(convolution_passes& passes) const override { passes.prepare_to_coarse(); }
  void prepare_back(convolution_passes& passes) const override { passes.prepare_to_fine(); }
  void queue_back(const convolution_passes& passes, const float* diff_out, float* diff_in) const override {
    passes.queue_to_fine(filter_.get(), diff_out, diff_in);
  }
  void queue_filter_gradient(const convolution_passes& passes, const float* in, const float* diff_out,
                             float* filter) const override {
    passes.queue_gradient(in, diff_out, filter);
  }

  cudnn_activation activation_;
};

class transposed_convolution_layer final : public convolution_base {
 public:
  transposed_convolution_layer(const layer_setup& setup, const transposed_convolution& spec)
      : convolution_base(setup, spec, setup.out, setup.in) {}

  void forward(const layer_batch& batch) override {
    passes_of(batch).queue_to_fine(filter_.get(), batch.in, batch.out);
    queue_bias_and_rectifier(batch);
  }

 private:
  void prepare_ahead(convolution_passes& passes) const override { passes.prepare_to_fine(); }
  void prepare_back(convolution_passes& passes) const override { passes.prepare_to_coarse(); }
  void queue_back(const convolution_passes& passes, const float* diff_out, float* diff_in) const override {
    passes.queue_to_coarse(filter_.get(), diff_out, diff_in);
  }
  void queue_filter_gradient(const convolution_passes& passes, const float* in, const float* diff_out,
                             float* filter) const override {
    passes.queue_gradient(diff_out, in, filter);
  }
};

}  // namespace imgsim::cuda
