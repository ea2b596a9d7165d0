// Conversions between the element types of kernels and float, in which they compute.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <type_traits>

namespace imgsim::cuda {

/// Exact: every value of these types is a float.
__device__ inline float to_float(float value) {
  return value;
}
__device__ inline float to_float(__nv_bfloat16 value) {
  return __bfloat162float(value);
}
__device__ inline float to_float(__half value) {
  return __half2float(value);
}

/// Rounded to nearest, ties to even. __half overflows to infinity above 65504.
template <class T>
__device__ inline T from_float(float value) {
  if constexpr (std::is_same_v<T, float>) {
    return value;
  } else if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    return __float2bfloat16_rn(value);
  } else {
    static_assert(std::is_same_v<T, __half>, "float, __nv_bfloat16 or __half");
    return __float2half_rn(value);
  }
}

}  // namespace imgsim::cuda
