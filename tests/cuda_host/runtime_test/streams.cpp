// Streams are lazy, and in the order that the documentation promises: no more.
#include <boost/test/unit_test.hpp>

#include <array>
#include <memory>
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
using imgsim_test::launch_copy;
using imgsim_test::run_in_child;
using imgsim_test::test_stream;

constexpr bool kThread = std::string_view(IMGSIM_CUDA_HOST_BUILD) == "thread";
constexpr auto kToHost = cudaMemcpyDeviceToHost;
constexpr auto kToDevice = cudaMemcpyHostToDevice;

struct event_destroyer {
  void operator()(cudaEvent_t event) const { cudaEventDestroy(event); }
};
using event_owner = std::unique_ptr<CUevent_st, event_destroyer>;

event_owner make_event(unsigned flags = cudaEventDisableTiming) {
  cudaEvent_t event = nullptr;
  IMGSIM_CUDA_CHECK(cudaEventCreateWithFlags(&event, flags));
  return event_owner(event);
}

const std::vector<int> kOnes(64, 1);

/// Whether the host still sees `expected` where work is queued to write. To look is a race, and ThreadSanitizer says
/// so.
bool still(const int& value, int expected) {
  return kThread || value == expected;
}

}  // namespace

BOOST_AUTO_TEST_CASE(without_a_synchronisation_nothing_has_happened) {
  const test_stream stream;
  const device_array<int> values(kOnes);
  std::vector<int> seen(64, -7);
  launch_add(values.get(), 1, 64, stream);
  IMGSIM_CUDA_CHECK(cudaMemcpyAsync(seen.data(), values.get(), 64 * sizeof(int), kToHost, stream));
  BOOST_TEST(still(seen[0], -7));
  stream.synchronize();
  BOOST_TEST(seen == std::vector<int>(64, 2), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_event_is_waited_for_and_no_more) {
  const test_stream stream;
  const device_array<int> values(kOnes);
  const event_owner event = make_event();
  std::array<int, 2> seen{};
  launch_add(values.get(), 1, 64, stream);
  IMGSIM_CUDA_CHECK(cudaMemcpyAsync(&seen[0], values.get(), sizeof(int), kToHost, stream));
  IMGSIM_CUDA_CHECK(cudaEventRecord(event.get(), stream));
  launch_add(values.get(), 1, 64, stream);
  IMGSIM_CUDA_CHECK(cudaMemcpyAsync(&seen[1], values.get(), sizeof(int), kToHost, stream));
  IMGSIM_CUDA_CHECK(cudaEventSynchronize(event.get()));
  BOOST_TEST(seen[0] == 2);
  BOOST_TEST(still(seen[1], 0));
  stream.synchronize();
  BOOST_TEST(seen[1] == 3);
}

BOOST_AUTO_TEST_CASE(an_event_orders_two_streams) {
  const test_stream producer;
  const test_stream consumer;
  const device_array<int> values(kOnes);
  const device_array<int> copied(64);
  const event_owner event = make_event();
  launch_add(values.get(), 41, 64, producer);
  IMGSIM_CUDA_CHECK(cudaEventRecord(event.get(), producer));
  IMGSIM_CUDA_CHECK(cudaStreamWaitEvent(consumer, event.get()));
  launch_copy(values.get(), copied.get(), 64, consumer);
  BOOST_TEST(copied.read(consumer) == std::vector<int>(64, 42), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(two_streams_without_an_event_race) {
  const child_result result = run_in_child([] {
    const test_stream producer;
    const test_stream consumer;
    const device_array<int> values(kOnes);
    const device_array<int> copied(64);
    for (const test_stream* stream : {&producer, &consumer}) {  // both have run kernels before
      launch_copy(values.get(), copied.get(), 64, *stream);
      stream->synchronize();
    }
    launch_add(values.get(), 41, 64, producer);
    launch_copy(values.get(), copied.get(), 64, consumer);
    producer.synchronize();
    consumer.synchronize();
  });
  BOOST_TEST(result.says("WARNING: ThreadSanitizer: data race") == kThread, result.output);
  BOOST_TEST(result.says("runtime_test/kernels.cu:") == kThread, result.output);
}

BOOST_AUTO_TEST_CASE(a_host_buffer_belongs_to_a_copy_until_it_is_done) {
  const child_result result = run_in_child([] {
    const test_stream stream;
    const device_array<int> values(64);
    std::vector<int> from(64, 1);
    IMGSIM_CUDA_CHECK(cudaMemcpyAsync(values.get(), from.data(), 64 * sizeof(int), kToDevice, stream));
    from[0] = 9;
    if (values.read(stream)[0] != 1) std::puts("wrong answer");
  });
  BOOST_TEST(result.says("wrong answer"), result.output);
  BOOST_TEST(result.says("WARNING: ThreadSanitizer: data race") == kThread, result.output);
}

BOOST_AUTO_TEST_CASE(copies_of_pageable_memory_may_wait) {
  const test_stream stream;
  const device_array<int> values(kOnes);
  int seen = 0;
  imgsim::cuda_host::choose_pageable_copies(imgsim::cuda_host::pageable_copies::waiting);
  launch_add(values.get(), 1, 64, stream);
  IMGSIM_CUDA_CHECK(cudaMemcpyAsync(&seen, values.get(), sizeof(int), kToHost, stream));
  imgsim::cuda_host::choose_pageable_copies(imgsim::cuda_host::pageable_copies::queued);
  BOOST_TEST(seen == 2);
}

BOOST_AUTO_TEST_CASE(the_default_stream_waits_for_blocking_streams_only) {
  const device_array<int> values(kOnes);
  int seen = 0;
  cudaStream_t blocking = nullptr;
  IMGSIM_CUDA_CHECK(cudaStreamCreate(&blocking));
  launch_add(values.get(), 1, 64, blocking);
  IMGSIM_CUDA_CHECK(cudaMemcpy(&seen, values.get(), sizeof(int), kToHost));
  BOOST_TEST(seen == 2);
  IMGSIM_CUDA_CHECK(cudaStreamDestroy(blocking));

  if (kThread) return;  // what follows is the race that it shows
  const test_stream other;
  launch_add(values.get(), 1, 64, other);
  IMGSIM_CUDA_CHECK(cudaMemcpy(&seen, values.get(), sizeof(int), kToHost));
  BOOST_TEST(seen == 2);
  other.synchronize();
}

BOOST_AUTO_TEST_CASE(blocking_streams_wait_for_the_default_stream) {
  const device_array<int> values(kOnes);
  cudaStream_t blocking = nullptr;
  IMGSIM_CUDA_CHECK(cudaStreamCreate(&blocking));
  launch_add(values.get(), 1, 64, nullptr);
  BOOST_TEST(values.read(blocking)[0] == 2);
  IMGSIM_CUDA_CHECK(cudaStreamDestroy(blocking));
}

BOOST_AUTO_TEST_CASE(a_copy_within_the_device_does_not_wait) {
  const device_array<int> from(kOnes);
  const device_array<int> to(64);
  launch_add(from.get(), 1, 64, nullptr);
  IMGSIM_CUDA_CHECK(cudaMemcpy(to.get(), from.get(), 64 * sizeof(int), cudaMemcpyDeviceToDevice));
  BOOST_TEST(cudaStreamQuery(nullptr) == cudaErrorNotReady);
  cudaGetLastError();
  BOOST_TEST(to.read(nullptr)[63] == 2);
}

BOOST_AUTO_TEST_CASE(a_loop_of_queries_ends) {
  const test_stream stream;
  const device_array<int> values(kOnes);
  const event_owner event = make_event();
  for (int i = 0; i < 3; ++i) launch_add(values.get(), 1, 64, stream);
  IMGSIM_CUDA_CHECK(cudaEventRecord(event.get(), stream));
  int queries = 0;
  while (cudaEventQuery(event.get()) == cudaErrorNotReady) ++queries;
  BOOST_TEST(queries == 4);
  BOOST_TEST(cudaStreamQuery(stream) == cudaSuccess);
  BOOST_TEST(cudaGetLastError() == cudaErrorNotReady);
  BOOST_TEST(cudaGetLastError() == cudaSuccess);
}

BOOST_AUTO_TEST_CASE(host_functions_come_in_order_and_make_no_calls) {
  const test_stream stream;
  const device_array<int> values(kOnes);
  struct observed {
    const int* values;
    int seen = 0;
    cudaError_t status = cudaSuccess;
  } here{values.get()};
  launch_add(values.get(), 1, 64, stream);
  IMGSIM_CUDA_CHECK(cudaLaunchHostFunc(
      stream,
      [](void* data) {
        auto& into = *static_cast<observed*>(data);
        into.seen = into.values[5];
        into.status = cudaDeviceSynchronize();
      },
      &here));
  launch_add(values.get(), 1, 64, stream);
  BOOST_TEST(values.read(stream)[5] == 3);
  BOOST_TEST(here.seen == 2);
  BOOST_TEST(here.status == cudaErrorNotPermitted);
}

BOOST_AUTO_TEST_CASE(events_tell_the_time_between_them) {
  const test_stream stream;
  const device_array<int> values(kOnes);
  const event_owner begin = make_event(cudaEventDefault);
  const event_owner end = make_event(cudaEventDefault);
  const event_owner without_time = make_event();
  float milliseconds = -1;
  BOOST_TEST(cudaEventElapsedTime(&milliseconds, begin.get(), end.get()) == cudaErrorInvalidResourceHandle);
  IMGSIM_CUDA_CHECK(cudaEventRecord(begin.get(), stream));
  launch_add(values.get(), 1, 64, stream);
  IMGSIM_CUDA_CHECK(cudaEventRecord(end.get(), stream));
  IMGSIM_CUDA_CHECK(cudaEventRecord(without_time.get(), stream));
  BOOST_TEST(cudaEventElapsedTime(&milliseconds, begin.get(), end.get()) == cudaErrorNotReady);
  stream.synchronize();
  BOOST_TEST(cudaEventElapsedTime(&milliseconds, begin.get(), end.get()) == cudaSuccess);
  BOOST_TEST(milliseconds > 0);
  BOOST_TEST(cudaEventElapsedTime(&milliseconds, begin.get(), without_time.get()) == cudaErrorInvalidResourceHandle);
  cudaGetLastError();
}

BOOST_AUTO_TEST_CASE(work_of_a_destroyed_stream_is_still_done) {
  const device_array<int> values(kOnes);
  int seen = 0;
  {
    const test_stream stream;
    launch_add(values.get(), 1, 64, stream);
    IMGSIM_CUDA_CHECK(cudaMemcpyAsync(&seen, values.get(), sizeof(int), kToHost, stream));
  }
  BOOST_TEST(still(seen, 0));
  IMGSIM_CUDA_CHECK(cudaDeviceSynchronize());
  BOOST_TEST(seen == 2);
  BOOST_TEST(cudaStreamSynchronize(reinterpret_cast<cudaStream_t>(&seen)) == cudaErrorInvalidResourceHandle);
  cudaGetLastError();
}

/// Nobody waits, as where the last owner of device memory gives it back: it is not kept for ever, with all its fibers.
BOOST_AUTO_TEST_CASE(streams_destroyed_long_ago_have_finished) {
  constexpr std::size_t kStreams = 1100;  // a fiber is two memory maps, of which a process may have 65530
  constexpr unsigned kCount = 32;
  std::vector<int> seen(kStreams, 0);
  const device_array<int> ones(kOnes);
  const device_array<int> copies(kStreams * kCount);
  for (std::size_t i = 0; i < kStreams; ++i) {
    const test_stream stream;
    int* const copy = copies.get() + i * kCount;
    launch_copy(ones.get(), copy, kCount, stream);
    IMGSIM_CUDA_CHECK(cudaMemcpyAsync(&seen[i], copy, sizeof(int), kToHost, stream));
  }
  BOOST_TEST(still(seen.front(), 1));
  BOOST_TEST(still(seen.back(), 0));
  IMGSIM_CUDA_CHECK(cudaDeviceSynchronize());
  BOOST_TEST(seen == std::vector<int>(kStreams, 1), boost::test_tools::per_element());
}
