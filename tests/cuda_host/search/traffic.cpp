// The kernels of CUDA search move what their head comments say.
#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>

#include "cuda_host/meter/traffic.hpp"
#include "cuda_host/search/traffic_operations.hpp"
#include "cuda_host/support/traffic_checks.hpp"

using namespace imgsim_test;
using imgsim::tensor;
using imgsim::cuda_host::access_kind;
using imgsim::cuda_host::kernel_traffic;
using imgsim::cuda_host::line_traffic;
using imgsim::cuda_host::memory_space;
using imgsim::cuda_host::traffic;
using imgsim::cuda_host::traffic_meter;

namespace {

constexpr std::size_t kGallery = 512;
constexpr std::size_t kQueries = 16;
constexpr std::size_t kDepth = 64;
constexpr std::size_t kWanted = 5;

tensor<float, 2> random_rows(std::size_t rows, std::uint64_t seed) {
  tensor<float, 2> values({rows, kDepth});
  imgsim::random_stream random(seed);
  for (float& value : values) value = static_cast<float>(random.uniform(-1, 1));
  return values;
}

/// Of the kernels of one search, in their order: the gallery's norms, the queries', keys, selection, answer.
const std::vector<kernel_traffic>& kernels() {
  static const std::vector<kernel_traffic> all = [] {
    const tensor<float, 2> gallery = random_rows(kGallery, 1), queries = random_rows(kQueries, 2);
    traffic_meter meter;
    std::vector<kernel_traffic> found;
    run_search(gallery.view(), queries.view(), kWanted, [&] {
      for (kernel_traffic& each : meter.take()) found.push_back(std::move(each));
    });
    BOOST_TEST_MESSAGE(imgsim::cuda_host::table_of(found));
    BOOST_REQUIRE(found.size() == 5u);
    return found;
  }();
  return all;
}

/// What the lines of a kernel read from global memory with accesses of one size.
traffic reads(const kernel_traffic& kernel, unsigned lane_bytes) {
  traffic sum;
  for (const line_traffic& line : kernel.lines)
    if (line.space == memory_space::global && line.kind == access_kind::read && line.lane_bytes == lane_bytes)
      sum += line.total;
  return sum;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cuda_search_traffic)

/// A warp reads 32 bytes of each of four rows at a time.
BOOST_AUTO_TEST_CASE(norms_read_the_rows_once) {
  const kernel_traffic& norms = kernels()[0];
  BOOST_TEST(reads(norms, 4).sectors_per_request() == 4.0);
  check_bytes(norms, 4.0 * kGallery * kDepth + 8.0 * kGallery);
}

/// A warp reads 32 bytes of each of two rows of a side at a time, which its groups share: 16 rows for 64 pairs, from
/// L1. The rows that a block reads at all are 48.
BOOST_AUTO_TEST_CASE(keys_read_rows_by_the_tile) {
  const kernel_traffic& keys = kernels()[2];
  constexpr double kWarps = kGallery * kQueries / 64.0;
  BOOST_TEST(reads(keys, 4).sectors_per_request() == 2.0);
  BOOST_TEST(static_cast<double>(reads(keys, 4).sectors) * 32 == kWarps * 16 * 4 * kDepth);
  const traffic written = keys.total(memory_space::global, access_kind::write);
  BOOST_TEST(written.sectors * 32 == 8 * kGallery * kQueries);
  check_bytes(keys, kWarps * 16 * 4 * kDepth + 8.0 * kGallery * kQueries);
}

BOOST_AUTO_TEST_CASE(selection_reads_each_key_once) {
  const kernel_traffic& selection = kernels()[3];
  BOOST_TEST(reads(selection, 8).sectors_per_request() == 8.0);
  check_bytes(selection, 8.0 * kGallery * kQueries + 12.0 * kWanted * kQueries);
}

BOOST_AUTO_TEST_SUITE_END()
