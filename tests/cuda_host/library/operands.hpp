// Operands of the fake libraries: read from and written to device memory element by element, where the sanitizers see
// it; the loops between (plain_loops.hpp) are over copies in double.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace imgsim::cuda_host {

/// What a tensor core makes of a float where TF32 is allowed: 10 bits of mantissa, to nearest, ties away from zero
/// (PTX ISA, cvt.rna.tf32.f32).
[[nodiscard]] inline float rounded_to_tf32(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7f800000u) == 0x7f800000u) return value;
  return std::bit_cast<float>((bits + 0x1000u) & 0xffffe000u);
}

[[nodiscard]] inline std::vector<double> loaded(const float* from, std::size_t count, bool as_tf32 = false) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<double>(as_tf32 ? rounded_to_tf32(from[i]) : from[i]);
  }
  return values;
}

/// to = alpha * values + beta * to, as the libraries' scaling parameters say: `to` is not read where beta is 0.
inline void store_scaled(const std::vector<double>& values, double alpha, double beta, float* to) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double old = beta == 0.0 ? 0.0 : beta * static_cast<double>(to[i]);
    to[i] = static_cast<float>(alpha * values[i] + old);
  }
}

/// A library leaves anything in its workspace.
inline void spoil_workspace(void* workspace, std::size_t bytes) {
  auto* const words = static_cast<float*>(workspace);
  for (std::size_t i = 0; i < bytes / sizeof(float); ++i) words[i] = std::numeric_limits<float>::quiet_NaN();
}

}  // namespace imgsim::cuda_host
