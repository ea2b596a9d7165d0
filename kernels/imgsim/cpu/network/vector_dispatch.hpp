// Loops of the layers that oneDNN does not have, compiled for the widest vectors that the CPU turns out to have.
#pragma once

#include <imgsim/core/macros.hpp>

/// Before a loop that reads at i and writes at i: its arrays may be one array, and its iterations are independent.
#if defined(__clang__)
#define IMGSIM_SAME_OR_APART _Pragma("clang loop vectorize(assume_safety)")
#else
#define IMGSIM_SAME_OR_APART _Pragma("GCC ivdep")
#endif

namespace imgsim::detail {

// By value: what the body captured is then in registers, and no store of the loop can change it.
#if defined(__x86_64__)
template <class Body>
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))) void run_avx512(Body body) {
  body();
}
template <class Body>
__attribute__((target("avx2,fma"))) void run_avx2(Body body) {
  body();
}
#endif

/// Calls `body`, whose call operator must be IMGSIM_VECTORISED so that it is expanded into, and compiled for, each
/// instruction set:   vectorised([&]() IMGSIM_VECTORISED { for (...) ... });
#define IMGSIM_VECTORISED __attribute__((always_inline))
template <class Body>
void vectorised(Body body) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    return run_avx512(body);
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return run_avx2(body);
#endif
  body();
}

}  // namespace imgsim::detail
