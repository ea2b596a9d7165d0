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
#include <imgsim/core/simd.hpp>
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
  std::vector<std::int32_t> weights;  // [out, stride], of which a window uses the first `count`
  std::size_t stride = 0;

  void set(std::size_t in, std::size_t out) {
    const double scale = static_cast<double>(in) / static_cast<double>(out);
    const double support = std::max(scale, 1.0);
    stride = 2 * static_cast<std::size_t>(std::ceil(support)) + 1;
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

/// Rows are narrowed four at a time, interleaved and with four bytes a pixel (red, green, blue and one unused), so that
/// a weight, once loaded, serves all of them and every inner loop runs over contiguous numbers. They are narrowed in
/// strips of at most so many pixels (or one window, where that is wider), which stay in the first-level cache.
inline constexpr std::size_t kResizeRows = 4;
inline constexpr std::size_t kResizeLanes = 4 * kResizeRows;
inline constexpr std::size_t kResizeStrip = 256;
using resize_vector = std::int32_t __attribute__((vector_size(16), may_alias));

/// One photo to resize, as the kernels see it. Distances between rows are in bytes.
struct resize_job {
  const std::uint8_t* in;
  std::size_t in_height, in_width, in_stride;
  std::uint8_t* out;
  std::size_t out_height, out_width, out_stride;
  const resize_weights* across;
  const resize_weights* down;
  std::uint8_t* bytes;     // [strip, 16], where strip is max(kResizeStrip, across->stride)
  std::int32_t* lanes;     // [strip, 16]
  std::int32_t* sums;      // [kResizeStrip, 16]
  std::uint8_t* narrowed;  // [H + 4, narrowed_stride(w)]
};

/// A row of w pixels, and room for one byte more.
[[nodiscard]] constexpr std::size_t narrowed_stride(std::size_t out_width) noexcept {
  return 3 * out_width + 1;
}

/// Rounds to a pixel. Weights are never negative and add up to 2^22 and a little, so only the top can be exceeded.
[[nodiscard]] IMGSIM_ALWAYS_INLINE std::uint8_t to_pixel(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::min(sum >> kResizeBits, 255));
}

/// Four input rows, those past the last repeating it, and where they are narrowed to.
struct resize_rows {
  const std::uint8_t* in[kResizeRows];
  std::uint8_t* out[kResizeRows];
};

/// Interleaves input pixels [begin, end) of the rows and widens them into job.lanes.
IMGSIM_ALWAYS_INLINE void widen_strip(const resize_job& job, const resize_rows& rows, std::size_t begin,
                                      std::size_t end) {
  // Local copies: a store through a pointer to bytes could otherwise change the job itself.
  std::uint8_t* __restrict const bytes = job.bytes;
  std::int32_t* __restrict const lanes = job.lanes;
  // Four bytes are moved for three, so the last pixel of a row stands apart.
  const std::size_t last = job.in_width - 1, safe_end = std::min(end, last);
  for (std::size_t x = begin; x < safe_end; ++x)
    for (std::size_t r = 0; r < kResizeRows; ++r)
      std::memcpy(bytes + (x - begin) * kResizeLanes + 4 * r, rows.in[r] + 3 * x, 4);
  if (end > last)
    for (std::size_t r = 0; r < kResizeRows; ++r)
      std::memcpy(bytes + (last - begin) * kResizeLanes + 4 * r, rows.in[r] + 3 * last, 3);
  for (std::size_t i = 0; i < (end - begin) * kResizeLanes; ++i) lanes[i] = bytes[i];
}

/// Output pixels [first, end) of the rows, from job.lanes, which begins at input pixel `origin`.
IMGSIM_ALWAYS_INLINE void narrow_strip(const resize_job& job, const resize_rows& rows, std::size_t origin,
                                       std::size_t first, std::size_t end) {
  const resize_weights::window* windows = job.across->windows.data();
  const std::int32_t* weights = job.across->weights.data();
  const std::size_t weight_stride = job.across->stride;
  std::uint8_t* __restrict const bytes = job.bytes;
  std::int32_t* __restrict const sums = job.sums;
  for (std::size_t x = first; x < end; ++x) {
    const auto [begin, count] = windows[x];
    const std::int32_t* weight = weights + x * weight_stride;
    const auto* in = reinterpret_cast<const resize_vector*>(job.lanes + (begin - origin) * kResizeLanes);
    resize_vector sum[kResizeRows];
    for (resize_vector& s : sum) s = resize_vector{} + kResizeHalf;
    for (std::size_t t = 0; t < count; ++t)
      for (std::size_t r = 0; r < kResizeRows; ++r) sum[r] += in[kResizeRows * t + r] * weight[t];
    auto* out = reinterpret_cast<resize_vector*>(sums + (x - first) * kResizeLanes);
    for (std::size_t r = 0; r < kResizeRows; ++r) out[r] = sum[r];
  }
  for (std::size_t i = 0; i < (end - first) * kResizeLanes; ++i) bytes[i] = to_pixel(sums[i]);
  // Here the fourth byte falls on the next pixel, which comes later, or on the byte after the row.
  for (std::size_t x = first; x < end; ++x)
    for (std::size_t r = 0; r < kResizeRows; ++r)
      std::memcpy(rows.out[r] + 3 * x, bytes + (x - first) * kResizeLanes + 4 * r, 4);
}

/// Input rows [y, y + 4) to out_width pixels each.
IMGSIM_ALWAYS_INLINE void narrow_rows(const resize_job& job, std::size_t y) {
  resize_rows rows{};
  for (std::size_t r = 0; r < kResizeRows; ++r) {
    rows.in[r] = job.in + std::min(y + r, job.in_height - 1) * job.in_stride;
    rows.out[r] = job.narrowed + (y + r) * narrowed_stride(job.out_width);
  }
  const resize_weights::window* windows = job.across->windows.data();
  const auto window_end = [windows](std::size_t x) { return windows[x].begin + windows[x].count; };
  for (std::size_t first = 0, end = 0; first < job.out_width; first = end) {
    const std::size_t origin = windows[first].begin;
    end = first + 1;
    while (end < job.out_width && end - first < kResizeStrip && window_end(end) - origin <= kResizeStrip) ++end;
    widen_strip(job, rows, origin, window_end(end - 1));
    narrow_strip(job, rows, origin, first, end);
  }
}

/// Columns [x, x + Columns) of output row y, counted in bytes, from the narrowed rows.
template <std::size_t Columns>
IMGSIM_ALWAYS_INLINE void combine_rows(const resize_job& job, std::size_t y, std::size_t x) {
  const auto [begin, count] = job.down->windows[y];
  const std::int32_t* weight = job.down->weights.data() + y * job.down->stride;
  const std::size_t stride = narrowed_stride(job.out_width);
  const std::uint8_t* in = job.narrowed + begin * stride + x;
  std::int32_t sum[Columns];
  for (std::size_t i = 0; i < Columns; ++i) sum[i] = kResizeHalf;
  for (std::size_t t = 0; t < count; ++t, in += stride)
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

inline void resize(const resize_job& job, simd_level level = best_simd_level()) {
  vectorised([job]() IMGSIM_VECTORISED { resize_both_ways(job); }, level);
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

    const std::size_t strip = std::max(detail::kResizeStrip, across_.table.stride);
    bytes_.resize(strip * detail::kResizeLanes);
    lanes_.resize(strip * detail::kResizeLanes);
    sums_.resize(detail::kResizeStrip * detail::kResizeLanes);
    narrowed_.resize((in.extent(0) + detail::kResizeRows) * detail::narrowed_stride(out.extent(1)));
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
  std::vector<std::uint8_t> narrowed_;
};

/// `in` [H, W, 3] to `out` [h, w, 3]; see bilinear_resizer, which saves memory traffic where many photos are resized.
inline void resize_bilinear(view<const std::uint8_t, 3> in, view<std::uint8_t, 3> out) {
  bilinear_resizer{}(in, out);
}

}  // namespace imgsim
