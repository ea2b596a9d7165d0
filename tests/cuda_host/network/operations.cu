#include "cuda_host/network/operations.hpp"

#include <imgsim/cuda/network.cuh>

#include "cuda_host/support/device_array.hpp"

namespace imgsim_test {

using namespace imgsim;

struct device_network::parts {
  test_stream stream;
  autoencoder<cuda_context> network;

  parts(const architecture& description, std::uint64_t seed, const cuda::network_policy& policy, precision arithmetic)
      : network(cuda_context(stream), description, arithmetic, seed, policy) {}
};

device_network::device_network(const architecture& description, std::uint64_t seed, const cuda::network_policy& policy,
                               precision arithmetic)
    : parts_(std::make_unique<parts>(description, seed, policy, arithmetic)) {}
device_network::device_network(device_network&&) noexcept = default;
device_network::~device_network() = default;

std::size_t device_network::feature_size() const {
  return parts_->network.feature_size();
}
std::vector<named_tensor> device_network::state() const {
  return parts_->network.state();
}
void device_network::load_state(std::span<const named_tensor> state) {
  parts_->network.load_state(state);
}
std::vector<named_tensor> device_network::optimizer_state() const {
  return parts_->network.optimizer_state();
}
void device_network::load_optimizer_state(std::span<const named_tensor> state) {
  parts_->network.load_optimizer_state(state);
}
step_loss device_network::train_step(view<const float, 4> photos, const adam_step& step) {
  return parts_->network.train_step(photos, step);
}
step_loss device_network::train_step(view<const std::uint8_t, 4> photos, const adam_step& step) {
  return parts_->network.train_step(photos, step);
}
step_loss device_network::train_step(const training_batch& batch, const adam_step& step) {
  return parts_->network.train_step(batch, step);
}
step_loss device_network::evaluate(view<const float, 4> photos) {
  return parts_->network.evaluate(photos);
}
step_loss device_network::evaluate(view<const std::uint8_t, 4> photos) {
  return parts_->network.evaluate(photos);
}
void device_network::reconstruct(view<const float, 4> photos, view<float, 4> out) {
  parts_->network.reconstruct(photos, out);
}
void device_network::encode(view<const float, 4> photos, matrix_view<float> features) {
  parts_->network.encode(photos, features);
}
void device_network::encode(view<const std::uint8_t, 4> photos, matrix_view<float> features) {
  parts_->network.encode(photos, features);
}

channel_sums_result device_bias_gradient(const std::vector<float>& gradient, const std::vector<float>& out,
                                         std::size_t channels, float slope) {
  const test_stream stream;
  cuda::network_session session(cuda_context(stream), {});
  const device_array<float> values(gradient), signs(out), sums(channels);
  const cuda_context::waits_if_thrown wait(session.context);
  cuda::queue_channel_sums(session, gradient.size() / channels, channels,
                           cuda::bias_gradient_term{values.get(), signs.get(), static_cast<unsigned>(channels), slope},
                           cuda::store_first_sum{sums.get()});
  return {sums.read(stream), values.read(stream)};
}

loss_result device_loss(loss_kind kind, bool after_sigmoid, const std::vector<float>& values,
                        const std::vector<float>& targets, float scale) {
  const test_stream stream;
  cuda::network_session session(cuda_context(stream), {});
  const device_array<float> from(values), to(targets), gradient(values.size());
  const device_array<double> total(1);
  const cuda_context::waits_if_thrown wait(session.context);
  cuda::loss_head{kind, after_sigmoid}.queue(session, values.size(), from.get(), to.get(), scale, gradient.get(),
                                             total.get());
  return {total.read(stream)[0], gradient.read(stream)};
}

}  // namespace imgsim_test
