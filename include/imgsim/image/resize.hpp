// Bilinear resizing as Pillow's Image.resize(size, Image.BILINEAR) does it: the same pixels as Pillow 11, bit for bit.
//
// A triangle filter whose support grows with the shrink factor, so that no input pixel is passed over: output pixel i
// of n out of m has its centre at (i + 1/2) m/n, and its weights fall linearly to zero over max(m/n, 1) pixels on both
// sides. Rows first, then columns; weights are integers in units of 2^-22 and the rows' result is rounded to 8 bits.
// Sums of integers have no order, so every instruction set gives the same pixels.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/core/macros.hpp>
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

/// One photo to resize, as the kernels see it. Distances between rows are in bytes.
struct resize_job {
  const std::uint8_t* in;
  std::size_t in_height, in_width, in_stride;
  std::uint8_t* out;
  std::size_t out_height, out_width, out_stride;
  const resize_weights* across;
  const resize_weights* down;
  std::uint8_t* bytes;     // [max(W, w), 16], see narrow_rows
  std::int32_t* lanes;     // [W, 16]
  std::int32_t* sums;      // [w, 16]
  std::uint8_t* narrowed;  // [H, w, 3]
};

/// Rounds to a pixel. Weights are never negative and add up to 2^22 and a little, so only the top can be exceeded.
[[nodiscard]] IMGSIM_ALWAYS_INLINE std::uint8_t to_pixel(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::min(sum >> kResizeBits, 255));
}

/// Rows are narrowed four at a time, interleaved and with four bytes a pixel (red, green, blue and one unused), so that
/// a weight, once loaded, serves all of them and every inner loop runs over contiguous numbers.
inline constexpr std::size_t kResizeRows = 4;
inline constexpr std::size_t kResizeLanes = 4 * kResizeRows;
using resize_vector = std::int32_t __attribute__((vector_size(16), may_alias));

/// Input rows [y, y + 4) to out_width pixels each; rows past the last repeat it.
IMGSIM_ALWAYS_INLINE void narrow_rows(const resize_job& job, std::size_t y) {
  // Local copies: a store through a pointer to bytes could otherwise change the job itself.
  const std::size_t in_width = job.in_width, out_width = job.out_width;
  std::uint8_t* __restrict const bytes = job.bytes;
  std::int32_t* __restrict const lanes = job.lanes;
  std::int32_t* __restrict const sums = job.sums;

  // Four bytes are moved for three, so the last pixel of a row stands apart.
  for (std::size_t r = 0; r < kResizeRows; ++r) {
    const std::uint8_t* __restrict in = job.in + std::min(y + r, job.in_height - 1) * job.in_stride;
    for (std::size_t x = 0; x + 1 < in_width; ++x) std::memcpy(bytes + x * kResizeLanes + 4 * r, in + 3 * x, 4);
    std::memcpy(bytes + (in_width - 1) * kResizeLanes + 4 * r, in + 3 * (in_width - 1), 3);
  }
  for (std::size_t i = 0; i < in_width * kResizeLanes; ++i) lanes[i] = bytes[i];

  const resize_weights::window* windows = job.across->windows.data();
  const std::int32_t* weights = job.across->weights.data();
  const std::size_t weight_stride = job.across->stride;
  for (std::size_t x = 0; x < out_width; ++x) {
    const auto [begin, count] = windows[x];
    const std::int32_t* weight = weights + x * weight_stride;
    const auto* in = reinterpret_cast<const resize_vector*>(lanes + begin * kResizeLanes);
    resize_vector sum[kResizeRows];
    for (resize_vector& s : sum) s = resize_vector{} + kResizeHalf;
    for (std::size_t t = 0; t < count; ++t)
      for (std::size_t r = 0; r < kResizeRows; ++r) sum[r] += in[kResizeRows * t + r] * weight[t];
    for (std::size_t r = 0; r < kResizeRows; ++r) reinterpret_cast<resize_vector*>(sums + x * kResizeLanes)[r] = sum[r];
  }

  for (std::size_t i = 0; i < out_width * kResizeLanes; ++i) bytes[i] = to_pixel(sums[i]);
  for (std::size_t r = 0; r < std::min(kResizeRows, job.in_height - y); ++r) {
    std::uint8_t* __restrict out = job.narrowed + (y + r) * out_width * 3;
    for (std::size_t x = 0; x < out_width; ++x) std::memcpy(out + 3 * x, bytes + x * kResizeLanes + 4 * r, 3);
  }
}

/// Columns [x, x + Columns) of output row y, counted in bytes, from the narrowed rows.
template <std::size_t Columns>
IMGSIM_ALWAYS_INLINE void combine_rows(const resize_job& job, std::size_t y, std::size_t x) {
  const auto [begin, count] = job.down->windows[y];
  const std::int32_t* weight = job.down->weights.data() + y * job.down->stride;
  const std::size_t row = job.out_width * 3;
  const std::uint8_t* in = job.narrowed + begin * row + x;
  std::int32_t sum[Columns];
  for (std::size_t i = 0; i < Columns; ++i) sum[i] = kResizeHalf;
  for (std::size_t t = 0; t < count; ++t, in += row)
    for (std::size_t i = 0; i < Columns; ++i) sum[i] += in[i] * weight[t];
  std::uint8_t* out = job.out + y * job.out_stride + x;
  for (std::size_t i = 0; i < Columns; ++i) out[i] = to_pixel(sum[i]);
}

IMGSIM_ALWAYS_INLINE void resize_both_ways(const resize_job& job) {
  constexpr std::size_t kColumns = 32;
  for (std::size_t y = 0; y < job.in_height; y += kResizeRows) narrow_rows(job, y);
  const std::size_t row = 3 * job.out_width;
  for (std::size_t y = 0; y < job.out_height; ++y) {
    std::size_t x = 0;
    for (; x + kColumns <= row; x += kColumns) combine_rows<kColumns>(job, y, x);
    for (; x < row; ++x) combine_rows<1>(job, y, x);
  }
}

inline void resize_portable(const resize_job& job) {
  resize_both_ways(job);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) inline void resize_avx2(const resize_job& job) {
  resize_both_ways(job);
}
#endif

inline void resize(const resize_job& job) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return resize_avx2(job);
#endif
  resize_portable(job);
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

    bytes_.resize(std::max(in.extent(1), out.extent(1)) * detail::kResizeLanes);
    lanes_.resize(in.extent(1) * detail::kResizeLanes);
    sums_.resize(out.extent(1) * detail::kResizeLanes);
    narrowed_.resize(in.extent(0) * out.extent(1) * 3);
    detail::resize({in.data(), in.extent(0), in.extent(1), in.stride(0), out.data(), out.extent(0), out.extent(1),
                    out.stride(0), &across_.table, &down_.table, bytes_.data(), lanes_.data(), sums_.data(),
                    narrowed_.data()});
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

  axis across_, down_;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::int32_t> lanes_, sums_;
  std::vector<std::uint8_t> narrowed_;  // [H, w, 3]
};

/// `in` [H, W, 3] to `out` [h, w, 3]; see bilinear_resizer, which saves memory traffic where many photos are resized.
inline void resize_bilinear(view<const std::uint8_t, 3> in, view<std::uint8_t, 3> out) {
  bilinear_resizer{}(in, out);
}

}  // namespace imgsim
