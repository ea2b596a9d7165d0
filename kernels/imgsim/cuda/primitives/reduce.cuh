// Reductions over a warp and over a block.
//
// Owner: a lane holds one value; every lane of the warp, or thread of the block, takes part and gets the result.
// Traffic: none to global memory; a block uses one value of shared memory a warp. The order of combining is fixed, so
// results are the same in every run: a butterfly within each warp, then one over the warps' results.
#pragma once

#include <imgsim/cuda/portable.cuh>

namespace imgsim::cuda {

/// What a reduction combines with; commutative and associative up to rounding.
struct plus {
  template <class T>
  __device__ T operator()(T left, T right) const {
    return left + right;
  }
};
struct maximum {
  template <class T>
  __device__ T operator()(T left, T right) const {
    return left < right ? right : left;
  }
};
struct minimum {
  template <class T>
  __device__ T operator()(T left, T right) const {
    return right < left ? right : left;
  }
};

/// All lanes' values combined, in every lane. Five shuffles. T is what __shfl_xor_sync takes.
template <class T, class Combine>
__device__ inline T warp_reduce(T value, Combine combine) {
  for (int distance = static_cast<int>(kWarpSize) / 2; distance > 0; distance /= 2) {
    value = combine(value, __shfl_xor_sync(kFullWarp, value, distance));
  }
  return value;
}

/// All threads' values combined, in every thread, by a block of one dimension, of whole warps. `identity` changes
/// nothing when combined. Two barriers; may be called again at once.
template <class T, class Combine>
__device__ inline T block_reduce(T value, T identity, Combine combine) {
  IMGSIM_SHARED(T, of_warp, [kWarpSize]);
  value = warp_reduce(value, combine);
  if (lane_index() == 0) of_warp[warp_index()] = value;
  __syncthreads();
  value = warp_reduce(lane_index() < blockDim.x / kWarpSize ? of_warp[lane_index()] : identity, combine);
  __syncthreads();  // the next call writes where a slow warp may still read
  return value;
}

/// The same where the number of threads is known when compiling.
template <unsigned Threads, class T, class Combine>
__device__ inline T block_reduce(T value, T identity, Combine combine) {
  static_assert(Threads % kWarpSize == 0 && Threads <= kWarpSize * kWarpSize, "whole warps, at most 32");
  return block_reduce(value, identity, combine);
}

}  // namespace imgsim::cuda
