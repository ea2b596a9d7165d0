// What the tests of CUDA networks run; instances in operations.cu, which nvcc compiles, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <imgsim/core/view.hpp>
#include <imgsim/cuda/network/policy.hpp>
#include <imgsim/model/architecture.hpp>
#include <imgsim/model/backend.hpp>
#include <imgsim/model/state.hpp>

namespace imgsim_test {

/// Small enough that a test's batches are several of inference, the last one not full.
inline constexpr imgsim::cuda::network_policy kSmallBatches{.inference_batch = 4};

/// autoencoder<cuda_context> on a stream of its own.
class device_network {
 public:
  explicit device_network(const imgsim::architecture& description, std::uint64_t seed = 3,
                          const imgsim::cuda::network_policy& policy = kSmallBatches,
                          imgsim::precision arithmetic = imgsim::precision::float32);
  device_network(device_network&&) noexcept;
  ~device_network();

  [[nodiscard]] std::size_t feature_size() const;
  [[nodiscard]] std::vector<imgsim::named_tensor> state() const;
  void load_state(std::span<const imgsim::named_tensor> state);
  [[nodiscard]] std::vector<imgsim::named_tensor> optimizer_state() const;
  void load_optimizer_state(std::span<const imgsim::named_tensor> state);
  imgsim::step_loss train_step(imgsim::view<const float, 4> photos, const imgsim::adam_step& step);
  imgsim::step_loss train_step(imgsim::view<const std::uint8_t, 4> photos, const imgsim::adam_step& step);
  imgsim::step_loss train_step(const imgsim::training_batch& batch, const imgsim::adam_step& step);
  [[nodiscard]] imgsim::step_loss evaluate(imgsim::view<const float, 4> photos);
  [[nodiscard]] imgsim::step_loss evaluate(imgsim::view<const std::uint8_t, 4> photos);
  void reconstruct(imgsim::view<const float, 4> photos, imgsim::view<float, 4> out);
  void encode(imgsim::view<const float, 4> photos, imgsim::matrix_view<float> features);
  void encode(imgsim::view<const std::uint8_t, 4> photos, imgsim::matrix_view<float> features);

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

struct channel_sums_result {
  std::vector<float> sums;
  std::vector<float> gradient;  ///< after the rectifier's
};

/// Sums of gradient [pixels, channels] over the pixels, with the gradient of a rectifier that made `out`.
[[nodiscard]] channel_sums_result device_bias_gradient(const std::vector<float>& gradient,
                                                       const std::vector<float>& out, std::size_t channels,
                                                       float slope);

struct loss_result {
  double sum;
  std::vector<float> gradient;
};
[[nodiscard]] loss_result device_loss(imgsim::loss_kind kind, bool after_sigmoid, const std::vector<float>& values,
                                      const std::vector<float>& targets, float scale);

}  // namespace imgsim_test
