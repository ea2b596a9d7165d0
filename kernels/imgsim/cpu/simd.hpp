// Vectors of one register, and the choice of an instruction set at run time. One binary runs on every machine of its
// architecture: a kernel is written once, as an always-inline body over the compiler's vector extension, and expand()
// compiles it for each level, in a function that carries the level's target attribute.
//
//   struct scale_body {
//     float* values; std::size_t count; float factor;
//     template <class Isa> IMGSIM_ALWAYS_INLINE void run() const { ... vector<float, Isa::float_lanes> ... }
//   };
//   expand(scale_body{...}, level);
//
// Everything that run() calls with vectors must be always-inline too, and take them by reference: passed by value they
// would cross an interface that depends on the instruction set.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

#include <imgsim/core/error.hpp>
#include <imgsim/core/macros.hpp>

#if defined(__x86_64__)
#define IMGSIM_TARGET_AVX2 __attribute__((target("avx2,fma,f16c,bmi2")))
#define IMGSIM_TARGET_AVX512 __attribute__((target("avx2,fma,f16c,bmi2,avx512f,avx512vl,avx512bw,avx512dq")))
#endif

namespace imgsim::cpu {

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

namespace detail {

template <class T, std::size_t Lanes>
struct vector_type {
  typedef T type __attribute__((vector_size(Lanes * sizeof(T))));
};

#if defined(__x86_64__)
template <class Body>
IMGSIM_TARGET_AVX2 void expand_avx2(const Body& body) {
  body.template run<isa_avx2>();
}
template <class Body>
IMGSIM_TARGET_AVX512 void expand_avx512(const Body& body) {
  body.template run<isa_avx512>();
}
#endif

}  // namespace detail

/// `Lanes` numbers in one register. Arithmetic, comparison and ?: work lane by lane.
template <class T, std::size_t Lanes>
using vector = typename detail::vector_type<T, Lanes>::type;

/// Runs body.run<Isa>() compiled for `level`, which the machine must support.
template <class Body>
void expand(const Body& body, simd_level level) {
#if defined(__x86_64__)
  if (level == simd_level::avx512) return detail::expand_avx512(body);
  if (level == simd_level::avx2) return detail::expand_avx2(body);
#endif
  body.template run<isa_baseline>();
}

template <class Vector, class T>
IMGSIM_ALWAYS_INLINE void load(Vector& out, const T* from) noexcept {
  std::memcpy(&out, from, sizeof(Vector));
}

template <class Vector, class T>
IMGSIM_ALWAYS_INLINE void store(T* to, const Vector& value) noexcept {
  std::memcpy(to, &value, sizeof(Vector));
}

/// out = `value` in every lane. Subtracting zero changes nothing, -0 and NaN included, and compiles to a broadcast.
template <class Vector, class T>
IMGSIM_ALWAYS_INLINE void broadcast(Vector& out, T value) noexcept {
  out = value - Vector{};
}

/// out = the float at `from` in every lane. GCC 12 broadcasts to half a register and glues two halves together, hence
/// the instruction by name; the same goes for load_widened. Clang needs no such help.
template <class Isa>
IMGSIM_ALWAYS_INLINE void load_broadcast(vector<float, Isa::float_lanes>& out, const float* from) noexcept {
#if defined(__x86_64__) && !defined(__clang__)
  if constexpr (Isa::float_lanes > 4) {
    asm("vbroadcastss %1, %0" : "=v"(out) : "m"(*from));
    return;
  }
#endif
  broadcast(out, *from);
}

/// out = as many floats at `from` as it has lanes, as float64.
template <class Isa>
IMGSIM_ALWAYS_INLINE void load_widened(vector<double, Isa::double_lanes>& out, const float* from) noexcept {
  using floats = vector<float, Isa::double_lanes>;
#if defined(__x86_64__) && !defined(__clang__)
  if constexpr (Isa::double_lanes > 2) {
    asm("vcvtps2pd %1, %0" : "=v"(out) : "m"(*reinterpret_cast<const float(*)[Isa::double_lanes]>(from)));
    return;
  }
#endif
  floats narrow;
  load(narrow, from);
  out = __builtin_convertvector(narrow, vector<double, Isa::double_lanes>);
}

}  // namespace imgsim::cpu
