#include "cuda_host/device_test/kernels.hpp"

#include <imgsim/cuda/launch.cuh>
#include <imgsim/cuda/primitives/reduce.cuh>

namespace imgsim_test {
namespace {

using imgsim::cuda::kFullWarp;
using imgsim::cuda::launch;

}  // namespace

IMGSIM_KERNEL void shuffles(int width, int* to) {
  const int lane = static_cast<int>(threadIdx.x);
  const int value = 100 + lane;
  to[lane] = __shfl_sync(kFullWarp, value, lane + 5, width);
  to[32 + lane] = __shfl_up_sync(kFullWarp, value, 3u, width);
  to[64 + lane] = __shfl_down_sync(kFullWarp, value, 3u, width);
  to[96 + lane] = __shfl_xor_sync(kFullWarp, value, 9, width);
}

IMGSIM_KERNEL void votes(unsigned mask, unsigned yes, int* to) {
  const unsigned lane = threadIdx.x;
  if ((mask >> lane & 1u) == 0) return;
  const int predicate = static_cast<int>(yes >> lane & 1u);
  to[lane] = static_cast<int>(__ballot_sync(mask, predicate));
  to[32 + lane] = __any_sync(mask, predicate);
  to[64 + lane] = __all_sync(mask, predicate);
  to[96 + lane] = static_cast<int>(__match_any_sync(mask, lane % 3));
}

IMGSIM_KERNEL void block_votes(unsigned limit, int* to) {
  const int predicate = threadIdx.x < limit ? 7 : 0;
  const int count = __syncthreads_count(predicate);
  const int all = __syncthreads_and(predicate);
  const int any = __syncthreads_or(predicate);
  if (threadIdx.x == 0) {
    to[0] = count;
    to[1] = all;
    to[2] = any;
  }
}

IMGSIM_KERNEL void atomics(int* numbers, unsigned* wrapped, unsigned* largest, float* sum) {
  const unsigned thread = blockIdx.x * blockDim.x + threadIdx.x;
  const int value = static_cast<int>(37 * thread % 101) - 50;
  atomicAdd(&numbers[0], value);
  atomicMin(&numbers[1], value);
  atomicMax(&numbers[2], value);
  atomicOr(&numbers[3], 1 << (thread % 31));
  atomicXor(&numbers[4], static_cast<int>(thread));
  atomicInc(wrapped, 100u);
  unsigned seen = 0;
  while (seen < thread) {
    const unsigned before = atomicCAS(largest, seen, thread);
    if (before == seen) break;
    seen = before;
  }
  atomicAdd(sum, 0.5f);
}

template <unsigned Width>
IMGSIM_KERNEL void copy_bytes(const unsigned char* from, unsigned char* to, unsigned count) {
  const unsigned i = (blockIdx.x * blockDim.x + threadIdx.x) * Width;
  if (i < count) imgsim::cuda::store_pack(to + i, imgsim::cuda::load_pack<Width>(from + i));
}

IMGSIM_KERNEL void widen(float* as_bfloat, float* as_half) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  __nv_bfloat16_raw bfloat;
  bfloat.x = static_cast<unsigned short>(i);
  __half_raw half;
  half.x = static_cast<unsigned short>(i);
  as_bfloat[i] = imgsim::cuda::to_float(__nv_bfloat16(bfloat));
  as_half[i] = imgsim::cuda::to_float(__half(half));
}

IMGSIM_KERNEL void narrow(const float* from, unsigned short* bits, unsigned count) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  bits[i] = static_cast<__nv_bfloat16_raw>(imgsim::cuda::from_float<__nv_bfloat16>(from[i])).x;
  bits[count + i] = static_cast<__half_raw>(imgsim::cuda::from_float<__half>(from[i])).x;
}

template <unsigned Threads>
IMGSIM_KERNEL void block_reductions(const int* from, int* to) {
  const int value = from[threadIdx.x];
  const int sum = imgsim::cuda::block_reduce<Threads>(value, 0, imgsim::cuda::plus());
  const int most = imgsim::cuda::block_reduce<Threads>(value, -2147483647, imgsim::cuda::maximum());
  const int least = imgsim::cuda::block_reduce<Threads>(value, 2147483647, imgsim::cuda::minimum());
  if (threadIdx.x == Threads - 1) {
    to[0] = sum;
    to[1] = most;
    to[2] = least;
  }
}

IMGSIM_KERNEL void indices(unsigned* to) {
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned number = block * blockDim.x * blockDim.y * blockDim.z + thread;
  to[number] = number;
}

IMGSIM_KERNEL void order(unsigned* next, unsigned* to) {
  to[atomicAdd(next, 1u)] = blockIdx.x * blockDim.x + threadIdx.x;
}

IMGSIM_KERNEL void reverse_dynamic(const float* from, float* to, unsigned count) {
  float* const tile = imgsim::cuda::dynamic_shared<float>();
  for (unsigned i = threadIdx.x; i < count; i += blockDim.x) tile[i] = from[i];
  __syncthreads();
  for (unsigned i = threadIdx.x; i < count; i += blockDim.x) to[i] = tile[count - 1 - i];
}

void launch_shuffles(int width, int* to, cudaStream_t stream) {
  launch({dim3(1), dim3(32)}, stream, shuffles, width, to);
}

void launch_votes(unsigned mask, unsigned yes, int* to, cudaStream_t stream) {
  launch({dim3(1), dim3(32)}, stream, votes, mask, yes, to);
}

void launch_block_votes(unsigned limit, int* to, cudaStream_t stream) {
  launch({dim3(1), dim3(96)}, stream, block_votes, limit, to);
}

void launch_atomics(int* numbers, unsigned* wrapped, unsigned* largest, float* sum, cudaStream_t stream) {
  launch({dim3(4), dim3(64)}, stream, atomics, numbers, wrapped, largest, sum);
}

void launch_copy_bytes(unsigned width, const unsigned char* from, unsigned char* to, unsigned count,
                       cudaStream_t stream) {
  const auto kernel = width == 1   ? copy_bytes<1>
                      : width == 2 ? copy_bytes<2>
                      : width == 4 ? copy_bytes<4>
                      : width == 8 ? copy_bytes<8>
                                   : copy_bytes<16>;
  launch(imgsim::cuda::cover(count / width, 64), stream, kernel, from, to, count);
}

void launch_widen(float* as_bfloat, float* as_half, cudaStream_t stream) {
  launch({dim3(256), dim3(256)}, stream, widen, as_bfloat, as_half);
}

void launch_narrow(const float* from, unsigned short* bits, unsigned count, cudaStream_t stream) {
  launch(imgsim::cuda::cover(count, 64), stream, narrow, from, bits, count);
}

void launch_block_reduce(unsigned threads, const int* from, int* to, cudaStream_t stream) {
  const auto kernel = threads == 32   ? block_reductions<32>
                      : threads == 96 ? block_reductions<96>
                                      : block_reductions<1024>;
  launch({dim3(1), dim3(threads)}, stream, kernel, from, to);
}

void launch_indices(unsigned* to, cudaStream_t stream) {
  launch({dim3(3, 2, 2), dim3(4, 3, 2)}, stream, indices, to);
}

void launch_order(unsigned* next, unsigned* to, cudaStream_t stream) {
  launch({dim3(4), dim3(16)}, stream, order, next, to);
}

void launch_reverse_dynamic(const float* from, float* to, unsigned count, cudaStream_t stream) {
  imgsim::cuda::allow_dynamic_shared(reverse_dynamic, count * sizeof(float));
  launch({dim3(1), dim3(128), count * sizeof(float)}, stream, reverse_dynamic, from, to, count);
}

}  // namespace imgsim_test
