// Vectors of float64 from rows of each element type. Every element type is exact in float64, so what follows does not
// know which it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <imgsim/core/element.hpp>
#include <imgsim/core/macros.hpp>
#include <imgsim/cpu/simd.hpp>

namespace imgsim::cpu {

namespace detail {

/// out = the 16-bit patterns at `from`, one a lane.
template <std::size_t Lanes, class T>
IMGSIM_ALWAYS_INLINE void load_bits(vector<std::uint32_t, Lanes>& out, const T* from) noexcept {
  static_assert(sizeof(T) == sizeof(std::uint16_t));
  vector<std::uint16_t, Lanes> narrow;
  load(narrow, from);
  out = __builtin_convertvector(narrow, vector<std::uint32_t, Lanes>);
}

template <std::size_t Lanes>
IMGSIM_ALWAYS_INLINE void widen_float_bits(vector<double, Lanes>& out,
                                           const vector<std::uint32_t, Lanes>& bits) noexcept {
  vector<float, Lanes> values;
  std::memcpy(&values, &bits, sizeof values);
  out = __builtin_convertvector(values, vector<double, Lanes>);
}

}  // namespace detail

template <class Isa>
IMGSIM_ALWAYS_INLINE void load_elements(vector<double, Isa::double_lanes>& out, const float* from) noexcept {
  load_widened<Isa>(out, from);
}

template <class Isa>
IMGSIM_ALWAYS_INLINE void load_elements(vector<double, Isa::double_lanes>& out, const bfloat16* from) noexcept {
  vector<std::uint32_t, Isa::double_lanes> bits;
  detail::load_bits<Isa::double_lanes>(bits, from);
  bits <<= 16;
  detail::widen_float_bits<Isa::double_lanes>(out, bits);
}

/// The three cases of float16::operator float, side by side.
template <class Isa>
IMGSIM_ALWAYS_INLINE void load_elements(vector<double, Isa::double_lanes>& out, const float16* from) noexcept {
  using words = vector<std::uint32_t, Isa::double_lanes>;
  words half;
  detail::load_bits<Isa::double_lanes>(half, from);
  const words magnitude = half & 0x7fffu;
  const vector<float, Isa::double_lanes> small =
      __builtin_convertvector(magnitude, vector<float, Isa::double_lanes>) * 0x1p-24f;
  words subnormal;
  std::memcpy(&subnormal, &small, sizeof subnormal);
  const words normal = (magnitude << 13) + 0x38000000u;
  const words not_finite = normal | 0x7f800000u;
  words bits = magnitude < 0x0400u ? subnormal : normal;
  bits = magnitude >= 0x7c00u ? not_finite : bits;
  bits |= (half & 0x8000u) << 16;
  detail::widen_float_bits<Isa::double_lanes>(out, bits);
}

}  // namespace imgsim::cpu
