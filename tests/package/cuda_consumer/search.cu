// Search on a stream of the user's, between the user's own kernels.
#include <cstdint>
#include <cstdio>

#include <imgsim/cuda/context.hpp>
#include <imgsim/cuda/search.cuh>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/search/top_n.hpp>

bool is_a_context(cudaStream_t stream);

namespace {

__global__ void fill(float* rows, unsigned count) {
  if (threadIdx.x < count) rows[threadIdx.x] = static_cast<float>(threadIdx.x % 3);
}

}  // namespace

int main() {
  cudaStream_t stream = nullptr;
  if (cudaStreamCreate(&stream) != cudaSuccess) {
    std::puts("no CUDA device");
    return 0;
  }
  const imgsim::cuda_context context(stream);
  const auto rows = context.allocate<float>(6);
  fill<<<1, 32, 0, stream>>>(rows.get(), 6);
  const imgsim::matrix_view<const float, imgsim::device_space> gallery(rows.matrix(3, 2));
  const auto found = imgsim::top_n(context, gallery, gallery, imgsim::cosine{}, {.n = 2});
  return found.rows(0, 0) == 0 && is_a_context(stream) ? 0 : 1;
}
