// What activations are stored as.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include <imgsim/core/bfloat16.hpp>
#include <imgsim/core/macros.hpp>

namespace imgsim::cpu {

enum class element { float32, bfloat16 };

[[nodiscard]] constexpr std::size_t size_of(element type) noexcept {
  return type == element::float32 ? 4 : 2;
}

/// Calls f with a null pointer of the element's type: visit_element(type, [&]<class T>(T*) { ... }).
template <class F>
void visit_element(element type, F&& f) {
  if (type == element::float32) {
    f(static_cast<float*>(nullptr));
  } else {
    f(static_cast<bfloat16*>(nullptr));
  }
}

IMGSIM_ALWAYS_INLINE float load_float(const float* from) {
  return *from;
}
IMGSIM_ALWAYS_INLINE float load_float(const bfloat16* from) {
  return static_cast<float>(*from);
}

IMGSIM_ALWAYS_INLINE void store_float(float* to, float value) {
  *to = value;
}
/// As bfloat16(value), in a form that the compiler turns into vector selects.
IMGSIM_ALWAYS_INLINE void store_float(bfloat16* to, float value) {
  const auto word = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (word + 0x7fffu + ((word >> 16) & 1u)) >> 16;
  const std::uint32_t quiet = (word >> 16) | 0x40u;
  to->bits = static_cast<std::uint16_t>((word & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
}

}  // namespace imgsim::cpu
