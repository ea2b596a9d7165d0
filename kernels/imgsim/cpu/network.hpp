// The autoencoder's layers on the CPU, over oneDNN. Include it to use autoencoder<cpu_context>.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/network/executor.hpp>
#include <imgsim/model/autoencoder.hpp>
#include <imgsim/model/backend.hpp>

namespace imgsim {

/// Activations are [B, H, W, C]. The batch is cut into shards of a fixed number of photos, which the context's threads
/// share; oneDNN's own threads are not used, and the caller's OpenMP settings stay as they are. bfloat16 needs
/// avx512_bf16 or AMX.
template <>
class network_backend<cpu_context> {
 public:
  network_backend(const cpu_context& context, const network_plan& plan, precision arithmetic,
                  const cpu::network_policy& policy = {}) {
    if (arithmetic == precision::bfloat16) cpu::require_bfloat16();
    const auto type = arithmetic == precision::bfloat16 ? cpu::element::bfloat16 : cpu::element::float32;
    cpu::calling_onednn([&] { executor_ = std::make_unique<cpu::executor>(context, plan, type, policy); });
  }

  void write_parameter(std::size_t index, std::span<const float> values) {
    std::ranges::copy(values, executor_->parameters().values(index).begin());
    executor_->parameters_changed();
  }
  void read_parameter(std::size_t index, std::span<float> values) const {
    std::ranges::copy(std::as_const(*executor_).parameters().values(index), values.begin());
  }
  void write_moments(std::size_t index, std::span<const float> first, std::span<const float> second) {
    executor_->parameters().write_moments(index, first, second);
  }
  void read_moments(std::size_t index, std::span<float> first, std::span<float> second) const {
    const cpu::parameter_store& store = std::as_const(*executor_).parameters();
    std::ranges::fill(first, 0.0f);
    std::ranges::fill(second, 0.0f);
    std::ranges::copy(store.first_moment(index), first.begin());
    std::ranges::copy(store.second_moment(index), second.begin());
  }

  step_loss train_step(const training_batch& batch, const adam_step& adam, std::uint64_t step) {
    return cpu::calling_onednn([&] { return executor_->train_step(batch, adam, step); });
  }
  step_loss evaluate(const photo_pixels& photos) {
    return cpu::calling_onednn([&] { return executor_->evaluate(photos); });
  }
  void reconstruct(const photo_pixels& photos, view<float, 4> out) {
    cpu::calling_onednn([&] { executor_->reconstruct(photos, out); });
  }
  void encode(const photo_pixels& photos, matrix_view<float> features) {
    cpu::calling_onednn([&] { executor_->encode(photos, features); });
  }

 private:
  std::unique_ptr<cpu::executor> executor_;
};

}  // namespace imgsim
