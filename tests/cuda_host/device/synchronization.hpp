// Barriers and fences (CUDA C++ Programming Guide, "Synchronization Functions", "Memory Fence Functions").
#pragma once

#include "cuda_host/device/thread.hpp"

inline void __syncthreads(imgsim::cuda_host::place where = imgsim::cuda_host::place::current()) {
  using namespace imgsim::cuda_host;
  join_barrier(barrier_vote::none, 0, "__syncthreads", where);
}
inline int __syncthreads_count(int predicate, imgsim::cuda_host::place where = imgsim::cuda_host::place::current()) {
  using namespace imgsim::cuda_host;
  return join_barrier(barrier_vote::count, predicate, "__syncthreads_count", where);
}
inline int __syncthreads_and(int predicate, imgsim::cuda_host::place where = imgsim::cuda_host::place::current()) {
  using namespace imgsim::cuda_host;
  return join_barrier(barrier_vote::all, predicate, "__syncthreads_and", where);
}
inline int __syncthreads_or(int predicate, imgsim::cuda_host::place where = imgsim::cuda_host::place::current()) {
  using namespace imgsim::cuda_host;
  return join_barrier(barrier_vote::any, predicate, "__syncthreads_or", where);
}

// A fence of the block is treated as one of the device: no kernel here relies on the weaker one alone.
inline void __threadfence_block() {
  imgsim::cuda_host::fence();
}
inline void __threadfence() {
  imgsim::cuda_host::fence();
}
