// One row at a time between float32 and bytes: byte_rows.hpp has the formulas.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/macros.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/search/element_load.hpp>
#include <imgsim/cpu/search/policy.hpp>
#include <imgsim/cpu/simd.hpp>

namespace imgsim::cpu {

/// Longest rows that byte_rows takes: |sum of 255 * 127 * D| < 2^31.
inline constexpr std::size_t kMostByteDepth = 65536;

/// `depth` up to whole vectors of the widest instruction set.
[[nodiscard]] constexpr std::size_t padded_depth(std::size_t depth) noexcept {
  return (depth + 15) / 16 * 16;
}

/// c of byte_rows.hpp. Any vector is correct, and one of at most length one within the bounds there.
struct byte_centre {
  std::vector<float> values;  // [D]
  double half_square = 0;     // |c|^2 / 2
};

/// The mean of a sample of rows, each of length one.
template <real_element T>
[[nodiscard]] byte_centre mean_direction(matrix_view<const T> rows) {
  constexpr std::size_t kSample = 128;
  const std::size_t depth = rows.extent(1);
  const std::size_t count = std::min(kSample, rows.extent(0));
  std::vector<double> sum(depth);
  for (std::size_t s = 0; s < count; ++s) {
    const T* row = rows.row(s * rows.extent(0) / count);
    double square = 0;
    for (std::size_t i = 0; i < depth; ++i) square += to_double(row[i]) * to_double(row[i]);
    const double factor = 1 / (std::sqrt(square) * static_cast<double>(count));
    if (!std::isfinite(factor) || factor == 0) continue;
    for (std::size_t i = 0; i < depth; ++i) sum[i] += to_double(row[i]) * factor;
  }
  byte_centre centre{.values = std::vector<float>(depth)};
  for (std::size_t i = 0; i < depth; ++i) {
    centre.values[i] = static_cast<float>(sum[i]);
    centre.half_square += static_cast<double>(centre.values[i]) * static_cast<double>(centre.values[i]) / 2;
  }
  return centre;
}

struct quantised_row {
  double error = 0;
  double size = 0;
  float scale = 0;
  float offset = 0;
  std::int32_t sum = 0;
};

/// Rounds one row, of finite norm.
template <class T>
struct quantise_body {
  const T* row;
  std::size_t depth;
  double norm;
  const byte_centre* centre;
  float* residual;     // [padded_depth(depth)], workspace
  std::int8_t* bytes;  // [depth]
  quantised_row* out;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    const double offset = write_residual<Isa>();
    out->offset = static_cast<float>(offset - centre->half_square);
    const std::size_t padded = padded_depth(depth);
    float largest = 0;
    for (std::size_t i = 0; i < padded; ++i) largest = std::max(largest, std::abs(residual[i]));
    const bool vanishes = largest < 0x1.0p-60f;
    out->scale = vanishes ? 0 : largest / 127;
    round<Isa>(out->scale, vanishes ? 0 : 127 / largest);
  }

 private:
  /// residual = x / |x| - c, 0 in the padding; returns c . x / |x|.
  template <class Isa>
  IMGSIM_ALWAYS_INLINE double write_residual() const {
    using doubles = vector<double, Isa::double_lanes>;
    const double factor = norm > 0 ? 1 / norm : 0;
    doubles total{};
    std::size_t i = 0;
    for (; i + Isa::double_lanes <= depth; i += Isa::double_lanes) {
      doubles x;
      doubles c;
      load_elements<Isa>(x, row + i);
      load_widened<Isa>(c, centre->values.data() + i);
      x *= factor;
      total += x * c;
      store(residual + i, __builtin_convertvector(x - c, vector<float, Isa::double_lanes>));
    }
    double sum = 0;
    for (std::size_t l = 0; l < Isa::double_lanes; ++l) sum += total[l];
    for (; i < depth; ++i) {
      const double x = to_double(row[i]) * factor;
      const double c = static_cast<double>(centre->values[i]);
      sum += x * c;
      residual[i] = static_cast<float>(x - c);
    }
    for (; i < padded_depth(depth); ++i) residual[i] = 0;
    return sum;
  }

  /// Bytes, and bounds of their error. The sums below have at most 65536 / 4 + 4 terms a lane: their relative error in
  /// float32 is below 2^-9, and its square root's half of that. Rounding the residual itself, and s q, adds at most 4
  /// units of 2^-24 of its size.
  template <class Isa>
  IMGSIM_ALWAYS_INLINE void round(float scale, float factor) const {
    using floats = vector<float, Isa::float_lanes>;
    using integers = vector<std::int32_t, Isa::float_lanes>;
    constexpr float kMagic = 0x1.8p23f;  // adding it rounds to an integer, which is then in the low bits
    constexpr std::int32_t kMagicBits = 0x4b400000;
    floats error_sum{};
    floats residual_sum{};
    floats rounded_sum{};
    integers byte_sum{};
    std::int8_t tail[Isa::float_lanes];
    for (std::size_t i = 0; i < depth; i += Isa::float_lanes) {
      floats r;
      load(r, residual + i);
      const floats shifted = r * factor + kMagic;
      integers q;
      std::memcpy(&q, &shifted, sizeof q);
      q -= kMagicBits;
      const floats rounded = (shifted - kMagic) * scale;
      const floats difference = r - rounded;
      error_sum += difference * difference;
      residual_sum += r * r;
      rounded_sum += rounded * rounded;
      byte_sum += q;
      store(tail, __builtin_convertvector(q, vector<std::int8_t, Isa::float_lanes>));
      std::memcpy(bytes + i, tail, std::min(Isa::float_lanes, depth - i));
    }
    double sums[3] = {};
    for (std::size_t l = 0; l < Isa::float_lanes; ++l) {
      sums[0] += static_cast<double>(error_sum[l]);
      sums[1] += static_cast<double>(residual_sum[l]);
      sums[2] += static_cast<double>(rounded_sum[l]);
      out->sum += byte_sum[l];
    }
    out->size = std::sqrt(std::max(sums[1], sums[2])) * (1 + 0x1.0p-9);
    out->error = std::sqrt(sums[0]) * (1 + 0x1.0p-9) + 0x1.0p-22 * out->size;
  }
};

/// Turns a tile of sums into estimates of cosines, in place.
struct byte_estimate_body {
  float* tile;  // [rows, kTileRows] of std::int32_t's bits, then of floats
  std::size_t rows;
  std::size_t columns;  // a multiple of every float_lanes
  const float* row_scales;
  const float* row_offsets;
  const std::int32_t* row_sums;
  std::int32_t excess;
  const float* column_scales;
  const float* column_offsets;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    using floats = vector<float, Isa::float_lanes>;
    using integers = vector<std::int32_t, Isa::float_lanes>;
    for (std::size_t r = 0; r < rows; ++r) {
      float* row = tile + r * kTileRows;
      const std::int32_t correction = excess * row_sums[r];
      for (std::size_t c = 0; c < columns; c += Isa::float_lanes) {
        integers sum;
        floats scale;
        floats offset;
        load(sum, row + c);
        load(scale, column_scales + c);
        load(offset, column_offsets + c);
        sum -= correction;
        store(row + c, __builtin_convertvector(sum, floats) * (scale * row_scales[r]) + (offset + row_offsets[r]));
      }
    }
  }
};

}  // namespace imgsim::cpu
