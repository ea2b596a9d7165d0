// From an architecture to a checked plan: every shape, parameter and tap worked out once, for all backends.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <numeric>
#include <string>
#include <variant>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/model/architecture.hpp>
#include <imgsim/model/layer_shapes.hpp>

namespace imgsim {

enum class parameter_role { kernel, bias, gamma, beta, moving_mean, moving_variance };

/// Statistics are moved by training, but not by its gradient.
[[nodiscard]] constexpr bool is_trained(parameter_role role) noexcept {
  return role != parameter_role::moving_mean && role != parameter_role::moving_variance;
}

struct planned_parameter {
  std::string name;  ///< "encoder.0.kernel"
  std::vector<std::size_t> shape;
  parameter_role role = parameter_role::kernel;
  std::size_t fan_in = 0;  ///< kernels only, as in Glorot and Bengio, 2010
  std::size_t fan_out = 0;

  [[nodiscard]] std::size_t size() const noexcept {
    return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
  }
};

struct planned_layer {
  std::string name;  ///< "encoder.0": the half and the position in it
  layer_operation operation;
  feature_shape in;
  feature_shape out;
  std::size_t first_parameter = 0;  ///< into network_plan::parameters, in the order kernel/gamma, bias/beta, statistics
  std::size_t parameter_count = 0;
};

struct planned_tap {
  std::size_t layer = 0;  ///< its output is pooled
  pool_kind pool = pool_kind::flat;
  double exponent = 1.0;
  std::size_t grid = 1;
  std::size_t offset = 0;  ///< first column in the features
  std::size_t width = 0;
};

/// Values below it count as it.
[[nodiscard]] constexpr double tap_floor(const planned_tap& t) noexcept {
  return t.pool == pool_kind::mean ? -std::numeric_limits<double>::infinity() : kGeneralisedMeanFloor;
}

/// Whether a tap says nothing of where in the photo a thing is.
[[nodiscard]] constexpr bool pools_a_layer(const planned_tap& t) noexcept {
  return t.pool != pool_kind::flat && t.grid == 1;
}

struct network_plan {
  feature_shape input;
  std::vector<planned_layer> layers;  ///< the encoder's, then the decoder's
  std::size_t encoder_layers = 0;
  std::vector<planned_parameter> parameters;
  std::vector<planned_tap> taps;
  std::size_t feature_size = 0;
  /// Those taps that pool a whole layer into one value a channel: what two views of a photo can agree in. Offsets count
  /// among these alone.
  std::vector<planned_tap> view_taps;
  std::size_t view_size = 0;
  loss_kind loss = loss_kind::mean_squared_error;
  double kernel_l2 = 0.0;

  /// Without one the network encodes, and can neither be trained nor reconstruct.
  [[nodiscard]] bool has_decoder() const noexcept { return encoder_layers < layers.size(); }

  [[nodiscard]] std::size_t trained_size() const noexcept {
    std::size_t n = 0;
    for (const planned_parameter& p : parameters) n += is_trained(p.role) ? p.size() : 0;
    return n;
  }
};

/// Numbers that a photo and one kernel may have; output_shape limits what lies between. Larger ones are damage, and
/// their products would not fit in 64 bits.
inline constexpr std::size_t kMaxLayerSize = std::size_t{1} << 31;

namespace detail {

[[nodiscard]] constexpr bool fits_layer(std::initializer_list<std::size_t> extents) noexcept {
  std::size_t size = 1;
  for (const std::size_t extent : extents) {
    if (extent > kMaxLayerSize / size) return false;
    size *= std::max<std::size_t>(extent, 1);
  }
  return true;
}

class plan_builder {
 public:
  explicit plan_builder(const architecture& description) : description_(description) {}

  [[nodiscard]] network_plan build() {
    check_numbers();
    plan_.input = {description_.height, description_.width, description_.channels};
    plan_.loss = description_.loss;
    plan_.kernel_l2 = description_.kernel_l2;
    feature_shape shape = add_half("encoder", description_.encoder, plan_.input);
    plan_.encoder_layers = plan_.layers.size();
    shape = add_half("decoder", description_.decoder, shape);
    IMGSIM_EXPECTS(!plan_.has_decoder() || shape == plan_.input, "the decoder's output is ", shape_text(shape),
                   ", the photos are ", shape_text(plan_.input),
                   ": a stride, pooling or upsampling does not divide the size, or filters are wrong");
    for (const tap& t : description_.embedding.taps) add_tap(t);
    return std::move(plan_);
  }

 private:
  void check_numbers() const {
    IMGSIM_EXPECTS(description_.height > 0 && description_.width > 0 && description_.channels > 0,
                   "the input size of an architecture must be positive");
    IMGSIM_EXPECTS(fits_layer({description_.height, description_.width, description_.channels}),
                   "the input of an architecture is too large");
    IMGSIM_EXPECTS(!description_.encoder.empty(), "an architecture needs an encoder");
    IMGSIM_EXPECTS(std::isfinite(description_.kernel_l2) && description_.kernel_l2 >= 0, "kernel_l2 must be >= 0");
    IMGSIM_EXPECTS(!description_.embedding.taps.empty(), "an embedding needs at least one tap");
    const std::vector<photo_statistic>& statistics = description_.embedding.statistics;
    IMGSIM_EXPECTS(statistics.empty() || description_.channels == 3, "photo statistics need photos of 3 channels, not ",
                   description_.channels);
    IMGSIM_EXPECTS(statistics.empty() || description_.embedding.whiten > 0,
                   "an embedding with photo statistics needs whitening: whiten must be above 0");
    for (auto at = statistics.begin(); at != statistics.end(); ++at)
      IMGSIM_EXPECTS(std::find(statistics.begin(), at, *at) == at, "the statistic ", entry_of(*at).name,
                     " is in the embedding twice");
  }

  feature_shape add_half(const std::string& half, const std::vector<layer_spec>& specs, feature_shape shape) {
    for (std::size_t i = 0; i < specs.size(); ++i) {
      planned_layer layer{half + "." + std::to_string(i), specs[i].operation, shape, {}, plan_.parameters.size(), 0};
      layer.out = output_shape(specs[i].operation, shape, layer.name);
      std::visit([&](const auto& operation) { add_parameters(layer, operation); }, specs[i].operation);
      layer.parameter_count = plan_.parameters.size() - layer.first_parameter;
      shape = layer.out;
      plan_.layers.push_back(std::move(layer));
    }
    return shape;
  }

  void add_parameters(const planned_layer& layer, const convolution& c) {
    check_kernel(layer, {c.kernel.height, c.kernel.width, layer.in.channels, c.filters});
    add_kernel(layer, {c.kernel.height, c.kernel.width, layer.in.channels, c.filters},
               c.kernel.height * c.kernel.width * layer.in.channels, c.kernel.height * c.kernel.width * c.filters);
    if (c.bias) add(layer, "bias", c.filters, parameter_role::bias);
  }
  // Keras counts a transposed kernel's fans by position, [.., .., out, in], as if it were a convolution's.
  void add_parameters(const planned_layer& layer, const transposed_convolution& c) {
    check_kernel(layer, {c.kernel.height, c.kernel.width, c.filters, layer.in.channels});
    add_kernel(layer, {c.kernel.height, c.kernel.width, c.filters, layer.in.channels},
               c.kernel.height * c.kernel.width * c.filters, c.kernel.height * c.kernel.width * layer.in.channels);
    if (c.bias) add(layer, "bias", c.filters, parameter_role::bias);
  }
  void add_parameters(const planned_layer& layer, const dense& d) {
    check_kernel(layer, {layer.in.channels, d.units});
    add_kernel(layer, {layer.in.channels, d.units}, layer.in.channels, d.units);
    if (d.bias) add(layer, "bias", d.units, parameter_role::bias);
  }
  void add_parameters(const planned_layer& layer, const batch_normalization&) {
    add(layer, "gamma", layer.in.channels, parameter_role::gamma);
    add(layer, "beta", layer.in.channels, parameter_role::beta);
    add(layer, "moving_mean", layer.in.channels, parameter_role::moving_mean);
    add(layer, "moving_variance", layer.in.channels, parameter_role::moving_variance);
  }
  template <class Operation>
  void add_parameters(const planned_layer&, const Operation&) {}

  static void check_kernel(const planned_layer& layer, std::initializer_list<std::size_t> extents) {
    IMGSIM_EXPECTS(fits_layer(extents), layer.name, ": its kernel is too large");
  }

  void add_kernel(const planned_layer& layer, std::vector<std::size_t> shape, std::size_t fan_in, std::size_t fan_out) {
    plan_.parameters.push_back({layer.name + ".kernel", std::move(shape), parameter_role::kernel, fan_in, fan_out});
  }
  void add(const planned_layer& layer, const char* name, std::size_t size, parameter_role role) {
    plan_.parameters.push_back({layer.name + "." + name, {size}, role, 0, 0});
  }

  void add_tap(const tap& t) {
    IMGSIM_EXPECTS(t.grid > 0, "tap '", t.layer, "': grid must be positive");
    IMGSIM_EXPECTS(std::isfinite(t.exponent) && t.exponent > 0, "tap '", t.layer, "': exponent must be positive");
    planned_tap planned{find_layer(t.layer), t.pool, t.pool == pool_kind::generalised_mean ? t.exponent : 1.0, t.grid,
                        plan_.feature_size,  0};
    const feature_shape shape = plan_.layers[planned.layer].out;
    if (t.pool == pool_kind::flat) {
      planned.grid = 1;
      planned.width = shape.size();
    } else {
      IMGSIM_EXPECTS(t.grid <= shape.height && t.grid <= shape.width, "tap '", t.layer, "': a grid of ", t.grid,
                     " does not fit a layer of ", shape_text(shape));
      planned.width = t.grid * t.grid * shape.channels;
    }
    plan_.feature_size += planned.width;
    plan_.taps.push_back(planned);
    if (!pools_a_layer(planned)) return;
    planned.offset = plan_.view_size;
    plan_.view_size += planned.width;
    plan_.view_taps.push_back(planned);
  }

  [[nodiscard]] std::size_t find_layer(const std::string& name) const {
    if (name == "code") return plan_.encoder_layers - 1;
    for (std::size_t i = 0; i < description_.encoder.size(); ++i) {
      if (description_.encoder[i].name == name) return i;
    }
    throw invalid_argument("tap '" + name + "' names no layer of the encoder");
  }

  const architecture& description_;
  network_plan plan_;
};

}  // namespace detail

/// Throws invalid_argument, naming the layer, where shapes do not fit, the decoder's output differs from the photos, or
/// a tap names no encoder layer.
[[nodiscard]] inline network_plan plan_network(const architecture& description) {
  return detail::plan_builder(description).build();
}

}  // namespace imgsim
