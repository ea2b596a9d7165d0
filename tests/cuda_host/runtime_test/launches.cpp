// Launches that are refused, faults that come later, and every call failing once.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <imgsim/core/error.hpp>

#include "cuda_host/runner/report.hpp"
#include "cuda_host/runtime/device_state.hpp"
#include "cuda_host/runtime/faults.hpp"
#include "cuda_host/runtime/library_fakes.hpp"
#include "cuda_host/runtime_test/kernels.hpp"
#include "cuda_host/support/device_array.hpp"

namespace {

namespace cuda_host = imgsim::cuda_host;
using imgsim_test::device_array;
using imgsim_test::launch_add;
using imgsim_test::launch_nothing;
using imgsim_test::test_stream;

template <class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const imgsim::backend_error& fault) {
    return fault.what();
  }
  return "(no error)";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool is_release(const std::string& function) {
  return contains(function, "Free") || contains(function, "Destroy");
}

}  // namespace

BOOST_AUTO_TEST_CASE(impossible_launches_are_refused_and_name_their_line) {
  const test_stream stream;
  const auto refusal = [&](dim3 grid, dim3 block, std::size_t shared) {
    return message_of([&] { launch_nothing(grid, block, shared, stream); });
  };
  for (const std::string& message :
       {refusal(dim3(0), dim3(32), 0), refusal(dim3(1), dim3(1025), 0), refusal(dim3(1), dim3(32, 33), 0),
        refusal(dim3(1), dim3(1, 1, 65), 0), refusal(dim3(1, 65536), dim3(1), 0)}) {
    BOOST_TEST(contains(message, "CUDA: cudaLaunchKernelExC gave cudaErrorInvalidConfiguration"), message);
    BOOST_TEST(contains(message, "kernels.cu:"), message);
  }
  BOOST_TEST(contains(refusal(dim3(1), dim3(32), (48 << 10) + 1), "cudaErrorInvalidValue"));
  BOOST_TEST(refusal(dim3(1), dim3(32), 48 << 10) == "(no error)");
  BOOST_TEST(message_of([&] { imgsim_test::launch_nothing_with(227 << 10, stream); }) == "(no error)");
  BOOST_TEST(contains(message_of([&] { imgsim_test::launch_nothing_with((227 << 10) + 1, stream); }),
                      "cudaFuncSetAttribute gave cudaErrorInvalidValue"));
  stream.synchronize();
  BOOST_TEST(cudaGetLastError() == cudaSuccess);
}

BOOST_AUTO_TEST_CASE(an_unknown_kernel_is_refused) {
  cudaLaunchConfig_t config{};
  config.gridDim = config.blockDim = dim3(1);
  int no_kernel = 0;
  BOOST_TEST(cudaLaunchKernelExC(&config, &no_kernel, nullptr) == cudaErrorInvalidDeviceFunction);
  cudaGetLastError();
}

BOOST_AUTO_TEST_CASE(residency_follows_the_device) {
  BOOST_TEST(imgsim_test::resident_blocks_of_nothing(256, 0) == 8u);
  BOOST_TEST(imgsim_test::resident_blocks_of_nothing(32, 0) == 32u);
  BOOST_TEST(imgsim_test::resident_blocks_of_nothing(256, 99 << 10) == 2u);
  cuda_host::choose_device(75);
  BOOST_TEST(imgsim_test::resident_blocks_of_nothing(256, 0) == 4u);
  cuda_host::choose_device(90);
}

BOOST_AUTO_TEST_CASE(a_fault_stays_until_the_device_is_reset) {
  {
    const test_stream stream;
    const device_array<int> values(64);
    IMGSIM_CUDA_CHECK(cuda_host::enqueue(stream, [] { throw std::runtime_error("as a kernel that faults"); }));
    launch_add(values.get(), 1, 64, stream);
    BOOST_TEST(cudaStreamSynchronize(stream) == cudaErrorLaunchFailure);
    BOOST_TEST(contains(message_of([&] { launch_add(values.get(), 1, 64, stream); }), "cudaErrorLaunchFailure"));
    BOOST_TEST(cuda_host::enqueue(stream, [] {}) == cudaErrorLaunchFailure);
  }
  BOOST_TEST(cuda_host::take_reports().size() == 1u);
  cuda_host::reset_device();
  BOOST_TEST(cudaDeviceSynchronize() == cudaSuccess);
}

BOOST_AUTO_TEST_CASE(errors_have_names) {
  BOOST_TEST(std::string(cudaGetErrorName(cudaErrorMemoryAllocation)) == "cudaErrorMemoryAllocation");
  BOOST_TEST(std::string(cudaGetErrorString(cudaErrorMemoryAllocation)) == "out of memory");
  BOOST_TEST(std::string(cudaGetErrorName(static_cast<cudaError_t>(12345))) == "unrecognized error code");
}

BOOST_AUTO_TEST_CASE(one_function_can_be_made_to_fail) {
  cuda_host::begin_faults({0, "cudaGetDeviceCount", cudaErrorInsufficientDriver});
  int count = -1;
  BOOST_TEST(cudaGetDeviceCount(&count) == cudaErrorInsufficientDriver);
  BOOST_TEST(cudaSetDevice(0) == cudaSuccess);
  BOOST_TEST(cuda_host::calls_seen() == (std::vector<std::string>{"cudaGetDeviceCount", "cudaSetDevice"}),
             boost::test_tools::per_element());
  cuda_host::begin_faults();
  cudaGetLastError();
  BOOST_TEST(cudaGetDeviceCount(&count) == cudaSuccess);
  BOOST_TEST(count == 1);
}

BOOST_AUTO_TEST_CASE(every_call_can_fail_once_without_a_leak) {
  const auto work = [] {
    const test_stream stream;
    const device_array<int> values(std::vector<int>(64, 1));
    // Where a later call fails, the kernel must be done before its memory goes.
    const std::unique_ptr<CUstream_st, decltype(&cudaStreamSynchronize)> finish(stream, &cudaStreamSynchronize);
    launch_add(values.get(), 1, 64, stream);
    BOOST_TEST(values.read(stream)[0] == 2);
  };
  const std::vector<std::string> wrong = cuda_host::walk_faults(work, [](const std::string& function) {
    return is_release(function) || function == "cudaStreamSynchronize";  // one of two is in a destructor
  });
  for (const std::string& each : wrong) BOOST_ERROR(each);
}

BOOST_AUTO_TEST_CASE(the_walk_sees_leaks_silence_and_wrong_messages) {
  const auto heard = [](const std::vector<std::string>& wrong, const std::string& text) {
    return std::ranges::any_of(wrong, [&](const std::string& each) { return contains(each, text); });
  };
  const auto leaks = [] {
    void* first = nullptr;
    void* second = nullptr;
    IMGSIM_CUDA_CHECK(cudaMalloc(&first, 100));
    IMGSIM_CUDA_CHECK(cudaMalloc(&second, 200));
    cudaFree(second);
    cudaFree(first);
  };
  BOOST_TEST(heard(cuda_host::walk_faults(leaks, is_release), "100 bytes of device memory were not freed"));
  BOOST_TEST(!heard(cuda_host::walk_faults(leaks, is_release), "200 bytes"));
  BOOST_TEST(heard(cuda_host::walk_faults([] { cudaSetDevice(0); }), "nobody noticed"));
  BOOST_TEST(heard(cuda_host::walk_faults([] { imgsim::cuda::check(cudaSetDevice(0), "something"); }),
                   "the message does not say so"));
  BOOST_TEST(heard(cuda_host::walk_faults([] {
                     cudaStream_t stream = nullptr;
                     IMGSIM_CUDA_CHECK(cudaStreamCreate(&stream));
                   }),
                   "without a fault: a stream was not destroyed"));
}
