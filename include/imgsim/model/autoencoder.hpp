// The autoencoder that callers train and encode with, for any context whose backend implements networks.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <imgsim/core/context.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/model/architecture.hpp>
#include <imgsim/model/backend.hpp>
#include <imgsim/model/initialise.hpp>
#include <imgsim/model/invariance.hpp>
#include <imgsim/model/network_plan.hpp>
#include <imgsim/model/state.hpp>
#include <imgsim/model/state_transfer.hpp>

namespace imgsim {

/// A network with its weights, batch-norm statistics and optimiser. Photos are [B, H, W, C], channels last: bytes,
/// which are divided by 255, or floats in [0, 1]; each photo must be dense in memory. Results do not depend on the
/// number of threads of the context. Any batch size works; buffers are kept for the largest seen. Movable, not
/// copyable; to be used from one thread at a time. Errors: invalid_argument for shapes that do not fit, backend_error.
///
///   imgsim::cpu_context cpu;
///   imgsim::autoencoder network(cpu, imgsim::preset("default"), imgsim::precision::float32, /*seed=*/0);
///   const imgsim::step_loss loss = network.train_step(photos, {.learning_rate = 1e-3});
///   network.encode(photos, features);
template <execution_context Context>
class autoencoder {
  static_assert(has_network_backend<Context>,
                "this context's backend does not implement networks: include <imgsim/cpu/network.hpp> for cpu_context, "
                "<imgsim/cuda/network.cuh> for cuda_context");

 public:
  /// Glorot-uniform kernels and zero biases from `seed`. Throws invalid_argument where the layers do not fit together,
  /// or where the machine lacks what `arithmetic` needs (the message names the feature). `options`: what else this
  /// context's backend takes, such as cuda::network_policy.
  template <class... Options>
  autoencoder(const Context& context, architecture description, precision arithmetic, std::uint64_t seed,
              const Options&... options)
      : description_(std::move(description)),
        context_(context),
        arithmetic_(arithmetic),
        plan_(plan_network(description_)),
        backend_(context, plan_, arithmetic, options...) {
    detail::initialise_parameters(plan_, seed, backend_);
  }

  [[nodiscard]] const Context& context() const noexcept { return context_; }
  [[nodiscard]] const architecture& description() const noexcept { return description_; }
  [[nodiscard]] precision arithmetic() const noexcept { return arithmetic_; }
  [[nodiscard]] std::size_t height() const noexcept { return description_.height; }
  [[nodiscard]] std::size_t width() const noexcept { return description_.width; }
  [[nodiscard]] std::size_t channels() const noexcept { return description_.channels; }
  /// Width of the concatenated taps.
  [[nodiscard]] std::size_t feature_size() const noexcept { return plan_.feature_size; }
  /// Width of the taps that two views of a photo can agree in; 0: an invariance term has nothing to act on.
  [[nodiscard]] std::size_t view_size() const noexcept { return plan_.view_size; }
  /// Numbers that training changes by gradient.
  [[nodiscard]] std::size_t parameter_count() const noexcept { return plan_.trained_size(); }

  /// Weights and batch-norm statistics: "encoder.0.kernel", "encoder.0.bias", "decoder.2.gamma", "...beta",
  /// "...moving_mean", "...moving_variance"; the number counts the layers of that half. Kernel layouts: layer_spec.hpp.
  [[nodiscard]] std::vector<named_tensor> state() const { return detail::read_state(plan_, backend_); }
  /// Throws invalid_argument, and changes nothing, where a name or shape differs from state()'s. Order is free.
  void load_state(std::span<const named_tensor> state) { detail::write_state(plan_, state, backend_); }

  /// Adam's moments "encoder.0.kernel.first_moment" and "...second_moment", and "step", shape [1].
  [[nodiscard]] std::vector<named_tensor> optimizer_state() const {
    return detail::read_optimizer_state(plan_, step_, backend_);
  }
  /// As load_state; with load_state, training continues with the same numbers.
  void load_optimizer_state(std::span<const named_tensor> state) {
    step_ = detail::write_optimizer_state(plan_, state, backend_);
  }

  /// One step of Adam on the mean loss of the batch; returns the loss before the step.
  step_loss train_step(view<const std::uint8_t, 4> photos, const adam_step& step) {
    return train_step({.photos = photos, .targets = photos}, step);
  }
  step_loss train_step(view<const float, 4> photos, const adam_step& step) {
    return train_step({.photos = photos, .targets = photos}, step);
  }
  /// The same with targets and an invariance term of their own.
  step_loss train_step(const training_batch& batch, const adam_step& step) {
    check_training(batch);
    const step_loss loss = backend_.train_step(batch, step, step_ + 1);
    ++step_;
    return loss;
  }

  /// The loss in inference mode (stored batch-norm statistics); changes nothing.
  [[nodiscard]] step_loss evaluate(view<const std::uint8_t, 4> photos) { return evaluate_checked(photos); }
  [[nodiscard]] step_loss evaluate(view<const float, 4> photos) { return evaluate_checked(photos); }
  /// The same with an invariance term of this weight, of photos that are what training_batch says.
  [[nodiscard]] step_loss evaluate(const photo_pixels& photos, double invariance) {
    return std::visit(
        [&](const auto& views) {
          step_loss loss = evaluate_checked(views);
          if (invariance > 0.0) loss.invariance = invariance * disagreement(views);
          return loss;
        },
        photos);
  }

  /// out[B, H, W, C] = decoder(encoder(photos)).
  void reconstruct(view<const std::uint8_t, 4> photos, view<float, 4> out) { reconstruct_checked(photos, out); }
  void reconstruct(view<const float, 4> photos, view<float, 4> out) { reconstruct_checked(photos, out); }

  /// features[B, feature_size()]: the taps, before centring and whitening. B = 0 is allowed.
  void encode(view<const std::uint8_t, 4> photos, matrix_view<float> features) { encode_checked(photos, features); }
  void encode(view<const float, 4> photos, matrix_view<float> features) { encode_checked(photos, features); }

 private:
  void check_training(const training_batch& batch) const {
    const std::size_t photos = std::visit([this](const auto& p) { return check_photos(p), p.extent(0); }, batch.photos);
    const std::size_t targets =
        std::visit([this](const auto& p) { return check_photos(p), p.extent(0); }, batch.targets);
    check_decoder();
    IMGSIM_EXPECTS(photos > 0, "a training step needs at least one photo");
    IMGSIM_EXPECTS(photos == targets, photos, " photos cannot be made into ", targets);
    IMGSIM_EXPECTS(std::isfinite(batch.invariance) && batch.invariance >= 0.0,
                   "the weight of an invariance term must be at least 0, not ", batch.invariance);
    if (batch.invariance > 0.0) check_views(photos);
  }

  void check_views(std::size_t photos) const {
    IMGSIM_EXPECTS(photos % 2 == 0, "an invariance term needs two views of each photo, not ", photos, " in all");
    IMGSIM_EXPECTS(view_size() > 0, "an invariance term needs a tap that pools a whole layer (pool mean or ",
                   "generalised_mean, grid 1), which the network '", description_.name, "' has not");
  }

  /// The invariance loss of views, in inference mode.
  template <class T>
  [[nodiscard]] double disagreement(view<const T, 4> views) {
    check_views(views.extent(0));
    tensor<float, 2> features({views.extent(0), feature_size()});
    encode_checked(views, features.view());
    tensor<float, 2> compared({views.extent(0), view_size()});
    for (std::size_t i = 0; i < views.extent(0); ++i) {
      float* to = compared.view().row(i);
      for (const planned_tap& t : plan_.taps) {
        if (!pools_a_layer(t)) continue;
        to = std::copy_n(features.view().row(i) + t.offset, t.width, to);
      }
    }
    return invariance_loss()(std::as_const(compared).view());
  }

  template <class T>
  step_loss evaluate_checked(view<const T, 4> photos) {
    check_photos(photos);
    check_decoder();
    IMGSIM_EXPECTS(photos.extent(0) > 0, "the loss of no photos is not defined");
    return backend_.evaluate(photos);
  }

  template <class T>
  void reconstruct_checked(view<const T, 4> photos, view<float, 4> out) {
    check_photos(photos);
    check_photos(view<const float, 4>(out));
    check_decoder();
    IMGSIM_EXPECTS(photos.extent(0) == out.extent(0), photos.extent(0), " photos do not fit an output ",
                   shape_text(out));
    if (photos.extent(0) > 0) backend_.reconstruct(photos, out);
  }

  template <class T>
  void encode_checked(view<const T, 4> photos, matrix_view<float> features) {
    check_photos(photos);
    IMGSIM_EXPECTS(features.extent(0) == photos.extent(0) && features.extent(1) == feature_size(), "features ",
                   shape_text(features), " should be [", photos.extent(0), ", ", feature_size(), "]");
    if (photos.extent(0) > 0) backend_.encode(photos, features);
  }

  void check_decoder() const {
    IMGSIM_EXPECTS(plan_.has_decoder(), "this model is an encoder without a decoder: it can encode, and nothing else");
  }

  template <class T>
  void check_photos(view<const T, 4> photos) const {
    IMGSIM_EXPECTS(photos.extent(1) == height() && photos.extent(2) == width() && photos.extent(3) == channels(),
                   "photos ", shape_text(photos), " do not fit a network for [B, ", height(), ", ", width(), ", ",
                   channels(), "]");
    IMGSIM_EXPECTS(photos.extent(0) == 0 || photos.slice(0, 1).is_contiguous(),
                   "each photo must be dense in memory: rows of ", width() * channels(), " values");
  }

  architecture description_;
  Context context_;
  precision arithmetic_;
  network_plan plan_;
  network_backend<Context> backend_;
  std::uint64_t step_ = 0;
};

}  // namespace imgsim
