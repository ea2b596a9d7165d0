// Stream capture records work instead of doing it, refuses what it cannot record, and a graph does it again.
#include <boost/test/unit_test.hpp>

#include <memory>
#include <vector>

#include "cuda_host/runtime_test/kernels.hpp"
#include "cuda_host/support/device_array.hpp"

namespace {

using imgsim_test::device_array;
using imgsim_test::launch_add;
using imgsim_test::launch_copy;
using imgsim_test::test_stream;

/// What cudaStreamEndCapture says after `work`; a graph is destroyed.
template <class Work>
cudaError_t end_after(const test_stream& stream, Work&& work) {
  IMGSIM_CUDA_CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  work();
  cudaGraph_t graph = nullptr;
  const cudaError_t status = cudaStreamEndCapture(stream, &graph);
  BOOST_TEST((graph == nullptr) == (status != cudaSuccess));
  if (graph != nullptr) IMGSIM_CUDA_CHECK(cudaGraphDestroy(graph));
  cudaGetLastError();
  return status;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_graph_does_what_was_captured_as_often_as_asked) {
  const test_stream stream;
  const device_array<int> values(std::vector<int>(64, 1));
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  IMGSIM_CUDA_CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  int amount = 2;
  launch_add(values.get(), amount, 64, stream);
  amount = 1000;  // the graph has its own copy
  launch_add(values.get(), 3, 64, stream);
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  IMGSIM_CUDA_CHECK(cudaStreamIsCapturing(stream, &status));
  BOOST_TEST(status == cudaStreamCaptureStatusActive);
  IMGSIM_CUDA_CHECK(cudaStreamEndCapture(stream, &graph));
  IMGSIM_CUDA_CHECK(cudaGraphInstantiate(&executable, graph, 0));
  IMGSIM_CUDA_CHECK(cudaGraphDestroy(graph));
  BOOST_TEST(values.read(stream)[0] == 1);
  IMGSIM_CUDA_CHECK(cudaGraphLaunch(executable, stream));
  IMGSIM_CUDA_CHECK(cudaGraphLaunch(executable, stream));
  const test_stream other;
  IMGSIM_CUDA_CHECK(cudaGraphLaunch(executable, other));  // after the other launches, by itself
  IMGSIM_CUDA_CHECK(cudaGraphExecDestroy(executable));
  BOOST_TEST(values.read(other)[0] == 1 + 3 * 5);
}

BOOST_AUTO_TEST_CASE(a_second_stream_is_drawn_in_by_an_event_and_joined_by_another) {
  const test_stream stream;
  const test_stream side;
  const device_array<int> values(std::vector<int>(64, 1));
  const device_array<int> copied(64);
  cudaEvent_t fork = nullptr;
  cudaEvent_t join = nullptr;
  IMGSIM_CUDA_CHECK(cudaEventCreateWithFlags(&fork, cudaEventDisableTiming));
  IMGSIM_CUDA_CHECK(cudaEventCreateWithFlags(&join, cudaEventDisableTiming));
  const auto fork_and_work = [&] {
    launch_add(values.get(), 1, 64, stream);
    IMGSIM_CUDA_CHECK(cudaEventRecord(fork, stream));
    IMGSIM_CUDA_CHECK(cudaStreamWaitEvent(side, fork));
    launch_copy(values.get(), copied.get(), 64, side);
    IMGSIM_CUDA_CHECK(cudaEventRecord(join, side));
  };
  BOOST_TEST(end_after(stream, fork_and_work) == cudaErrorStreamCaptureUnjoined);
  BOOST_TEST(end_after(stream, [&] {
               fork_and_work();
               IMGSIM_CUDA_CHECK(cudaStreamWaitEvent(stream, join));
             }) == cudaSuccess);
  BOOST_TEST(cudaEventSynchronize(join) == cudaErrorCapturedEvent);
  cudaGetLastError();
  IMGSIM_CUDA_CHECK(cudaEventDestroy(fork));
  IMGSIM_CUDA_CHECK(cudaEventDestroy(join));
  BOOST_TEST(values.read(side)[0] == 1);  // the side stream is no longer captured
}

BOOST_AUTO_TEST_CASE(what_cannot_be_recorded_ends_the_capture) {
  const test_stream stream;
  const device_array<int> values(64);
  int here = 0;
  void* memory = nullptr;
  const auto refused = [&](auto&& call) {
    return end_after(stream, [&] { BOOST_TEST(call() == cudaErrorStreamCaptureUnsupported); }) ==
           cudaErrorStreamCaptureInvalidated;
  };
  BOOST_TEST(refused([&] { return cudaStreamSynchronize(stream); }));
  BOOST_TEST(refused([&] { return cudaStreamQuery(stream); }));
  BOOST_TEST(refused([&] { return cudaDeviceSynchronize(); }));
  BOOST_TEST(refused([&] { return cudaMalloc(&memory, 16); }));
  BOOST_TEST(refused([&] { return cudaMallocAsync(&memory, 16, stream); }));
  BOOST_TEST(refused([&] { return cudaMemcpy(&here, values.get(), 4, cudaMemcpyDeviceToHost); }));
  BOOST_TEST(end_after(stream, [] {}) == cudaSuccess);
}

BOOST_AUTO_TEST_CASE(captures_begin_and_end_in_one_stream) {
  const test_stream stream;
  cudaGraph_t graph = nullptr;
  BOOST_TEST(cudaStreamEndCapture(stream, &graph) == cudaErrorIllegalState);
  BOOST_TEST(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeGlobal) == cudaErrorStreamCaptureUnsupported);
  BOOST_TEST(end_after(stream, [&] {
               BOOST_TEST(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaErrorIllegalState);
             }) == cudaSuccess);
  cudaGetLastError();
}
