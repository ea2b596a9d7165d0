// A CUDA stream shared with the caller's kernels: a kernel of the caller's makes rows, imgsim searches them, a kernel
// of the caller's uses the answer, all on one stream and without the host waiting in between.
//
// Compiled as C++20 and linked with imgsim::cuda; tests/package/cuda_consumer does. On a machine without a GPU it says
// so.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <vector>

#include <imgsim/cuda/context.hpp>
#include <imgsim/cuda/search.cuh>
#include <imgsim/cuda/workspace_memory.hpp>
#include <imgsim/metric/euclidean.hpp>
#include <imgsim/search/gallery.hpp>
#include <imgsim/search/top_n.hpp>

namespace {

constexpr unsigned kRows = 1000, kWidth = 8;

/// Points on a circle, in the first two of kWidth coordinates; row i lies at the angle i / kRows.
__global__ void place_on_circle(float* rows) {
  const unsigned row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= kRows) return;
  for (unsigned d = 0; d < kWidth; ++d) rows[row * kWidth + d] = 0;
  const float turn = static_cast<float>(row) / kRows;
  rows[row * kWidth] = cospif(2 * turn);
  rows[row * kWidth + 1] = sinpif(2 * turn);
}

/// Steps along the circle from each row to its nearest.
__global__ void count_steps(const std::int64_t* nearest, unsigned* steps) {
  const unsigned row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= kRows) return;
  const auto apart = static_cast<unsigned>(llabs(nearest[row] - static_cast<std::int64_t>(row)));
  steps[row] = min(apart, kRows - apart);
}

}  // namespace

int main() try {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::puts("no CUDA device");
    return 0;
  }
  cudaStream_t stream = nullptr;
  IMGSIM_CUDA_CHECK(cudaStreamCreate(&stream));

  // Everything that imgsim needs on the device comes out of this block, so it has a bound; without the third argument
  // memory comes from the device's own pool, and with cuda::resource_memory from a resource such as RMM's.
  constexpr std::size_t kWorkspace = std::size_t{16} << 20;
  void* workspace = nullptr;
  IMGSIM_CUDA_CHECK(cudaMalloc(&workspace, kWorkspace));
  bool right = true;
  {
    const imgsim::cuda_context context(stream, std::make_shared<imgsim::thread_pool>(1),
                                       std::make_shared<imgsim::cuda::workspace_memory>(workspace, kWorkspace));
    const auto rows = context.allocate<float>(kRows * kWidth);
    const auto nearest = context.allocate<std::int64_t>(kRows);
    const auto similarity = context.allocate<float>(kRows);
    const auto steps = context.allocate<unsigned>(kRows);

    const unsigned blocks = (kRows + 127) / 128;
    place_on_circle<<<blocks, 128, 0, stream>>>(rows.get());
    // Rows that are on the device are read where they are. The answer is written there, too, so nothing waits.
    const imgsim::prepared_gallery gallery(context, rows.matrix(kRows, kWidth));
    imgsim::top_n(context, gallery, rows.matrix(kRows, kWidth), imgsim::euclidean{}, {.n = 1, .exclude_self = true},
                  {nearest.matrix(kRows, 1), similarity.matrix(kRows, 1)});
    count_steps<<<blocks, 128, 0, stream>>>(nearest.get(), steps.get());

    std::vector<unsigned> counted(kRows);
    IMGSIM_CUDA_CHECK(
        cudaMemcpyAsync(counted.data(), steps.get(), kRows * sizeof(unsigned), cudaMemcpyDefault, stream));
    IMGSIM_CUDA_CHECK(cudaStreamSynchronize(stream));  // the only wait of the program
    for (const unsigned count : counted) right &= count == 1;
  }
  IMGSIM_CUDA_CHECK(cudaFree(workspace));
  IMGSIM_CUDA_CHECK(cudaStreamDestroy(stream));
  std::printf("each row's nearest %s beside it on the circle\n", right ? "lies" : "does not lie");
  return right ? 0 : 1;
} catch (const std::exception& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
