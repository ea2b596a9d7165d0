// The layers of a network, as data. A new layer is one struct here, its JSON in architecture_json.hpp, its shapes
// in layer_shapes.hpp and its arithmetic in each backend.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>

namespace imgsim {

/// Two extents of an image: pixels, or photos' rows and columns of cells.
struct extent_2d {
  std::size_t height = 1;
  std::size_t width = 1;

  bool operator==(const extent_2d&) const = default;
};

/// How a window meets the border, as in Keras. `same`: ceil(in / stride) outputs; the zeros needed are split evenly,
/// the odd one after. `valid`: whole windows only.
enum class padding_kind { same, valid };

enum class interpolation_kind { nearest, bilinear };

/// Two-dimensional cross-correlation over [B,C,H,W]; kernel [kernel_h, kernel_w, in, filters].
struct convolution {
  std::size_t filters = 0;
  extent_2d kernel{3, 3};
  extent_2d stride{1, 1};
  padding_kind padding = padding_kind::same;
  bool bias = true;

  bool operator==(const convolution&) const = default;
};

/// The transpose of a convolution; kernel [kernel_h, kernel_w, filters, in]. `same` gives in * stride outputs, `valid`
/// in * stride + max(kernel - stride, 0).
struct transposed_convolution {
  std::size_t filters = 0;
  extent_2d kernel{3, 3};
  extent_2d stride{1, 1};
  padding_kind padding = padding_kind::same;
  bool bias = true;

  bool operator==(const transposed_convolution&) const = default;
};

/// The largest value of each window. The gradient goes to the first largest element of a window in row order.
struct max_pooling {
  extent_2d window{2, 2};
  extent_2d stride{2, 2};
  padding_kind padding = padding_kind::valid;

  bool operator==(const max_pooling&) const = default;
};

/// Enlarges by whole factors. Bilinear has half-pixel centres and repeats the edge.
struct upsampling {
  extent_2d factor{2, 2};
  interpolation_kind interpolation = interpolation_kind::nearest;

  bool operator==(const upsampling&) const = default;
};

/// max(x, 0)
struct relu {
  bool operator==(const relu&) const = default;
};

/// x where x > 0, slope * x elsewhere; 0 < slope < 1.
struct leaky_relu {
  double slope = 0.1;

  bool operator==(const leaky_relu&) const = default;
};

/// 1 / (1 + exp(-x))
struct sigmoid {
  bool operator==(const sigmoid&) const = default;
};

/// Ioffe and Szegedy, 2015 (arXiv:1502.03167). Training normalises by the mean and the biased variance of the whole
/// batch, and moves the stored statistics: moving = momentum * moving + (1 - momentum) * batch, with the unbiased
/// variance, as Keras and PyTorch do. Inference normalises by the stored ones.
struct batch_normalization {
  double momentum = 0.99;
  double epsilon = 1e-3;

  bool operator==(const batch_normalization&) const = default;
};

/// x W + b on a flat input; kernel [in, units].
struct dense {
  std::size_t units = 0;
  bool bias = true;

  bool operator==(const dense&) const = default;
};

/// [H, W, C] to one row of H * W * C, in that order.
struct flatten {
  bool operator==(const flatten&) const = default;
};

/// Any shape to [H, W, C] of equal size.
struct reshape {
  std::size_t height = 1;
  std::size_t width = 1;
  std::size_t channels = 1;

  bool operator==(const reshape&) const = default;
};

/// Per channel and cell of a grid x grid partition, (mean of max(x, kGeneralisedMeanFloor)^exponent)^(1/exponent):
/// exponent 1 is the mean, a large one nears the maximum (Radenovic et al., 2019, doi:10.1109/TPAMI.2018.2846566).
/// Cell i of g over n rows holds rows [floor(i * n / g), ceil((i + 1) * n / g)).
struct generalised_mean_pooling {
  double exponent = 3.0;
  std::size_t grid = 1;

  bool operator==(const generalised_mean_pooling&) const = default;
};

/// Values below this count as this in a generalised mean, which has no gradient at zero.
inline constexpr double kGeneralisedMeanFloor = 1e-6;

using layer_operation = std::variant<convolution, transposed_convolution, max_pooling, upsampling, relu, leaky_relu,
                                     sigmoid, batch_normalization, dense, flatten, reshape, generalised_mean_pooling>;

/// The slope at negative values of a ReLU or leaky ReLU; nothing for other layers.
[[nodiscard]] inline std::optional<double> rectifier_slope(const layer_operation& operation) {
  if (std::holds_alternative<relu>(operation)) return 0.0;
  if (const auto* leaky = std::get_if<leaky_relu>(&operation)) return leaky->slope;
  return std::nullopt;
}

/// One layer of a chain. `name` is what a tap refers to; it may be empty.
struct layer_spec {
  layer_operation operation;
  std::string name = {};

  bool operator==(const layer_spec&) const = default;
};

}  // namespace imgsim
