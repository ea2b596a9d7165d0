// The gradient of a 3x3 kernel: for each place of the window the outer products of two images' pixels, summed.
//
// One image, the wide one, fills the lanes; values of the other are broadcast, those of the three pixels of a row of
// the window side by side in memory. A tile of sums stays in registers for a row of pixels, then is added to memory, so
// that rounding errors do not grow with the size of the picture.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include <imgsim/core/macros.hpp>
#include <imgsim/cpu/network/layer.hpp>
#include <imgsim/cpu/network/narrow/padded_rows.hpp>
#include <imgsim/cpu/simd.hpp>

namespace imgsim::cpu {

/// A part of a level's register, for load_broadcast.
template <std::size_t Lanes>
struct register_of {
  static constexpr std::size_t float_lanes = Lanes;
};

/// sums[r][c][lanes of wide] += sum over pixels of wide[lane] * narrow[r][c], for one row of pixels and `Vectors` times
/// `Lanes` lanes. Rows of `sums` are terms * wide_channels apart.
template <std::size_t Rows, std::size_t Columns, std::size_t Lanes, std::size_t Vectors>
struct gradient_tile {
  template <class Isa>
  IMGSIM_ALWAYS_INLINE static void run(const float* wide, std::size_t wide_channels,
                                       const std::array<const float*, Rows>& narrow, std::size_t narrow_step,
                                       std::size_t pixels, std::size_t terms, float* sums) {
    using floats = vector<float, Lanes>;
    floats sum[Rows][Columns][Vectors] = {};
    for (std::size_t p = 0; p < pixels; ++p) {
      floats left[Vectors];
#pragma GCC unroll 2
      for (std::size_t v = 0; v < Vectors; ++v) load(left[v], wide + p * wide_channels + v * Lanes);
#pragma GCC unroll 3
      for (std::size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 24
        for (std::size_t c = 0; c < Columns; ++c) {
          floats right;
          load_broadcast<register_of<Lanes>>(right, narrow[r] + p * narrow_step + c);
#pragma GCC unroll 2
          for (std::size_t v = 0; v < Vectors; ++v) sum[r][c][v] += left[v] * right;
        }
    }
#pragma GCC unroll 3
    for (std::size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 24
      for (std::size_t c = 0; c < Columns; ++c)
#pragma GCC unroll 2
        for (std::size_t v = 0; v < Vectors; ++v) {
          float* const to = sums + (r * terms + c) * wide_channels + v * Lanes;
          floats before;
          load(before, to);
          store(to, before + sum[r][c][v]);
        }
  }
};

/// All products of one row of wide pixels with the three rows of the window.
struct gradient_row_body {
  const float* wide;  // [pixels, wide_channels]
  std::array<const float*, 3> narrow;
  std::size_t pixels, wide_channels;
  std::size_t narrow_step;  // floats between windows
  std::size_t terms;        // 3 * narrow channels
  float* sums;              // [3, terms, wide_channels]

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    if (Isa::float_lanes >= 16 && wide_channels % 16 == 0) {
      run_lanes<Isa, std::min<std::size_t>(Isa::float_lanes, 16)>();
    } else if (Isa::float_lanes >= 8 && wide_channels % 8 == 0) {
      run_lanes<Isa, std::min<std::size_t>(Isa::float_lanes, 8)>();
    } else {
      run_lanes<Isa, 4>();
    }
  }

 private:
  template <class Isa, std::size_t Lanes>
  IMGSIM_ALWAYS_INLINE void run_lanes() const {
    constexpr bool kManyRegisters = Isa::registers == 32;
    if (terms == 9) {
      run_tiles<Isa, kManyRegisters ? 3 : 1, 9, Lanes, 1>();
    } else if (kManyRegisters && wide_channels % (2 * Lanes) == 0) {
      run_tiles<Isa, 1, kManyRegisters ? 12 : 6, Lanes, kManyRegisters ? 2 : 1>();
    } else if (kManyRegisters && terms % 24 == 0) {
      run_tiles<Isa, 1, kManyRegisters ? 24 : 12, Lanes, 1>();
    } else {
      run_tiles<Isa, 1, 12, Lanes, 1>();
    }
  }

  template <class Isa, std::size_t Rows, std::size_t Columns, std::size_t Lanes, std::size_t Vectors>
  IMGSIM_ALWAYS_INLINE void run_tiles() const {
    for (std::size_t r = 0; r < 3; r += Rows)
      for (std::size_t term = 0; term < terms; term += Columns)
        for (std::size_t channel = 0; channel < wide_channels; channel += Vectors * Lanes) {
          std::array<const float*, Rows> from;
          for (std::size_t i = 0; i < Rows; ++i) from[i] = narrow[r + i] + term;
          gradient_tile<Rows, Columns, Lanes, Vectors>::template run<Isa>(
              wide + channel, wide_channels, from, narrow_step, pixels, terms,
              sums + (r * terms + term) * wide_channels + channel);
        }
  }
};

/// Sums over whole pictures. The windows of the narrow image are `stride` pixels apart, the first begins `before`
/// pixels above and left of it.
class kernel_gradient {
 public:
  struct image {
    std::size_t height, width, channels;
  };

  kernel_gradient(const image& wide, const image& narrow, std::size_t stride, std::size_t rows_before,
                  std::size_t columns_before, simd_level level)
      : wide_(wide), narrow_(narrow), stride_(stride), rows_before_(rows_before), level_(level) {
    narrow_rows_ = {.width = narrow.width,
                    .channels = narrow.channels,
                    .padded_channels = narrow.channels,
                    .before = columns_before,
                    .pixels = std::max((wide.width - 1) * stride + 3, narrow.width + columns_before)};
  }

  /// Whether gradient_row_body has tiles for so many channels.
  [[nodiscard]] static bool can_tile(std::size_t wide_channels, std::size_t narrow_channels) noexcept {
    return wide_channels > 0 && wide_channels % 4 == 0 && (narrow_channels == 3 || narrow_channels % 4 == 0);
  }

  [[nodiscard]] std::size_t size() const noexcept { return 9 * narrow_.channels * wide_.channels; }

  /// Returns [3, 3, narrow channels, wide channels], in `w`'s scratch.
  [[nodiscard]] const float* run(worker& w, const float* wide, const float* narrow, std::size_t photos) const {
    float* const room = w.scratch.at_least(padded_rows::room_of(narrow_rows_) + size());
    padded_rows rows(narrow_rows_, room);
    float* const sums = room + padded_rows::room_of(narrow_rows_);
    std::fill_n(sums, size(), 0.0f);
    for (std::size_t b = 0; b < photos; ++b) {
      rows.begin(narrow + b * narrow_.height * narrow_.width * narrow_.channels, narrow_.height);
      for (std::size_t y = 0; y < wide_.height; ++y, wide += wide_.width * wide_.channels) {
        const auto first = static_cast<std::ptrdiff_t>(y * stride_) - static_cast<std::ptrdiff_t>(rows_before_);
        expand(gradient_row_body{wide,
                                 {rows.row(first), rows.row(first + 1), rows.row(first + 2)},
                                 wide_.width,
                                 wide_.channels,
                                 stride_ * narrow_.channels,
                                 3 * narrow_.channels,
                                 sums},
               level_);
      }
    }
    return sums;
  }

 private:
  image wide_, narrow_;
  std::size_t stride_, rows_before_;
  simd_level level_;
  padded_row_shape narrow_rows_;
};

}  // namespace imgsim::cpu
