// Must not compile over the host runner.
#include <imgsim/cuda/portable.cuh>

template <class T>
IMGSIM_KERNEL void keep_in_shared_memory(const T* from) {
  __shared__ T tile[32];
  tile[threadIdx.x] = from[threadIdx.x];
}
