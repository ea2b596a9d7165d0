// Batch normalisation with the rectifier after it, by kernels of our own (batch_norm_kernel.cuh). cuDNN's would pass
// over the batch twice more for the rectifier, and does not say what it makes of the variance of a single value.
#pragma once

#include <cstddef>
#include <cstdint>

#include <imgsim/cuda/network/batch_norm_kernel.cuh>
#include <imgsim/cuda/network/launches.cuh>
#include <imgsim/cuda/network/layer.hpp>
#include <imgsim/model/layer_spec.hpp>

namespace imgsim::cuda {

class batch_norm_layer final : public layer {
 public:
  batch_norm_layer(const layer_setup& setup, const batch_normalization& spec)
      : layer(setup),
        gamma_(setup.parameters[0]),
        beta_(setup.parameters[1]),
        parameters_{gamma_.values, beta_.values, setup.parameters[2].values, setup.parameters[3].values,
                    spec.momentum, spec.epsilon},
        floats_(context().allocate<float>(5 * in_.channels)),
        doubles_(context().allocate<double>(2 * in_.channels)) {
    const std::size_t n = in_.channels;
    float* const f = floats_.get();
    double* const d = doubles_.get();
    state_ = {f, f + n, f + 2 * n, d, d + n, f + 3 * n, f + 4 * n};
  }

  void prepare(std::size_t, pass_kind pass, std::uint64_t version) override {
    if (pass == pass_kind::training) {
      inference_version_ = 0;  // the state will be that of a batch
    } else if (inference_version_ != version) {
      const auto channels = static_cast<unsigned>(in_.channels);
      launch(cover(channels, kNetworkThreads), context().stream(), prepare_inference<batch_norm_parameters>, channels,
             state_, parameters_);
      inference_version_ = version;
    }
  }

  void forward(const layer_batch& batch) override {
    const auto channels = static_cast<unsigned>(in_.channels);
    if (batch.pass == pass_kind::training) {
      queue_channel_sums(session_, batch.photos * in_.pixels(), in_.channels,
                         moments_term{batch.in, parameters_.moving_mean, channels},
                         finish_moments{state_, parameters_, count(batch)});
    }
    queue_values(session_, batch.photos * in_.size(),
                 batch_norm_values{batch.in, batch.out, state_, channels, rectifier_slope_});
  }

  void backward(const layer_batch& batch, const layer_gradients& gradients) override {
    const auto channels = static_cast<unsigned>(in_.channels);
    queue_channel_sums(
        session_, batch.photos * in_.pixels(), in_.channels,
        batch_norm_gradient_term{gradients.diff_out, batch.in, state_, channels, rectifier_slope_},
        finish_batch_norm_gradient{state_, gamma_.values, gradients.of(gamma_), gradients.of(beta_), count(batch)});
    if (gradients.diff_in == nullptr) return;
    queue_values(
        session_, batch.photos * in_.size(),
        batch_norm_gradient{gradients.diff_out, batch.in, gradients.diff_in, state_, channels, rectifier_slope_});
  }

 private:
  [[nodiscard]] double count(const layer_batch& batch) const {
    return static_cast<double>(batch.photos) * static_cast<double>(in_.pixels());
  }

  parameter_view gamma_;
  parameter_view beta_;
  batch_norm_parameters parameters_;
  device_buffer<float> floats_;
  device_buffer<double> doubles_;
  batch_norm_state state_{};
  std::uint64_t inference_version_ = 0;
};

}  // namespace imgsim::cuda
