// What each layer makes of its input's shape.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <type_traits>
#include <variant>

#include <imgsim/core/error.hpp>
#include <imgsim/model/layer_spec.hpp>

namespace imgsim {

/// One photo's activations at some depth, [H, W, C]; a flat row is [1, 1, C].
struct feature_shape {
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 0;

  [[nodiscard]] constexpr std::size_t pixels() const noexcept { return height * width; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return height * width * channels; }
  bool operator==(const feature_shape&) const = default;
};

[[nodiscard]] inline std::string shape_text(const feature_shape& s) {
  return detail::concat("[", s.height, ", ", s.width, ", ", s.channels, "]");
}

/// A window sliding along one axis: the number of outputs and the zeros before and after.
struct window_extent {
  std::size_t out = 0;
  std::size_t pad_before = 0;
  std::size_t pad_after = 0;
};

/// `in` + padding >= `window` is required for `valid`; out is 0 otherwise.
[[nodiscard]] constexpr window_extent slide_window(std::size_t in, std::size_t window, std::size_t stride,
                                                   padding_kind padding) noexcept {
  if (padding == padding_kind::valid) return {in < window ? 0 : (in - window) / stride + 1, 0, 0};
  const std::size_t out = (in + stride - 1) / stride;
  const std::size_t reach = (out - 1) * stride + window;
  const std::size_t total = reach > in ? reach - in : 0;
  return {out, total / 2, total - total / 2};
}

/// The length that a transposed convolution makes of `in`.
[[nodiscard]] constexpr std::size_t transposed_extent(std::size_t in, std::size_t window, std::size_t stride,
                                                      padding_kind padding) noexcept {
  return in * stride + (padding == padding_kind::valid && window > stride ? window - stride : 0);
}

/// Rows [begin, end) of cell i of `grid` over n rows, 1 <= grid <= n; neighbouring cells share a row where n is no
/// multiple of grid.
struct cell_range {
  std::size_t begin = 0;
  std::size_t end = 0;
};
[[nodiscard]] constexpr cell_range grid_cell(std::size_t i, std::size_t grid, std::size_t n) noexcept {
  return {i * n / grid, ((i + 1) * n + grid - 1) / grid};
}

namespace detail {

inline void check_window(extent_2d window, extent_2d stride, const std::string& name) {
  IMGSIM_EXPECTS(window.height > 0 && window.width > 0 && stride.height > 0 && stride.width > 0, name,
                 ": window and stride must be positive");
}

inline feature_shape slide(const feature_shape& in, extent_2d window, extent_2d stride, padding_kind padding,
                           std::size_t channels, const std::string& name) {
  check_window(window, stride, name);
  const feature_shape out{slide_window(in.height, window.height, stride.height, padding).out,
                          slide_window(in.width, window.width, stride.width, padding).out, channels};
  IMGSIM_EXPECTS(out.height > 0 && out.width > 0, name, ": a window of ", window.height, " x ", window.width,
                 " does not fit an input of ", shape_text(in));
  return out;
}

inline feature_shape shape_after(const convolution& c, const feature_shape& in, const std::string& name) {
  IMGSIM_EXPECTS(c.filters > 0, name, ": filters must be positive");
  return slide(in, c.kernel, c.stride, c.padding, c.filters, name);
}

inline feature_shape shape_after(const transposed_convolution& c, const feature_shape& in, const std::string& name) {
  IMGSIM_EXPECTS(c.filters > 0, name, ": filters must be positive");
  check_window(c.kernel, c.stride, name);
  return {transposed_extent(in.height, c.kernel.height, c.stride.height, c.padding),
          transposed_extent(in.width, c.kernel.width, c.stride.width, c.padding), c.filters};
}

inline feature_shape shape_after(const max_pooling& p, const feature_shape& in, const std::string& name) {
  return slide(in, p.window, p.stride, p.padding, in.channels, name);
}

inline feature_shape shape_after(const upsampling& u, const feature_shape& in, const std::string& name) {
  IMGSIM_EXPECTS(u.factor.height > 0 && u.factor.width > 0, name, ": factor must be positive");
  return {in.height * u.factor.height, in.width * u.factor.width, in.channels};
}

inline feature_shape shape_after(const leaky_relu& a, const feature_shape& in, const std::string& name) {
  IMGSIM_EXPECTS(a.slope > 0 && a.slope < 1, name, ": slope ", a.slope, " is not between 0 and 1");
  return in;
}

inline feature_shape shape_after(const batch_normalization& b, const feature_shape& in, const std::string& name) {
  IMGSIM_EXPECTS(b.momentum >= 0 && b.momentum <= 1, name, ": momentum ", b.momentum, " is not in [0, 1]");
  IMGSIM_EXPECTS(std::isfinite(b.epsilon) && b.epsilon > 0, name, ": epsilon must be positive");
  return in;
}

inline feature_shape shape_after(const dense& d, const feature_shape& in, const std::string& name) {
  IMGSIM_EXPECTS(d.units > 0, name, ": units must be positive");
  IMGSIM_EXPECTS(in.pixels() == 1, name, ": a dense layer needs a flat input, not ", shape_text(in),
                 "; put flatten before it");
  return {1, 1, d.units};
}

inline feature_shape shape_after(const flatten&, const feature_shape& in, const std::string&) {
  return {1, 1, in.size()};
}

inline feature_shape shape_after(const reshape& r, const feature_shape& in, const std::string& name) {
  const feature_shape out{r.height, r.width, r.channels};
  IMGSIM_EXPECTS(out.size() == in.size(), name, ": ", shape_text(in), " cannot be reshaped to ", shape_text(out));
  return out;
}

inline feature_shape shape_after(const generalised_mean_pooling& g, const feature_shape& in, const std::string& name) {
  IMGSIM_EXPECTS(std::isfinite(g.exponent) && g.exponent > 0, name, ": exponent must be positive");
  IMGSIM_EXPECTS(g.grid > 0 && g.grid <= in.height && g.grid <= in.width, name, ": a grid of ", g.grid,
                 " does not fit an input of ", shape_text(in));
  return {g.grid, g.grid, in.channels};
}

inline feature_shape shape_after(const relu&, const feature_shape& in, const std::string&) {
  return in;
}
inline feature_shape shape_after(const sigmoid&, const feature_shape& in, const std::string&) {
  return in;
}

}  // namespace detail

/// Throws invalid_argument, beginning with `name`, where `operation` does not fit `in`, or its output would have 2^31
/// values or more a photo.
[[nodiscard]] inline feature_shape output_shape(const layer_operation& operation, const feature_shape& in,
                                                const std::string& name) {
  const feature_shape out = std::visit([&](const auto& o) { return detail::shape_after(o, in, name); }, operation);
  constexpr double kLargest = 2147483647.0;
  IMGSIM_EXPECTS(
      static_cast<double>(out.height) * static_cast<double>(out.width) * static_cast<double>(out.channels) <= kLargest,
      name, ": an output of ", shape_text(out), " is too large");
  return out;
}

}  // namespace imgsim
