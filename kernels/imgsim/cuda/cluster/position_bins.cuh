// Sums by position of a medoid, in the dynamic shared memory of a block.
//
// Neighbouring points often have the same nearest medoid, and the additions of a warp to one sum come one after the
// other. So each sum has copies, as many as there is room for, and lane l adds to copy l mod copies. Sums are integers:
// the order of additions does not matter, and the copies add up to the same value.
#pragma once

#include <imgsim/cuda/cluster/policy.hpp>
#include <imgsim/cuda/portable.cuh>

namespace imgsim::cuda {

/// Several tables of sums, at dynamic_shared(), tables * positions * copies * 8 bytes. The threads of the block put a
/// barrier between clear(), add() and total().
class position_bins {
 public:
  /// None where there are no positions: the launch then needs no shared memory.
  __device__ explicit position_bins(bin_shape shape)
      : bins_(shape.positions > 0 ? dynamic_shared<unsigned long long>() : nullptr), shape_(shape) {}

  __device__ void clear(unsigned tables) const {
    for (unsigned i = threadIdx.x; i < tables * shape_.positions * shape_.copies; i += blockDim.x) bins_[i] = 0;
  }
  __device__ void add(unsigned table, unsigned position, long long value) const {
    atomicAdd(&bins_[first(table, position) + lane_index() % shape_.copies], static_cast<unsigned long long>(value));
  }
  /// The same in the one table, or in global memory where there are no bins: `sums` has a place for each position.
  __device__ void add_or(unsigned long long* sums, unsigned position, long long value) const {
    if (shape_.positions > 0)
      add(0, position, value);
    else
      atomicAdd(&sums[position], static_cast<unsigned long long>(value));
  }
  /// Adds the one table to `sums`, after a barrier.
  __device__ void flush(unsigned long long* sums, unsigned positions) const {
    if (shape_.positions == 0) return;
    for (unsigned position = threadIdx.x; position < positions; position += blockDim.x) {
      const long long sum = total(0, position);
      if (sum != 0) atomicAdd(&sums[position], static_cast<unsigned long long>(sum));
    }
  }
  /// Each lane begins with another copy, so that they ask different banks.
  __device__ long long total(unsigned table, unsigned position) const {
    unsigned long long sum = 0;
    for (unsigned i = 0; i < shape_.copies; ++i)
      sum += bins_[first(table, position) + (i + lane_index()) % shape_.copies];
    return static_cast<long long>(sum);
  }

 private:
  __device__ unsigned first(unsigned table, unsigned position) const {
    return (table * shape_.positions + position) * shape_.copies;
  }

  unsigned long long* bins_;
  bin_shape shape_;
};

}  // namespace imgsim::cuda
