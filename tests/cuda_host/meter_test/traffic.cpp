// The meter counts what can be counted by hand.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "cuda_host/meter/traffic.hpp"
#include "cuda_host/meter_test/kernels.hpp"
#include "cuda_host/support/device_array.hpp"

namespace {

using imgsim::cuda_host::access_kind;
using imgsim::cuda_host::kernel_traffic;
using imgsim::cuda_host::memory_space;
using imgsim::cuda_host::traffic;
using imgsim::cuda_host::traffic_meter;
using imgsim_test::device_array;
using imgsim_test::test_stream;

constexpr unsigned kCount = 4096;

/// The traffic of the one kernel that `work` launches.
template <class Work>
kernel_traffic traffic_of(Work&& work) {
  const test_stream stream;
  const device_array<float> from(std::vector<float>(kCount, 1.0f));
  const device_array<float> to(kCount);
  traffic_meter meter;
  work(from.get(), to.get(), stream);
  stream.synchronize();
  std::vector<kernel_traffic> kernels = meter.take();
  BOOST_REQUIRE(kernels.size() == 1u);
  BOOST_TEST_MESSAGE(imgsim::cuda_host::table_of(kernels));
  return kernels.front();
}

traffic global_reads(const kernel_traffic& kernel) {
  return kernel.total(memory_space::global, access_kind::read);
}
traffic global_writes(const kernel_traffic& kernel) {
  return kernel.total(memory_space::global, access_kind::write);
}

}  // namespace

BOOST_AUTO_TEST_CASE(coalesced_accesses_touch_four_sectors) {
  const kernel_traffic kernel = traffic_of([](const float* from, float* to, cudaStream_t stream) {
    imgsim_test::launch_strided(from, to, kCount, 1, stream);
  });
  BOOST_TEST(global_reads(kernel).requests == kCount / 32);
  BOOST_TEST(global_reads(kernel).sectors_per_request() == 4.0);
  BOOST_TEST(global_writes(kernel).sectors_per_request() == 4.0);
  BOOST_TEST(kernel.bytes_moved == 2 * kCount * sizeof(float));
  BOOST_TEST(kernel.fewest_bytes == kernel.bytes_moved);
}

BOOST_AUTO_TEST_CASE(strided_accesses_touch_more) {
  for (const unsigned stride : {2u, 4u, 8u, 33u}) {
    const kernel_traffic kernel = traffic_of([stride](const float* from, float* to, cudaStream_t stream) {
      imgsim_test::launch_strided(from, to, kCount, stride, stream);
    });
    BOOST_TEST(global_reads(kernel).sectors_per_request() == std::min(4.0 * stride, 32.0));
    BOOST_TEST(global_reads(kernel).fewest_sectors == 4 * global_reads(kernel).requests);
    BOOST_TEST(global_writes(kernel).sectors_per_request() == 4.0);
  }
}

BOOST_AUTO_TEST_CASE(every_line_is_named) {
  const kernel_traffic kernel = traffic_of([](const float* from, float* to, cudaStream_t stream) {
    imgsim_test::launch_strided(from, to, kCount, 4, stream);
  });
  BOOST_REQUIRE(kernel.lines.size() == 2u);
  BOOST_TEST(kernel.name.starts_with("kernel launched at kernels.cu:"), kernel.name);
  BOOST_TEST(kernel.lines[0].file == "kernels.cu");
  BOOST_TEST(kernel.lines[1].line == kernel.lines[0].line + 1);
  BOOST_TEST((kernel.lines[0].kind == access_kind::read && kernel.lines[1].kind == access_kind::write));
  BOOST_TEST(kernel.lines[0].lane_bytes == 4u);
}

BOOST_AUTO_TEST_CASE(a_pack_is_one_access_of_the_line_that_asks_for_it) {
  const kernel_traffic kernel = traffic_of(
      [](const float* from, float* to, cudaStream_t stream) { imgsim_test::launch_packed(from, to, kCount, stream); });
  BOOST_TEST(global_reads(kernel).requests == kCount / 4 / 32);
  BOOST_TEST(global_reads(kernel).sectors_per_request() == 16.0);
  BOOST_TEST(global_reads(kernel).fewest_sectors == global_reads(kernel).sectors);
  BOOST_TEST(kernel.fewest_bytes == kernel.bytes_moved);
  for (const auto& line : kernel.lines) {
    BOOST_TEST(line.lane_bytes == 16u);
    BOOST_TEST(line.file == "kernels.cu");
  }
}

BOOST_AUTO_TEST_CASE(what_is_read_twice_is_moved_twice) {
  const kernel_traffic kernel = traffic_of(
      [](const float* from, float* to, cudaStream_t stream) { imgsim_test::launch_twice(from, to, kCount, stream); });
  BOOST_TEST(global_reads(kernel).sectors_per_request() == 4.0);
  BOOST_TEST(kernel.bytes_moved == (2 * kCount + 32) * sizeof(float));
  BOOST_TEST(kernel.fewest_bytes == (kCount + 32) * sizeof(float));
}

BOOST_AUTO_TEST_CASE(banks_conflict_in_columns_without_padding) {
  for (const bool padded : {false, true}) {
    const kernel_traffic kernel = traffic_of([padded](const float* from, float* to, cudaStream_t stream) {
      imgsim_test::launch_transpose(from, to, padded, stream);
    });
    const traffic reads = kernel.total(memory_space::shared, access_kind::read);
    const traffic writes = kernel.total(memory_space::shared, access_kind::write);
    BOOST_TEST(reads.requests == 32u);
    BOOST_TEST(reads.passes_per_request() == (padded ? 1.0 : 32.0));
    BOOST_TEST(reads.fewest_passes == reads.requests);
    BOOST_TEST(writes.passes_per_request() == 1.0);
    BOOST_TEST(global_writes(kernel).sectors_per_request() == 4.0);
  }
}

BOOST_AUTO_TEST_CASE(packs_take_four_passes_or_more) {
  for (const unsigned distance : {1u, 2u}) {
    const kernel_traffic kernel = traffic_of([distance](const float* from, float* to, cudaStream_t stream) {
      imgsim_test::launch_packs_in_shared_memory(from, to, distance, stream);
    });
    for (const access_kind kind : {access_kind::read, access_kind::write}) {
      const traffic total = kernel.total(memory_space::shared, kind);
      BOOST_TEST(total.requests == 1u);
      BOOST_TEST(total.fewest_passes == 4u);
      BOOST_TEST(total.passes == 4 * distance);
    }
  }
}

BOOST_AUTO_TEST_CASE(tables_have_a_row_for_each_line) {
  const std::string table =
      imgsim::cuda_host::table_of({traffic_of([](const float* from, float* to, cudaStream_t stream) {
        imgsim_test::launch_strided(from, to, kCount, 4, stream);
      })});
  BOOST_TEST(table.find("global read | 4 | 128 | 16.00 | 4.00 |") != std::string::npos, table);
  BOOST_TEST(table.find("| 81920 bytes moved, 32768 fewest |") != std::string::npos, table);
}

BOOST_AUTO_TEST_CASE(atomics_are_counted_once) {
  const test_stream stream;
  const device_array<unsigned> counters(std::vector<unsigned>(4, 0));
  traffic_meter meter;
  imgsim_test::launch_histogram(counters.get(), stream);
  BOOST_TEST(counters.read(stream) == std::vector<unsigned>(4, 16), boost::test_tools::per_element());
  const std::vector<kernel_traffic> kernels = meter.take();
  BOOST_REQUIRE(kernels.size() == 1u);
  const traffic atomics = kernels[0].total(memory_space::global, access_kind::atomic);
  BOOST_TEST(atomics.requests == 2u);
  BOOST_TEST(atomics.bytes_asked == 64 * sizeof(unsigned));
  BOOST_TEST(atomics.sectors_per_request() == 1.0);
  BOOST_TEST(kernels[0].lines.size() == 1u);
  BOOST_TEST(kernels[0].lines[0].file == "kernels.cu");
}
