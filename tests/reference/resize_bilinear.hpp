// Triangle-filter resizing by its definition, in double, for one output pixel and channel.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <imgsim/core/view.hpp>

namespace imgsim_reference {

/// The triangle of output position i of n over m input pixels, at input pixel t; not normalised.
inline double triangle_weight(std::size_t i, std::size_t n, std::size_t m, std::size_t t) {
  const double scale = static_cast<double>(m) / static_cast<double>(n);
  const double centre = (static_cast<double>(i) + 0.5) * scale - 0.5;
  return std::max(0.0, 1.0 - std::abs(static_cast<double>(t) - centre) / std::max(1.0, scale));
}

/// The weighted mean of all input pixels.
inline double resized_pixel(const imgsim::view<const std::uint8_t, 3>& in, std::size_t out_height,
                            std::size_t out_width, std::size_t y, std::size_t x, std::size_t c) {
  double sum = 0.0, weights = 0.0;
  for (std::size_t v = 0; v < in.extent(0); ++v) {
    const double down = triangle_weight(y, out_height, in.extent(0), v);
    if (down == 0.0) continue;
    for (std::size_t u = 0; u < in.extent(1); ++u) {
      const double weight = down * triangle_weight(x, out_width, in.extent(1), u);
      sum += weight * in(v, u, c);
      weights += weight;
    }
  }
  return sum / weights;
}

}  // namespace imgsim_reference
