// The seam between the host's autoencoder and what computes it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include <imgsim/core/view.hpp>
#include <imgsim/model/adam.hpp>
#include <imgsim/model/network_plan.hpp>

namespace imgsim {

/// Arithmetic of activations and compute weights. Master weights, sums, statistics and the loss are float32 or wider.
enum class precision { float32, bfloat16 };

/// data: mean over batch, pixels and channels. penalty: kernel_l2 * sum of squares of the kernels. invariance: that of
/// the views (invariance.hpp), times its weight.
struct step_loss {
  double data = 0.0;
  double penalty = 0.0;
  double invariance = 0.0;
  [[nodiscard]] double total() const noexcept { return data + penalty + invariance; }
};

/// Photos [B, H, W, C] as they came: bytes (value / 255) or floats in [0, 1].
using photo_pixels = std::variant<view<const std::uint8_t, 4>, view<const float, 4>>;

/// What a step learns from. `photos` go through the network, `targets`, of their shape, are what it is to make of them:
/// the same photos, or more of them than is shown. With an invariance above 0, photos b and b + B / 2 (B is even) are
/// two views of one photo, and network_plan::view_taps are trained to see the same in both (invariance.hpp).
struct training_batch {
  photo_pixels photos;
  photo_pixels targets;
  double invariance = 0.0;  ///< weight of that term beside the reconstruction
};

/// A network of one backend, made whole from a plan so that the backend may fuse, shard and lay out as it likes. A
/// backend is a specialisation with these members (host views; a device backend copies):
///
///   network_backend(const Context&, const network_plan&, precision);
///   void write_parameter(std::size_t index, std::span<const float>);       // index into plan.parameters, C order
///   void read_parameter(std::size_t index, std::span<float>) const;
///   void write_moments(std::size_t index, std::span<const float> first, std::span<const float> second);
///   void read_moments(std::size_t index, std::span<float> first, std::span<float> second) const;
///   step_loss train_step(const training_batch&, const adam_step&, std::uint64_t step);  // step counts from 1
///   step_loss evaluate(const photo_pixels&);
///   void reconstruct(const photo_pixels&, view<float, 4>);
///   void encode(const photo_pixels&, matrix_view<float>);
///
/// Moments of parameters begin at zero. Arguments come checked, B >= 1. A constructor may take options of the backend's
/// own after these; autoencoder passes them on.
template <class Context>
class network_backend {};

template <class Context>
concept has_network_backend = requires(
    const Context& context, const network_plan& plan, network_backend<Context>& backend, const training_batch& batch,
    const photo_pixels& photos, std::span<float> values, view<float, 4> out, matrix_view<float> features) {
  network_backend<Context>(context, plan, precision::float32);
  backend.write_parameter(std::size_t{}, values);
  backend.read_parameter(std::size_t{}, values);
  backend.write_moments(std::size_t{}, values, values);
  backend.read_moments(std::size_t{}, values, values);
  { backend.train_step(batch, adam_step{}, std::uint64_t{}) } -> std::same_as<step_loss>;
  { backend.evaluate(photos) } -> std::same_as<step_loss>;
  backend.reconstruct(photos, out);
  backend.encode(photos, features);
};

}  // namespace imgsim
