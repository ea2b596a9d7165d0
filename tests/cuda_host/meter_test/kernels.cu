#include "cuda_host/meter_test/kernels.hpp"

#include <imgsim/cuda/launch.cuh>

namespace imgsim_test {

using imgsim::cuda::cover;
using imgsim::cuda::launch;

IMGSIM_KERNEL void strided(const float* from, float* to, unsigned count, unsigned stride) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  const float value = from[i * stride % count];
  to[i] = value;
}

IMGSIM_KERNEL void packed(const float* from, float* to) {
  const unsigned i = 4 * (blockIdx.x * blockDim.x + threadIdx.x);
  imgsim::cuda::store_pack(to + i, imgsim::cuda::load_pack<4>(from + i));
}

IMGSIM_KERNEL void twice(const float* from, float* to, unsigned count) {
  float sum = 0;
  for (unsigned round = 0; round < 2; ++round) {
    for (unsigned i = threadIdx.x; i < count; i += 32) sum += from[i];
  }
  to[threadIdx.x] = sum;
}

template <unsigned Pitch>
IMGSIM_KERNEL void transpose(const float* from, float* to) {
  IMGSIM_SHARED(float, tile, [32][Pitch]);
  tile[threadIdx.y][threadIdx.x] = from[32 * threadIdx.y + threadIdx.x];
  __syncthreads();
  to[32 * threadIdx.y + threadIdx.x] = tile[threadIdx.x][threadIdx.y];
}

IMGSIM_KERNEL void packs_in_shared_memory(const float* from, float* to, unsigned distance) {
  float* const tile = imgsim::cuda::dynamic_shared<float>();
  imgsim::cuda::store_pack(tile + 4 * distance * threadIdx.x, imgsim::cuda::load_pack<4>(from + 4 * threadIdx.x));
  __syncwarp();
  imgsim::cuda::store_pack(to + 4 * threadIdx.x, imgsim::cuda::load_pack<4>(tile + 4 * distance * threadIdx.x));
}

IMGSIM_KERNEL void histogram(unsigned* counters) {
  atomicAdd(&counters[threadIdx.x % 4], 1u);
}

void launch_strided(const float* from, float* to, unsigned count, unsigned stride, cudaStream_t stream) {
  launch(cover(count, 128), stream, strided, from, to, count, stride);
}

void launch_packed(const float* from, float* to, unsigned count, cudaStream_t stream) {
  launch(cover(count / 4, 128), stream, packed, from, to);
}

void launch_twice(const float* from, float* to, unsigned count, cudaStream_t stream) {
  launch({dim3(1), dim3(32)}, stream, twice, from, to, count);
}

void launch_transpose(const float* from, float* to, bool padded, cudaStream_t stream) {
  launch({dim3(1), dim3(32, 32)}, stream, padded ? transpose<33> : transpose<32>, from, to);
}

void launch_packs_in_shared_memory(const float* from, float* to, unsigned distance, cudaStream_t stream) {
  launch({dim3(1), dim3(32), 32 * 4 * distance * sizeof(float)}, stream, packs_in_shared_memory, from, to, distance);
}

void launch_histogram(unsigned* counters, cudaStream_t stream) {
  launch({dim3(1), dim3(64)}, stream, histogram, counters);
}

}  // namespace imgsim_test
