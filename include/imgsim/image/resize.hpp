// Bilinear resizing as Pillow's Image.resize(size, Image.BILINEAR) does it, bit for bit.
//
// A triangle filter whose support grows with the shrink factor, so that no input pixel is passed over: output pixel i
// of n out of m has its centre at (i + 1/2) m/n, and its weights fall linearly to zero over max(m/n, 1) pixels on both
// sides. Rows first, then columns; weights are integers in units of 2^-22 and the rows' result is rounded to 8 bits.
// Integers make the result the same on every machine.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

namespace detail {

/// 8 bits of pixel, 22 of weight, 1 of sign and 1 to spare are an int32.
inline constexpr int kResizeBits = 22;
inline constexpr std::int32_t kResizeHalf = 1 << (kResizeBits - 1);

/// The weights of one axis.
struct resize_weights {
  struct window {
    std::size_t begin = 0;  // first input pixel
    std::size_t count = 0;
  };
  std::vector<window> windows;        // [out]
  std::vector<std::int32_t> weights;  // [out, stride]; zero beyond a window's count
  std::size_t stride = 0;             // even, so that weights can be taken in pairs

  void set(std::size_t in, std::size_t out) {
    const double scale = static_cast<double>(in) / static_cast<double>(out);
    const double support = std::max(scale, 1.0);
    stride = 2 * static_cast<std::size_t>(std::ceil(support)) + 2;
    windows.assign(out, {});
    weights.assign(out * stride, 0);
    std::vector<double> exact(stride);
    for (std::size_t i = 0; i < out; ++i) {
      const double centre = (static_cast<double>(i) + 0.5) * scale;
      const auto begin = static_cast<std::size_t>(std::max(centre - support + 0.5, 0.0));
      const auto end = std::min(static_cast<std::size_t>(centre + support + 0.5), in);
      double sum = 0.0;
      for (std::size_t t = begin; t < end; ++t) {
        const double distance = std::abs((static_cast<double>(t) - centre + 0.5) * (1.0 / support));
        sum += exact[t - begin] = std::max(1.0 - distance, 0.0);
      }
      windows[i] = {begin, end - begin};
      for (std::size_t t = 0; t < end - begin; ++t)
        weights[i * stride + t] = static_cast<std::int32_t>(0.5 + exact[t] / sum * (1 << kResizeBits));
    }
  }
};

/// Rounds to a pixel. Weights are never negative and add up to 2^22 + count at most, so only the top can be exceeded.
[[nodiscard]] constexpr std::uint8_t to_pixel(std::int32_t sum) noexcept {
  return static_cast<std::uint8_t>(std::min(sum >> kResizeBits, 255));
}

}  // namespace detail

/// Resizes photo after photo with the same memory. One thread at a time.
class bilinear_resizer {
 public:
  /// `in` [H, W, 3] and `out` [h, w, 3], rows may be strided; they must not overlap. Throws invalid_argument for other
  /// shapes, or where there are pixels to make but none to make them from. O((H w + h w) (1 + shrink factor)).
  void operator()(view<const std::uint8_t, 3> in, view<std::uint8_t, 3> out) {
    IMGSIM_EXPECTS(in.extent(2) == 3 && in.stride(1) == 3, "a photo to resize is [H, W, 3] with dense rows, not ",
                   shape_text(in));
    IMGSIM_EXPECTS(out.extent(2) == 3 && out.stride(1) == 3, "a resized photo is [H, W, 3] with dense rows, not ",
                   shape_text(out));
    if (out.empty()) return;
    IMGSIM_EXPECTS(!in.empty(), "an empty photo ", shape_text(in), " cannot be resized to ", shape_text(out));
    set_axis(across_, in.extent(1), out.extent(1));
    set_axis(down_, in.extent(0), out.extent(0));

    const std::size_t row = 3 * out.extent(1);
    narrowed_.resize(in.extent(0) * row);
    for (std::size_t y = 0; y < in.extent(0); ++y)
      resize_row(in.data() + y * in.stride(0), in.extent(1), narrowed_.data() + y * row, out.extent(1));
    for (std::size_t y = 0; y < out.extent(0); ++y) combine_rows(y, row, out.data() + y * out.stride(0));
  }

 private:
  struct axis {
    std::size_t in = 0, out = 0;
    detail::resize_weights table;
  };

  static void set_axis(axis& a, std::size_t in, std::size_t out) {
    if (a.in == in && a.out == out) return;
    a.in = a.out = 0;  // stays unset where the table's memory cannot be had
    a.table.set(in, out);
    a.in = in;
    a.out = out;
  }

  /// One row, `width` to `out_width` pixels. Pixels are widened once to four lanes (red, green, blue, unused), so that
  /// a tap is one multiply-add of a vector.
  void resize_row(const std::uint8_t* in, std::size_t width, std::uint8_t* out, std::size_t out_width) {
    lanes_.resize(width);
    for (std::size_t x = 0; x < width; ++x) lanes_[x] = lanes{in[3 * x], in[3 * x + 1], in[3 * x + 2], 0};
    const detail::resize_weights& table = across_.table;
    for (std::size_t x = 0; x < out_width; ++x) {
      const auto [begin, count] = table.windows[x];
      const std::int32_t* weight = table.weights.data() + x * table.stride;
      lanes sum{detail::kResizeHalf, detail::kResizeHalf, detail::kResizeHalf, 0};
      for (std::size_t t = 0; t < count; ++t) sum += lanes_[begin + t] * weight[t];
      for (int c = 0; c < 3; ++c) out[3 * x + static_cast<std::size_t>(c)] = detail::to_pixel(sum[c]);
    }
  }

  /// Output row y from the narrowed rows, a block of columns at a time.
  void combine_rows(std::size_t y, std::size_t row, std::uint8_t* out) const {
    constexpr std::size_t kBlock = 64;
    const auto [begin, count] = down_.table.windows[y];
    const std::int32_t* weight = down_.table.weights.data() + y * down_.table.stride;
    std::size_t x = 0;
    for (; x + kBlock <= row; x += kBlock) combine_block<kBlock>(begin, count, weight, row, x, out);
    for (; x < row; ++x) combine_block<1>(begin, count, weight, row, x, out);
  }

  template <std::size_t Columns>
  void combine_block(std::size_t begin, std::size_t count, const std::int32_t* weight, std::size_t row, std::size_t x,
                     std::uint8_t* out) const {
    std::array<std::int32_t, Columns> sum;
    sum.fill(detail::kResizeHalf);
    for (std::size_t t = 0; t < count; ++t) {
      const std::uint8_t* in = narrowed_.data() + (begin + t) * row + x;
      for (std::size_t i = 0; i < Columns; ++i) sum[i] += in[i] * weight[t];
    }
    for (std::size_t i = 0; i < Columns; ++i) out[x + i] = detail::to_pixel(sum[i]);
  }

  using lanes = std::int32_t __attribute__((vector_size(16)));

  axis across_, down_;
  std::vector<lanes> lanes_;            // [W]
  std::vector<std::uint8_t> narrowed_;  // [H, w, 3]
};

/// `in` [H, W, 3] to `out` [h, w, 3]; see bilinear_resizer, which saves memory traffic where many photos are resized.
inline void resize_bilinear(view<const std::uint8_t, 3> in, view<std::uint8_t, 3> out) {
  bilinear_resizer{}(in, out);
}

}  // namespace imgsim
