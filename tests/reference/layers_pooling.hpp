// Pooling and upsampling in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "reference/layers.hpp"

namespace reference {

inline image pool_max(const image& in, std::size_t window_h, std::size_t window_w, std::size_t stride_h,
                      std::size_t stride_w, bool same) {
  image out(same ? (in.height + stride_h - 1) / stride_h : (in.height - window_h) / stride_h + 1,
            same ? (in.width + stride_w - 1) / stride_w : (in.width - window_w) / stride_w + 1, in.channels);
  const long top = same ? same_padding(in.height, out.height, window_h, stride_h) : 0;
  const long left = same ? same_padding(in.width, out.width, window_w, stride_w) : 0;
  for (std::size_t y = 0; y < out.height; ++y)
    for (std::size_t x = 0; x < out.width; ++x)
      for (std::size_t c = 0; c < in.channels; ++c) {
        double best = -std::numeric_limits<double>::infinity();
        for (long row = static_cast<long>(y * stride_h) - top; row < static_cast<long>(y * stride_h + window_h) - top;
             ++row)
          for (long column = static_cast<long>(x * stride_w) - left;
               column < static_cast<long>(x * stride_w + window_w) - left; ++column)
            if (row >= 0 && column >= 0 && row < static_cast<long>(in.height) && column < static_cast<long>(in.width))
              best = std::max(best, in.at(static_cast<std::size_t>(row), static_cast<std::size_t>(column), c));
        out.at(y, x, c) = best;
      }
  return out;
}

inline image enlarge(const image& in, std::size_t factor_h, std::size_t factor_w, bool bilinear) {
  image out(in.height * factor_h, in.width * factor_w, in.channels);
  const auto clamped = [](double position, std::size_t n) {
    return static_cast<std::size_t>(std::clamp(position, 0.0, static_cast<double>(n - 1)));
  };
  for (std::size_t y = 0; y < out.height; ++y)
    for (std::size_t x = 0; x < out.width; ++x)
      for (std::size_t c = 0; c < in.channels; ++c) {
        if (!bilinear) {
          out.at(y, x, c) = in.at(y / factor_h, x / factor_w, c);
          continue;
        }
        const double v = (static_cast<double>(y) + 0.5) / static_cast<double>(factor_h) - 0.5;
        const double u = (static_cast<double>(x) + 0.5) / static_cast<double>(factor_w) - 0.5;
        const double fv = v - std::floor(v), fu = u - std::floor(u);
        const std::size_t y0 = clamped(std::floor(v), in.height), y1 = clamped(std::floor(v) + 1, in.height);
        const std::size_t x0 = clamped(std::floor(u), in.width), x1 = clamped(std::floor(u) + 1, in.width);
        out.at(y, x, c) = (1 - fv) * ((1 - fu) * in.at(y0, x0, c) + fu * in.at(y0, x1, c)) +
                          fv * ((1 - fu) * in.at(y1, x0, c) + fu * in.at(y1, x1, c));
      }
  return out;
}

/// (mean of max(x, floor)^exponent)^(1 / exponent) over cells [floor(i n / g), ceil((i + 1) n / g)).
inline image pool_generalised_mean(const image& in, std::size_t grid, double exponent, double floor) {
  image out(grid, grid, in.channels);
  for (std::size_t i = 0; i < grid; ++i)
    for (std::size_t j = 0; j < grid; ++j)
      for (std::size_t c = 0; c < in.channels; ++c) {
        double sum = 0.0, count = 0.0;
        for (std::size_t y = 0; y < in.height; ++y)
          for (std::size_t x = 0; x < in.width; ++x) {
            if ((y + 1) * grid <= i * in.height || y * grid >= (i + 1) * in.height) continue;
            if ((x + 1) * grid <= j * in.width || x * grid >= (j + 1) * in.width) continue;
            sum += std::pow(std::max(in.at(y, x, c), floor), exponent);
            count += 1.0;
          }
        out.at(i, j, c) = std::pow(sum / count, 1.0 / exponent);
      }
  return out;
}

}  // namespace reference
