// Device memory: who may touch it, when it ends, which copies are refused.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <numeric>
#include <string_view>
#include <vector>

#include "cuda_host/runtime/device_state.hpp"
#include "cuda_host/runtime_test/kernels.hpp"
#include "cuda_host/support/child.hpp"
#include "cuda_host/support/device_array.hpp"

namespace {

using imgsim_test::child_result;
using imgsim_test::device_array;
using imgsim_test::launch_add;
using imgsim_test::run_in_child;
using imgsim_test::test_stream;

constexpr bool kAddress = std::string_view(IMGSIM_CUDA_HOST_BUILD) == "address";

void check_refused(cudaError_t status, cudaError_t expected) {
  BOOST_TEST(status == expected, cudaGetErrorName(status));
  BOOST_TEST(cudaGetLastError() == expected);
}

}  // namespace

BOOST_AUTO_TEST_CASE(memory_is_kept_until_queued_work_is_done) {
  const child_result result = run_in_child([] {
    const test_stream stream;
    {
      const device_array<int> values(64);
      launch_add(values.get(), 1, 64, stream);
    }
    stream.synchronize();
  });
  BOOST_TEST(result.says("heap-use-after-free") == kAddress, result.output);
  BOOST_TEST(result.says("runtime_test/kernels.cu:") == kAddress, result.output);
}

BOOST_AUTO_TEST_CASE(memory_of_the_stream_order_ends_in_that_order) {
  const test_stream stream;
  void* memory = nullptr;
  IMGSIM_CUDA_CHECK(cudaMallocAsync(&memory, 64 * sizeof(int), stream));
  launch_add(static_cast<int*>(memory), 1, 64, stream);
  IMGSIM_CUDA_CHECK(cudaFreeAsync(memory, stream));
  check_refused(cudaFreeAsync(memory, stream), cudaErrorInvalidValue);
  check_refused(cudaMemsetAsync(memory, 0, 4, stream), cudaErrorInvalidValue);
  stream.synchronize();
  BOOST_TEST(imgsim::cuda_host::what_is_left().size() == 1u);  // the stream
}

BOOST_AUTO_TEST_CASE(the_host_cannot_touch_device_memory) {
  const child_result result = run_in_child([] {
    const device_array<int> values(64);
    std::printf("%d\n", values.get()[3]);
  });
  BOOST_TEST(result.says("use-after-poison") == kAddress, result.output);
}

BOOST_AUTO_TEST_CASE(new_memory_is_nan) {
  const test_stream stream;
  const device_array<float> values(5);
  for (const float value : values.read(stream)) BOOST_TEST(std::isnan(value));
}

BOOST_AUTO_TEST_CASE(what_was_not_allocated_is_not_freed) {
  int here = 0;
  void* device = nullptr;
  void* pinned = nullptr;
  IMGSIM_CUDA_CHECK(cudaMalloc(&device, 16));
  IMGSIM_CUDA_CHECK(cudaMallocHost(&pinned, 16));
  check_refused(cudaFree(&here), cudaErrorInvalidValue);
  check_refused(cudaFree(pinned), cudaErrorInvalidValue);
  check_refused(cudaFreeHost(device), cudaErrorInvalidValue);
  check_refused(cudaFreeAsync(device, nullptr), cudaErrorInvalidValue);
  IMGSIM_CUDA_CHECK(cudaFree(device));
  check_refused(cudaFree(device), cudaErrorInvalidValue);
  IMGSIM_CUDA_CHECK(cudaFreeHost(pinned));
  BOOST_TEST(cudaFree(nullptr) == cudaSuccess);
}

BOOST_AUTO_TEST_CASE(memory_runs_out) {
  imgsim::cuda_host::choose_device(75, 1000);
  void* first = nullptr;
  void* second = nullptr;
  IMGSIM_CUDA_CHECK(cudaMalloc(&first, 600));
  check_refused(cudaMalloc(&second, 401), cudaErrorMemoryAllocation);
  std::size_t free = 0;
  std::size_t total = 0;
  IMGSIM_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  BOOST_TEST(free == 400u);
  BOOST_TEST(total == 1000u);
  IMGSIM_CUDA_CHECK(cudaFree(first));
  imgsim::cuda_host::choose_device(90);
}

BOOST_AUTO_TEST_CASE(copies_say_where_they_go) {
  const device_array<int> device(16);
  std::vector<int> host(17);
  check_refused(cudaMemcpy(host.data(), host.data() + 8, 32, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  check_refused(cudaMemcpy(device.get(), host.data(), 64, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  check_refused(cudaMemcpy(device.get(), host.data(), 68, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  check_refused(cudaMemcpy(device.get(), host.data(), 64, static_cast<cudaMemcpyKind>(7)),
                cudaErrorInvalidMemcpyDirection);
  check_refused(cudaMemsetAsync(host.data(), 0, 4, nullptr), cudaErrorInvalidValue);
  check_refused(cudaMemcpy2D(device.get(), 4, host.data(), 4, 8, 2, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
}

BOOST_AUTO_TEST_CASE(rows_are_copied_with_their_pitch) {
  const test_stream stream;
  std::vector<int> from(4 * 5);
  std::iota(from.begin(), from.end(), 0);
  const device_array<int> device(3 * 4);
  IMGSIM_CUDA_CHECK(cudaMemset2DAsync(device.get(), 4 * sizeof(int), 0, 4 * sizeof(int), 3, stream));
  IMGSIM_CUDA_CHECK(cudaMemcpy2DAsync(device.get(), 4 * sizeof(int), from.data(), 5 * sizeof(int), 2 * sizeof(int), 3,
                                      cudaMemcpyHostToDevice, stream));
  const std::vector<int> expected{0, 1, 0, 0, 5, 6, 0, 0, 10, 11, 0, 0};
  BOOST_TEST(device.read(stream) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(memory_tells_what_it_is) {
  const device_array<int> device(16);
  int here = 0;
  cudaPointerAttributes attributes{};
  IMGSIM_CUDA_CHECK(cudaPointerGetAttributes(&attributes, device.get() + 15));
  BOOST_TEST(attributes.type == cudaMemoryTypeDevice);
  IMGSIM_CUDA_CHECK(cudaPointerGetAttributes(&attributes, device.get() + 16));
  BOOST_TEST(attributes.type == cudaMemoryTypeUnregistered);
  IMGSIM_CUDA_CHECK(cudaPointerGetAttributes(&attributes, &here));
  BOOST_TEST(attributes.type == cudaMemoryTypeUnregistered);
}
