// The autoencoder's layers on a CUDA device, over cuDNN and cuBLASLt. Include it to use autoencoder<cuda_context>; link
// with both libraries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <imgsim/core/error.hpp>
#include <imgsim/cuda/context.hpp>
#include <imgsim/cuda/network/executor.cuh>
#include <imgsim/cuda/network/policy.hpp>
#include <imgsim/model/autoencoder.hpp>
#include <imgsim/model/backend.hpp>

namespace imgsim {

/// Activations are [B, H, W, C] float32. All work is queued on the context's stream, and each call waits for its answer
/// or for what it reads from the caller's memory. With the default policy results are the same bytes in every run on
/// one kind of device, and what is made of a photo in inference does not depend on the photos beside it.
template <>
class network_backend<cuda_context> {
 public:
  /// Throws invalid_argument for bfloat16, which this backend does not compute in.
  network_backend(const cuda_context& context, const network_plan& plan, precision arithmetic,
                  const cuda::network_policy& policy = {}) {
    IMGSIM_EXPECTS(arithmetic == precision::float32, "the CUDA backend computes networks in float32, not in bfloat16");
    IMGSIM_EXPECTS(policy.inference_batch > 0, "a batch of inference holds at least one photo");
    executor_ = std::make_unique<cuda::executor>(context, plan, policy);
  }

  void write_parameter(std::size_t index, std::span<const float> values) {
    executor_->parameters().write(index, values);
    executor_->parameters_changed();
  }
  void read_parameter(std::size_t index, std::span<float> values) const { executor_->parameters().read(index, values); }
  void write_moments(std::size_t index, std::span<const float> first, std::span<const float> second) {
    executor_->parameters().write_moments(index, first, second);
  }
  void read_moments(std::size_t index, std::span<float> first, std::span<float> second) const {
    executor_->parameters().read_moments(index, first, second);
  }

  step_loss train_step(const training_batch& batch, const adam_step& adam, std::uint64_t step) {
    return executor_->train_step(batch, adam, step);
  }
  step_loss evaluate(const photo_pixels& photos) { return executor_->evaluate(photos); }
  void reconstruct(const photo_pixels& photos, view<float, 4> out) { executor_->reconstruct(photos, out); }
  void encode(const photo_pixels& photos, matrix_view<float> features) { executor_->encode(photos, features); }

 private:
  std::unique_ptr<cuda::executor> executor_;
};

static_assert(has_network_backend<cuda_context>);

}  // namespace imgsim
