// Kernels whose traffic can be told by hand. Pointers are to device memory; `count` floats, a multiple of 1024.
#pragma once

#include <cuda_runtime_api.h>

namespace imgsim_test {

/// to[i] = from[i * stride % count] by `count` threads.
void launch_strided(const float* from, float* to, unsigned count, unsigned stride, cudaStream_t stream);
/// to[i] = from[i], four values a thread by one access.
void launch_packed(const float* from, float* to, unsigned count, cudaStream_t stream);
/// to[i] += from[i] for i < 32, in a loop that reads all of `from` twice, by one warp.
void launch_twice(const float* from, float* to, unsigned count, cudaStream_t stream);
/// Transposes 32 x 32 floats through shared memory, with rows of 33 where `padded`, else of 32.
void launch_transpose(const float* from, float* to, bool padded, cudaStream_t stream);
/// Moves packs of four floats through shared memory, `distance` packs apart (1 or 2), by one warp.
void launch_packs_in_shared_memory(const float* from, float* to, unsigned distance, cudaStream_t stream);
/// Each thread adds 1 to counters[thread % 4].
void launch_histogram(unsigned* counters, cudaStream_t stream);

}  // namespace imgsim_test
