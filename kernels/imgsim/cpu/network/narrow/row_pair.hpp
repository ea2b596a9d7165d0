// Two rows of a 3x3 convolution with few outputs, in registers from the first product to the rectifier.
//
// A register holds `groups` neighbouring terms of the contraction for each output: lane j belongs to output j / groups
// and to term j % groups. So a layer with 4 or 8 outputs fills a register of 16 lanes as well as one with 16: the
// operand is `groups` neighbouring input values, repeated (one load that broadcasts), and the lanes of an output are
// added up at the end. In a row of the window the terms (pixel, channel) lie side by side in memory.
//
// Inputs that two output rows share are broadcast once for both. Each output is summed in one order, wherever it lies.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include <imgsim/core/macros.hpp>
#include <imgsim/cpu/simd.hpp>

namespace imgsim::cpu {

/// How `Outputs` (4, 8 or 16) outputs are laid out in registers of `Lanes` floats.
template <std::size_t Outputs, std::size_t Lanes>
struct narrow_layout {
  static constexpr std::size_t groups = Lanes > Outputs ? Lanes / Outputs : 1;
  static constexpr std::size_t vectors = Lanes < Outputs ? Outputs / Lanes : 1;
};

template <class Isa, std::size_t Outputs>
struct narrow_tile {
  using layout = narrow_layout<Outputs, Isa::float_lanes>;
  /// Neighbouring pixels: two rows of them, two vectors of weights and an input fill the registers.
  static constexpr std::size_t pixels = (Isa::registers == 32 ? 8 : 4) / layout::vectors;
  static_assert(pixels > 0 && pixels % layout::groups == 0);
};

/// Most pixels of a tile at any level: padded rows are so much longer, and results may be written so far past a row.
inline constexpr std::size_t kMostTilePixels = 8;

/// out = `Groups` floats at `from`, repeated.
template <class Isa, std::size_t Groups>
IMGSIM_ALWAYS_INLINE void load_repeated(vector<float, Isa::float_lanes>& out, const float* from) noexcept {
  if constexpr (Groups == 1) {
    load_broadcast<Isa>(out, from);
  } else {
#if defined(__x86_64__) && !defined(__clang__)
    const auto& memory = *reinterpret_cast<const float(*)[Groups]>(from);
    if constexpr (Groups == 2) {
      asm("vbroadcastsd %1, %0" : "=v"(out) : "m"(memory));
    } else {
      static_assert(Groups == 4 && Isa::float_lanes == 16);
      asm("vbroadcastf32x4 %1, %0" : "=v"(out) : "m"(memory));
    }
#else
    float repeated[Isa::float_lanes];
    for (std::size_t i = 0; i < Isa::float_lanes; ++i) repeated[i] = from[i % Groups];
    load(out, repeated);
#endif
  }
}

/// out = sums of neighbouring lanes of a, then of b.
template <class Floats, std::size_t... I>
IMGSIM_ALWAYS_INLINE void add_neighbours(Floats& out, const Floats& a, const Floats& b, std::index_sequence<I...>) {
  out = __builtin_shufflevector(a, b, (2 * I)...) + __builtin_shufflevector(a, b, (2 * I + 1)...);
}

/// rows: four padded input rows, from the pixel left of the first output on. weights: [3][terms / groups][lanes] for
/// each row of the window, then the bias, one register or Outputs floats. Writes two rows [width, Outputs], and up to
/// kMostTilePixels - 1 pixels past each.
template <std::size_t Outputs>
struct row_pair_body {
  std::array<const float*, 4> rows;
  std::array<float*, 2> out;
  const float* weights;
  std::size_t width;
  std::size_t channels;  // of the input, padded to a multiple of the groups
  float negative_slope;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    constexpr std::size_t kPixels = narrow_tile<Isa, Outputs>::pixels;
    for (std::size_t x = 0; x < width; x += kPixels) run_tile<Isa>(x);
  }

 private:
  template <class Isa>
  using sums =
      vector<float, Isa::float_lanes>[narrow_tile<Isa, Outputs>::pixels][narrow_tile<Isa, Outputs>::layout::vectors];

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run_tile(std::size_t x) const {
    using layout = typename narrow_tile<Isa, Outputs>::layout;
    const std::size_t steps = 3 * channels / layout::groups;
    const std::size_t window_row = steps * layout::vectors * Isa::float_lanes;
    const float* const of_row[3] = {weights, weights + window_row, weights + 2 * window_row};
    sums<Isa> upper = {}, lower = {};
    add_row<Isa, true, false>(rows[0] + x * channels, steps, of_row[0], nullptr, upper, lower);
    add_row<Isa, true, true>(rows[1] + x * channels, steps, of_row[1], of_row[0], upper, lower);
    add_row<Isa, true, true>(rows[2] + x * channels, steps, of_row[2], of_row[1], upper, lower);
    add_row<Isa, false, true>(rows[3] + x * channels, steps, nullptr, of_row[2], upper, lower);
    const float* const bias = weights + 3 * window_row;
    finish<Isa>(upper, bias, out[0] + x * Outputs);
    finish<Isa>(lower, bias, out[1] + x * Outputs);
  }

  /// One input row times the window's row that falls on it, for either output row.
  template <class Isa, bool InUpper, bool InLower>
  IMGSIM_ALWAYS_INLINE void add_row(const float* in, std::size_t steps, const float* of_upper, const float* of_lower,
                                    sums<Isa>& upper, sums<Isa>& lower) const {
    using tile = narrow_tile<Isa, Outputs>;
    using floats = vector<float, Isa::float_lanes>;
    for (std::size_t k = 0; k < steps; ++k, in += tile::layout::groups) {
      floats for_upper[tile::layout::vectors], for_lower[tile::layout::vectors];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < tile::layout::vectors; ++v) {
        const std::size_t at = (k * tile::layout::vectors + v) * Isa::float_lanes;
        if constexpr (InUpper) load(for_upper[v], of_upper + at);
        if constexpr (InLower) load(for_lower[v], of_lower + at);
      }
#pragma GCC unroll 8
      for (std::size_t p = 0; p < tile::pixels; ++p) {
        floats value;
        load_repeated<Isa, tile::layout::groups>(value, in + p * channels);
#pragma GCC unroll 4
        for (std::size_t v = 0; v < tile::layout::vectors; ++v) {
          if constexpr (InUpper) upper[p][v] += value * for_upper[v];
          if constexpr (InLower) lower[p][v] += value * for_lower[v];
        }
      }
    }
  }

  /// Adds the lanes of each output, until one is left for each; pixels close up.
  template <class Isa, std::size_t Groups>
  IMGSIM_ALWAYS_INLINE static void add_groups(sums<Isa>& sum) {
    using tile = narrow_tile<Isa, Outputs>;
    if constexpr (Groups > 1) {
      constexpr std::size_t kPairs = tile::pixels * Groups / tile::layout::groups / 2;
#pragma GCC unroll 4
      for (std::size_t p = 0; p < kPairs; ++p)
        add_neighbours(sum[p][0], sum[2 * p][0], sum[2 * p + 1][0], std::make_index_sequence<Isa::float_lanes>{});
      add_groups<Isa, Groups / 2>(sum);
    }
  }

  /// Adds the lanes of each output, the bias, applies the rectifier, stores.
  template <class Isa>
  IMGSIM_ALWAYS_INLINE void finish(sums<Isa>& sum, const float* bias, float* to) const {
    using tile = narrow_tile<Isa, Outputs>;
    using floats = vector<float, Isa::float_lanes>;
    constexpr std::size_t kGroups = tile::layout::groups;
    add_groups<Isa, kGroups>(sum);
#pragma GCC unroll 8
    for (std::size_t p = 0; p < tile::pixels / kGroups; ++p)
#pragma GCC unroll 4
      for (std::size_t v = 0; v < tile::layout::vectors; ++v) {
        floats of_bias;
        load(of_bias, bias + v * Isa::float_lanes);
        const floats value = sum[p][v] + of_bias;
        const floats rectified = value > 0.0f ? value : negative_slope * value;
        store(to + (p * tile::layout::vectors + v) * Isa::float_lanes, rectified);
      }
  }
};

}  // namespace imgsim::cpu
