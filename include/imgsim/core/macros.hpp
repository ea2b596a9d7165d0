// Every macro of the library. A macro stands here only where a template or std::source_location cannot serve.
#pragma once

/// Forces inlining, so that a kernel body takes the instruction set of the function it is expanded into
/// (core/simd.hpp).
#define IMGSIM_ALWAYS_INLINE inline __attribute__((always_inline))

/// The same for a lambda's call operator, after its parameters: [=]() IMGSIM_VECTORISED { ... }.
#define IMGSIM_VECTORISED __attribute__((always_inline))

/// What the levels of core/simd.hpp are compiled for; simd_level's is_supported() checks each feature named here.
#if defined(__x86_64__)
#define IMGSIM_TARGET_AVX2 __attribute__((target("avx2,fma,bmi2")))
#define IMGSIM_TARGET_AVX512 __attribute__((target("avx2,fma,bmi2,avx512f,avx512vl,avx512bw,avx512dq")))
#endif

/// Before a loop that reads at i and writes at i: its arrays may be one array, and its iterations are independent.
#if defined(__clang__)
#define IMGSIM_SAME_OR_APART _Pragma("clang loop vectorize(assume_safety)")
#else
#define IMGSIM_SAME_OR_APART _Pragma("GCC ivdep")
#endif

/// A function that kernels of a device call, too: the arithmetic that defines an answer is written once.
#if defined(__CUDACC__)
#define IMGSIM_HOST_DEVICE __host__ __device__
#else
#define IMGSIM_HOST_DEVICE
#endif

/// A type that is one type in all shared libraries of a process, also where they hide their symbols: what is thrown in
/// one is caught in another.
#define IMGSIM_SEEN_BY_ALL __attribute__((visibility("default")))

/// Checks a precondition of a public function. The message is built only on failure.
/// Throws imgsim::invalid_argument. Usage: IMGSIM_EXPECTS(a == b, "gallery has ", a, " columns, queries have ", b);
#define IMGSIM_EXPECTS(condition, ...)            \
  do {                                            \
    if (!(condition)) [[unlikely]]                \
      ::imgsim::detail::refuse_with(__VA_ARGS__); \
  } while (false)
