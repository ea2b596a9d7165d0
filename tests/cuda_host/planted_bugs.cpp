// The runner finds the mistakes that it is there to find, each in the builds that can, and leaves correct twins alone.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "cuda_host/runner/options.hpp"
#include "cuda_host/samples/planted.hpp"
#include "cuda_host/support/child.hpp"
#include "cuda_host/support/device_array.hpp"

namespace {

using imgsim_test::child_result;
using imgsim_test::device_array;
using imgsim_test::run_in_child;
using imgsim_test::test_stream;

constexpr std::string_view kBuild = IMGSIM_CUDA_HOST_BUILD;
constexpr bool kAddress = kBuild == "address";
constexpr bool kThread = kBuild == "thread";

struct planted_values {
  std::vector<float> to;
  std::vector<unsigned> counters;
};

planted_values run(const std::string& name, bool correct) {
  const test_stream stream;
  std::vector<float> numbers(256);
  std::iota(numbers.begin(), numbers.end(), 1.0f);
  const device_array<float> from(numbers);
  const device_array<float> to(64);
  const device_array<unsigned> counters(std::vector<unsigned>{0, 0});
  imgsim_test::launch_planted(name, correct, {from.get(), to.get(), counters.get()}, stream);
  return {to.read(stream), counters.read(stream)};
}

/// What the child prints where `right` does not hold for the values.
template <class Right>
child_result run_and_judge(const std::string& name, bool correct, Right&& right) {
  return run_in_child([&] {
    if (!right(run(name, correct))) std::puts("wrong answer");
  });
}

child_result run_wrong(const std::string& name) {
  return run_and_judge(name, false, [](const planted_values&) { return true; });
}

/// The correct twin neither stops nor reports, and is right.
template <class Right>
void check_twin(const std::string& name, Right&& right) {
  const child_result twin = run_and_judge(name, true, right);
  BOOST_TEST(twin.exit_code == 0, name << ": " << twin.output);
  BOOST_TEST(twin.output.empty(), name << ": " << twin.output);
}

void check_says(const child_result& result, const std::string& text) {
  BOOST_TEST(result.exit_code != 0);
  BOOST_TEST(result.says(text), "no \"" << text << "\" in:\n" << result.output);
  BOOST_TEST(result.says("planted.cuh:"), "no line of the kernel in:\n" << result.output);
}

/// A race shows as one under ThreadSanitizer, and as a wrong answer in a random order of threads.
template <class Right>
void check_race(const std::string& name, Right&& right) {
  const child_result wrong = run_and_judge(name, false, right);
  if (kThread) {
    check_says(wrong, "WARNING: ThreadSanitizer: data race");
  } else {
    BOOST_TEST(wrong.says("wrong answer"), wrong.output);
  }
  check_twin(name, right);
}

bool reversed(const planted_values& values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (values.to[i] != static_cast<float>(count - i)) return false;
  }
  return true;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_missing_barrier_is_a_race) {
  check_race("missing barrier", [](const planted_values& values) { return reversed(values, 64); });
}

BOOST_AUTO_TEST_CASE(lanes_of_a_warp_are_not_in_step) {
  check_race("missing __syncwarp", [](const planted_values& values) { return reversed(values, 32); });
}

BOOST_AUTO_TEST_CASE(a_missing_barrier_at_the_end_of_a_loop_is_a_race) {
  check_race("missing second barrier", [](const planted_values& values) {
    for (std::size_t i = 0; i < 64; ++i) {
      if (values.to[i] != 4 * static_cast<float>(64 - i) + 64 * (1 + 2 + 3)) return false;
    }
    return true;
  });
}

BOOST_AUTO_TEST_CASE(a_mask_names_only_lanes_that_take_part) {
  const child_result wrong = run_wrong("exited lane in mask");
  check_says(wrong, "exited");
  BOOST_TEST(wrong.says("mask"), wrong.output);
  check_twin("exited lane in mask", [](const planted_values& values) { return values.to[0] == 210.0f; });
}

BOOST_AUTO_TEST_CASE(a_mask_names_the_caller) {
  check_says(run_wrong("caller not in mask"), "the calling lane 3 is not in the mask");
}

BOOST_AUTO_TEST_CASE(lanes_of_one_mask_meet_in_one_operation) {
  check_says(run_wrong("different operations"), "is in another operation");
}

BOOST_AUTO_TEST_CASE(all_threads_meet_in_one_barrier) {
  check_says(run_wrong("divergent barrier"), "divergent barrier");
}

BOOST_AUTO_TEST_CASE(threads_that_wait_for_each_other_are_told) {
  check_says(run_wrong("deadlock"), "no thread can go on: 16 threads in __syncthreads at planted.cuh:");
}

BOOST_AUTO_TEST_CASE(memory_has_ends) {
  if (kAddress) {
    check_says(run_wrong("out of bounds"), "heap-buffer-overflow");
    check_says(run_wrong("out of shared bounds"), "heap-buffer-overflow");
  }
  check_twin("out of bounds", [](const planted_values&) { return true; });
}

BOOST_AUTO_TEST_CASE(blocks_race_with_each_other) {
  if (kThread) check_says(run_wrong("race between blocks"), "WARNING: ThreadSanitizer: data race");
  check_twin("race between blocks", [](const planted_values& values) { return values.counters[0] == 8; });
}

BOOST_AUTO_TEST_CASE(an_atomic_without_a_fence_publishes_nothing) {
  if (kThread) check_says(run_wrong("missing fence"), "WARNING: ThreadSanitizer: data race");
  check_twin("missing fence", [](const planted_values& values) { return values.to[0] == 28.0f; });
}

BOOST_AUTO_TEST_CASE(shared_memory_begins_as_nan) {
  const child_result result = run_and_judge("uninitialised shared memory", false, [](const planted_values& values) {
    return std::isnan(values.to[60]) && std::isnan(values.to[63]) && values.to[59] == 1.0f;
  });
  BOOST_TEST(result.exit_code == 0, result.output);
  BOOST_TEST(result.output.empty(), result.output);
}

BOOST_AUTO_TEST_CASE(vector_loads_are_aligned) {
  check_says(run_wrong("misaligned load"), "misaligned access of 16 bytes at planted.cuh:");
  check_twin("misaligned load", [](const planted_values& values) { return values.to[0] == 5.0f + 6 + 7 + 8; });
}

BOOST_AUTO_TEST_CASE(dynamic_shared_memory_is_asked_for) {
  check_says(run_wrong("no dynamic shared memory"), "uses dynamic shared memory at planted.cuh:");
  check_twin("no dynamic shared memory", [](const planted_values& values) { return values.to[0] == 63.0f; });
}

BOOST_AUTO_TEST_CASE(a_hang_ends_the_process) {
  if (kThread) return;  // it delivers no signals to a loop
  const child_result result = run_in_child([] {
    imgsim::cuda_host::options().watchdog_seconds = 1;
    run("hang", false);
  });
  BOOST_TEST(result.exit_code == 77);
  BOOST_TEST(result.says("hangs: block (0, 0, 0) thread number 0"), result.output);
}

BOOST_AUTO_TEST_CASE(undefined_arithmetic_is_told) {
  if (kAddress) check_says(run_wrong("overflow"), "signed integer overflow");
}
