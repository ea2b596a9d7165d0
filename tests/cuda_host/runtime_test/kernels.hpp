// Launches for the tests of the fake runtime. Pointers are to device memory.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

namespace imgsim_test {

/// values[i] += amount for i in [0, count).
void launch_add(int* values, int amount, unsigned count, cudaStream_t stream);
/// to[i] = from[i].
void launch_copy(const int* from, int* to, unsigned count, cudaStream_t stream);
/// A launch of that shape, whether it is allowed or not. Nothing is done.
void launch_nothing(dim3 grid, dim3 block, std::size_t dynamic_shared_bytes, cudaStream_t stream);
/// The same with the dynamic shared memory asked for first.
void launch_nothing_with(std::size_t dynamic_shared_bytes, cudaStream_t stream);
[[nodiscard]] unsigned resident_blocks_of_nothing(unsigned threads, std::size_t dynamic_shared_bytes);

}  // namespace imgsim_test
