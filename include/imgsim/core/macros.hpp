// Every macro of the library. A macro stands here only where a template or std::source_location cannot serve.
#pragma once

/// Forces inlining, so that a kernel body takes the instruction set of the function it is expanded into
/// (see kernels/imgsim/cpu/simd.hpp).
#define IMGSIM_ALWAYS_INLINE inline __attribute__((always_inline))

/// Checks a precondition of a public function. The message is built only on failure.
/// Throws imgsim::invalid_argument. Usage: IMGSIM_EXPECTS(a == b, "gallery has ", a, " columns, queries have ", b);
#define IMGSIM_EXPECTS(condition, ...)                                         \
  do {                                                                         \
    if (!(condition)) [[unlikely]]                                             \
      throw ::imgsim::invalid_argument(::imgsim::detail::concat(__VA_ARGS__)); \
  } while (false)
