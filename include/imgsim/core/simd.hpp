// The choice of an instruction set at run time. One binary runs on every machine of its architecture: a kernel is
// written once, as an always-inline body, and expand() compiles it for each level, in a function that carries the
// level's target attribute. Loops that the compiler can vectorise by itself are lambdas:
//
//   vectorised([=]() IMGSIM_VECTORISED { for (std::size_t i = 0; i < n; ++i) y[i] += a * x[i]; });
//
// Kernels that must know the registers are bodies with a member template:
//
//   struct scale_body {
//     float* values; std::size_t count; float factor;
//     template <class Isa> IMGSIM_ALWAYS_INLINE void run() const { ... Isa::float_lanes ... }
//   };
//   expand(scale_body{...}, best_simd_level());
//
// Bodies travel by value, so that what they hold is in registers and no store of theirs can change it.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include <imgsim/core/macros.hpp>

namespace imgsim {

enum class simd_level { baseline, avx2, avx512 };

inline constexpr std::array kSimdLevels{simd_level::baseline, simd_level::avx2, simd_level::avx512};

[[nodiscard]] constexpr std::string_view name_of(simd_level level) noexcept {
  constexpr std::array<std::string_view, 3> names{"baseline", "avx2", "avx512"};
  return names[static_cast<std::size_t>(level)];
}

/// Whether this machine can run the code of `level`. The baseline is what the program was compiled for.
[[nodiscard]] inline bool is_supported(simd_level level) noexcept {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  if (level == simd_level::avx2) return avx2;
  if (level == simd_level::avx512)
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
#endif
  return level == simd_level::baseline;
}

/// The last supported one of kSimdLevels.
[[nodiscard]] inline simd_level best_simd_level() noexcept {
  simd_level best = simd_level::baseline;
  for (const simd_level level : kSimdLevels)
    if (is_supported(level)) best = level;
  return best;
}

/// What a body may know of its level: the lanes of a register and how many registers there are.
struct isa_baseline {
  static constexpr std::size_t float_lanes = 4;
  static constexpr std::size_t double_lanes = 2;
#if defined(__aarch64__)
  static constexpr std::size_t registers = 32;
#else
  static constexpr std::size_t registers = 16;
#endif
};
struct isa_avx2 {
  static constexpr std::size_t float_lanes = 8;
  static constexpr std::size_t double_lanes = 4;
  static constexpr std::size_t registers = 16;
};
struct isa_avx512 {
  static constexpr std::size_t float_lanes = 16;
  static constexpr std::size_t double_lanes = 8;
  static constexpr std::size_t registers = 32;
};

/// float_lanes of the level's registers.
[[nodiscard]] constexpr std::size_t float_lanes_of(simd_level level) noexcept {
  if (level == simd_level::avx512) return isa_avx512::float_lanes;
  return level == simd_level::avx2 ? isa_avx2::float_lanes : isa_baseline::float_lanes;
}

namespace detail {

#if defined(__x86_64__)
template <class Body>
IMGSIM_TARGET_AVX2 void expand_avx2(Body body) {
  body.template run<isa_avx2>();
}
template <class Body>
IMGSIM_TARGET_AVX512 void expand_avx512(Body body) {
  body.template run<isa_avx512>();
}
#endif

template <class Loop>
struct loop_body {
  Loop loop;
  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    loop();
  }
};

}  // namespace detail

/// Runs body.run<Isa>() compiled for `level`, which the machine must support.
template <class Body>
void expand(Body body, [[maybe_unused]] simd_level level) {  // one level alone where this is not x86-64
#if defined(__x86_64__)
  if (level == simd_level::avx512) return detail::expand_avx512(body);
  if (level == simd_level::avx2) return detail::expand_avx2(body);
#endif
  body.template run<isa_baseline>();
}

/// Runs `loop`, whose call operator must be IMGSIM_VECTORISED, compiled for `level`.
template <class Loop>
void vectorised(Loop loop, simd_level level = best_simd_level()) {
  expand(detail::loop_body<Loop>{loop}, level);
}

}  // namespace imgsim
