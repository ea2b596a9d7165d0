// IEEE 754 binary16. Storage only; arithmetic is in float. A type of our own, because _Float16 is not there on every
// compiler and architecture that this library compiles on.
#pragma once

#include <cstdint>

#include <imgsim/core/macros.hpp>

namespace imgsim {

struct float16 {
  std::uint16_t bits = 0;

  float16() = default;
  /// Rounds to nearest, ties to even; above 65504 (after rounding) to infinity. NaN stays NaN.
  IMGSIM_HOST_DEVICE constexpr explicit float16(float value) noexcept {
    const auto word = __builtin_bit_cast(std::uint32_t, value);
    const std::uint32_t sign = word >> 16 & 0x8000u;
    const std::uint32_t magnitude = word & 0x7fffffffu;
    std::uint32_t half = 0;
    if (magnitude > 0x7f800000u) {
      half = 0x7e00u | (magnitude >> 13 & 0x3ffu);
    } else if (magnitude >= 0x47800000u) {  // 65536 and above
      half = 0x7c00u;
    } else if (magnitude >= 0x38800000u) {  // normal: 2^-14 and above; the carry of rounding may reach infinity
      half = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
    } else if (magnitude > 0x33000000u) {  // subnormal: multiples of 2^-24; half of that and below is 0
      const std::uint32_t fraction = (magnitude & 0x7fffffu) | 0x800000u;
      const std::uint32_t shift = 126u - (magnitude >> 23);
      const std::uint32_t rest = fraction & ((1u << shift) - 1u);
      const std::uint32_t tie = 1u << (shift - 1u);
      half = fraction >> shift;
      half += rest > tie || (rest == tie && (half & 1u) != 0) ? 1u : 0u;
    }
    bits = static_cast<std::uint16_t>(sign | half);
  }
  /// Exact.
  IMGSIM_HOST_DEVICE constexpr explicit operator float() const noexcept {
    const std::uint32_t sign = (bits & 0x8000u) << 16;
    const std::uint32_t magnitude = bits & 0x7fffu;
    std::uint32_t word = 0;
    if (magnitude >= 0x7c00u) {
      word = 0x7f800000u | (magnitude & 0x3ffu) << 13;
    } else if (magnitude >= 0x0400u) {
      word = (magnitude << 13) + 0x38000000u;
    } else {
      word = __builtin_bit_cast(std::uint32_t, static_cast<float>(magnitude) * 0x1p-24f);
    }
    return __builtin_bit_cast(float, sign | word);
  }
};

static_assert(sizeof(float16) == 2);

}  // namespace imgsim
