#include "cuda_host/runtime_test/kernels.hpp"

#include <imgsim/cuda/launch.cuh>

namespace imgsim_test {

using imgsim::cuda::cover;
using imgsim::cuda::launch;

IMGSIM_KERNEL void add(int* values, int amount, unsigned count) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) values[i] += amount;
}

IMGSIM_KERNEL void copy(const int* from, int* to, unsigned count) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) to[i] = from[i];
}

IMGSIM_KERNEL void nothing() {}

void launch_add(int* values, int amount, unsigned count, cudaStream_t stream) {
  launch(cover(count, 32), stream, add, values, amount, count);
}

void launch_copy(const int* from, int* to, unsigned count, cudaStream_t stream) {
  launch(cover(count, 32), stream, copy, from, to, count);
}

void launch_nothing(dim3 grid, dim3 block, std::size_t dynamic_shared_bytes, cudaStream_t stream) {
  launch({grid, block, dynamic_shared_bytes}, stream, nothing);
}

void launch_nothing_with(std::size_t dynamic_shared_bytes, cudaStream_t stream) {
  imgsim::cuda::allow_dynamic_shared(nothing, dynamic_shared_bytes);
  launch_nothing(dim3(1), dim3(32), dynamic_shared_bytes, stream);
}

unsigned resident_blocks_of_nothing(unsigned threads, std::size_t dynamic_shared_bytes) {
  return imgsim::cuda::resident_blocks(nothing, threads, dynamic_shared_bytes);
}

}  // namespace imgsim_test
