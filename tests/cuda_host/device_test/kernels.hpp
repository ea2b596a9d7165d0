// Launches of small kernels that use one thing of the device side each. All pointers are to device memory.
#pragma once

#include <cuda_runtime_api.h>

namespace imgsim_test {

/// By one warp: to[operation][lane] of __shfl_sync(.., (lane + 5), width), __shfl_up_sync(.., 3, width),
/// __shfl_down_sync(.., 3, width), __shfl_xor_sync(.., 9, width) of 100 + lane.
void launch_shuffles(int width, int* to, cudaStream_t stream);

/// By one warp: to[lane] of a vote over the lanes of `mask` on whether the lane is in `yes`: rows for ballot, any, all
/// and
/// __match_any_sync of lane % 3. Other lanes leave -1.
void launch_votes(unsigned mask, unsigned yes, int* to, cudaStream_t stream);

/// By a block of 96: to[0..2] = __syncthreads_count, _and, _or of thread < limit.
void launch_block_votes(unsigned limit, int* to, cudaStream_t stream);

/// By 4 blocks of 64, each thread with the value 37 * (its number) % 101 - 50: numbers[0] += it, [1] min, [2] max,
/// [3] |= 1 << (thread % 31), [4] ^= thread; wrapped counts to 100 by atomicInc; largest by a loop of atomicCAS.
void launch_atomics(int* numbers, unsigned* wrapped, unsigned* largest, float* sum, cudaStream_t stream);

/// to[i] = from[i], `count` bytes, by loads and stores of `width` bytes (1, 2, 4, 8 or 16).
void launch_copy_bytes(unsigned width, const unsigned char* from, unsigned char* to, unsigned count,
                       cudaStream_t stream);

/// All values of 16 bits: as_bfloat[i] and as_half[i] are their floats.
void launch_widen(float* as_bfloat, float* as_half, cudaStream_t stream);
/// bits[i] = from[i] rounded to __nv_bfloat16, bits[count + i] to __half.
void launch_narrow(const float* from, unsigned short* bits, unsigned count, cudaStream_t stream);

/// By one block of `threads` (32, 96 or 1024): to[0] the sum, to[1] the maximum, to[2] the minimum of from[thread].
void launch_block_reduce(unsigned threads, const int* from, int* to, cudaStream_t stream);

/// By a grid of (3, 2, 2) blocks of (4, 3, 2): to[its number] = the number, made of threadIdx and blockIdx alone.
void launch_indices(unsigned* to, cudaStream_t stream);

/// By 4 blocks of 16: to[n] = the number of the thread that came n-th to `next`, which begins at 0.
void launch_order(unsigned* next, unsigned* to, cudaStream_t stream);

/// Reverses `count` floats through dynamic shared memory, by one block.
void launch_reverse_dynamic(const float* from, float* to, unsigned count, cudaStream_t stream);

}  // namespace imgsim_test
