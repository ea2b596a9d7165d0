// Vectors of one register for the bodies that core/simd.hpp expands, over the compiler's vector extension.
//
// Everything that a body calls with vectors must be always-inline too, and take them by reference: passed by value they
// would cross an interface that depends on the instruction set.
#pragma once

#include <cstddef>
#include <cstring>

#include <imgsim/core/macros.hpp>
#include <imgsim/core/simd.hpp>

namespace imgsim::cpu {

using imgsim::best_simd_level;
using imgsim::expand;
using imgsim::is_supported;
using imgsim::kSimdLevels;
using imgsim::name_of;
using imgsim::simd_level;

namespace detail {

template <class T, std::size_t Lanes>
struct vector_type {
  typedef T type __attribute__((vector_size(Lanes * sizeof(T))));  // NOLINT(modernize-use-using): GCC drops it there
};

}  // namespace detail

/// Whether the machine has AVX-512 VNNI: kernels of level avx512 may then name its instructions.
[[nodiscard]] inline bool has_vnni() noexcept {
#if defined(__x86_64__)
  return is_supported(simd_level::avx512) && __builtin_cpu_supports("avx512vnni");
#else
  return false;
#endif
}

/// `Lanes` numbers in one register. Arithmetic, comparison and ?: work lane by lane.
template <class T, std::size_t Lanes>
using vector = typename detail::vector_type<T, Lanes>::type;

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
