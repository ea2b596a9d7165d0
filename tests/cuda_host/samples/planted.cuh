// Kernels with one mistake each, which the host runner has to find, and their correct twins, of which it must not
// complain. They compile for a GPU as well: each is a mistake that nvcc lets pass.
#pragma once

#include <imgsim/cuda/portable.cuh>

namespace imgsim_test::planted {

using imgsim::cuda::kFullWarp;

/// to[i] = from[63 - i] through shared memory, by one block of 64. The mistake: no barrier between write and read.
template <bool Correct>
IMGSIM_KERNEL void reverse_in_shared_memory(const float* from, float* to) {
  IMGSIM_SHARED(float, tile, [64]);
  tile[threadIdx.x] = from[threadIdx.x];
  if constexpr (Correct) __syncthreads();
  to[threadIdx.x] = tile[63 - threadIdx.x];
}

/// The same within a warp. The mistake: lanes of a warp are not in step of themselves.
template <bool Correct>
IMGSIM_KERNEL void reverse_in_warp(const float* from, float* to) {
  IMGSIM_SHARED(float, tile, [32]);
  tile[threadIdx.x] = from[threadIdx.x];
  if constexpr (Correct) __syncwarp();
  to[threadIdx.x] = tile[31 - threadIdx.x];
}

/// A running sum of rows of 64, reversed. The mistake: a fast thread overwrites what a slow one has yet to read.
template <bool Correct>
IMGSIM_KERNEL void reverse_and_add_rows(const float* rows, unsigned count, float* to) {
  IMGSIM_SHARED(float, tile, [64]);
  float sum = 0;
  for (unsigned row = 0; row < count; ++row) {
    tile[threadIdx.x] = rows[row * 64 + threadIdx.x];
    __syncthreads();
    sum += tile[63 - threadIdx.x];
    if constexpr (Correct) __syncthreads();
  }
  to[threadIdx.x] = sum;
}

/// The sum of the first 20 lanes in lane 0. The mistake: a mask of lanes that do not take part.
template <bool Correct>
IMGSIM_KERNEL void sum_of_twenty(const float* from, float* to) {
  if (threadIdx.x >= 20) return;
  float value = from[threadIdx.x];
  for (unsigned delta = 16; delta > 0; delta /= 2) {
    const unsigned source = threadIdx.x + delta < 20 ? threadIdx.x + delta : threadIdx.x;
    const float other = __shfl_sync(Correct ? 0xfffffu : kFullWarp, value, static_cast<int>(source));
    if (source != threadIdx.x) value += other;
  }
  if (threadIdx.x == 0) *to = value;
}

/// The mistake: lane 3 calls with a mask that leaves it out.
IMGSIM_KERNEL void vote_without_itself(unsigned* to) {
  to[threadIdx.x] = __ballot_sync(kFullWarp & ~8u, 1);
}

/// The mistake: the two halves of a warp meet in different operations.
IMGSIM_KERNEL void different_operations(float* to) {
  if (threadIdx.x < 16) {
    to[threadIdx.x] = __shfl_xor_sync(kFullWarp, 1.0f, 1);
  } else {
    __syncwarp();
  }
}

/// The mistake: barriers on both sides of a branch.
IMGSIM_KERNEL void barrier_on_both_sides(float* to) {
  if (threadIdx.x < 32) {
    to[threadIdx.x] = 1;
    __syncthreads();
  } else {
    __syncthreads();
  }
}

/// The mistake: half of the threads wait for a barrier, the others for lanes that are in it.
IMGSIM_KERNEL void barrier_against_shuffle(float* to) {
  if (threadIdx.x < 16) __syncthreads();
  if (threadIdx.x >= 16) to[threadIdx.x] = __shfl_sync(0xffff0000u, 1.0f, 16);
  if (threadIdx.x >= 16) __syncwarp(0xffff0001u);
}

/// Doubles `count` values. The mistake: the last block goes on past the end.
template <bool Correct>
IMGSIM_KERNEL void double_all(float* values, unsigned count) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (!Correct || i < count) values[i] *= 2;
}

/// The mistake: 34 columns in an array of 32 rows of 32.
IMGSIM_KERNEL void past_the_end_of_shared_memory(float* to) {
  IMGSIM_SHARED(float, tile, [32][32]);
  float* const cells = &tile[0][0];
  cells[threadIdx.x * 34] = 1;
  __syncthreads();
  to[threadIdx.x] = cells[threadIdx.x];
}

/// How many threads there are. The mistake: blocks add without atomics.
template <bool Correct>
IMGSIM_KERNEL void count_blocks(unsigned* counter) {
  if (threadIdx.x != 0) return;
  if constexpr (Correct) {
    atomicAdd(counter, 1u);
  } else {
    *counter += 1;
  }
}

/// The last block to finish adds up what each has written. The mistake: no fence between the writes and the ticket.
template <bool Correct>
IMGSIM_KERNEL void add_up_in_last_block(float* parts, unsigned* tickets, float* sum) {
  if (threadIdx.x != 0) return;
  parts[blockIdx.x] = static_cast<float>(blockIdx.x);
  if constexpr (Correct) __threadfence();
  if (atomicAdd(tickets, 1u) != gridDim.x - 1) return;
  if constexpr (Correct) __threadfence();
  float total = 0;
  for (unsigned block = 0; block < gridDim.x; ++block) total += parts[block];
  *sum = total;
}

/// The mistake: four of 64 values are read and never written.
IMGSIM_KERNEL void read_before_write(float* to) {
  IMGSIM_SHARED(float, tile, [64]);
  if (threadIdx.x < 60) tile[threadIdx.x] = 1;
  __syncthreads();
  to[threadIdx.x] = tile[threadIdx.x];
}

/// The mistake where `offset` is no multiple of four: a 16-byte load must be aligned to 16 bytes.
IMGSIM_KERNEL void sums_of_four(const float* from, unsigned offset, float* to) {
  const auto four = imgsim::cuda::load_pack<4>(from + offset + 4 * threadIdx.x);
  to[threadIdx.x] = four[0] + four[1] + four[2] + four[3];
}

/// The mistake: dynamic shared memory that the launch did not ask for.
IMGSIM_KERNEL void use_dynamic_shared(float* to) {
  float* tile = imgsim::cuda::dynamic_shared<float>();
  tile[threadIdx.x] = static_cast<float>(threadIdx.x);
  __syncthreads();
  to[threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}

/// The mistake: a thread waits in a loop for another, which therefore never runs.
IMGSIM_KERNEL void spin(unsigned* flag) {
  if (threadIdx.x == 0) {
    while (atomicAdd(flag, 0u) != 2) {
    }
  }
}

/// The mistake: int overflows in the second block.
IMGSIM_KERNEL void overflow(int* value) {
  *value += 2147483647;
}  // of two blocks

}  // namespace imgsim_test::planted
