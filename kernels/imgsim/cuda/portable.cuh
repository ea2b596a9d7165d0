// What every kernel of imgsim is written against, so that one source compiles twice: with nvcc for a GPU, and with a
// plain C++ compiler for the host runner (tests/cuda_host/), which runs it on the CPU under the sanitizers.
//
// In a kernel, write CUDA as usual: threadIdx, __syncthreads(), __shfl_xor_sync(), atomicAdd(), fmaf(), ... The runner
// knows the subset in tests/cuda_host/device/. Five things are spelled in imgsim's own way, because they cannot be the
// same text for both compilers:
//
//   template <class T> IMGSIM_KERNEL void scale(const T* from, T* to)
//       in headers kernels are templates
//   IMGSIM_SHARED(float, tile, [32][33]);
//       static shared memory; `__shared__` does not compile in tests
//   float* tile = dynamic_shared<float>();
//       dynamic shared memory, 16-byte aligned
//   const auto four = load_pack<4>(from + i);
//       a vector access: one instruction, alignment checked in tests
//   launch(...), launch.cuh
//       never <<<>>>
//
// Not for kernels here: inline PTX, textures, __constant__, cp.async, cooperative groups, spin-waits between threads.
// A template argument list with a comma inside IMGSIM_SHARED needs an alias.
#pragma once

#if defined(__CUDACC__)
#include <imgsim/cuda/portable/nvcc.cuh>
#elif defined(IMGSIM_CUDA_HOST)
#include <cuda_host/portable.hpp>
#else
#error "imgsim's kernels need nvcc, or tests/cuda_host, which defines IMGSIM_CUDA_HOST"
#endif

#include <imgsim/cuda/portable/convert.cuh>
#include <imgsim/cuda/portable/pack.cuh>

// Hidden: kernels of one name in two shared objects would otherwise be taken for each other.
#define IMGSIM_KERNEL [[gnu::visibility("hidden")]] __global__

namespace imgsim::cuda {

inline constexpr unsigned kWarpSize = 32;
inline constexpr unsigned kFullWarp = 0xffffffffu;

/// Of the running thread in a block of one dimension.
__device__ inline unsigned lane_index() {
  return threadIdx.x % kWarpSize;
}
__device__ inline unsigned warp_index() {
  return threadIdx.x / kWarpSize;
}

}  // namespace imgsim::cuda
