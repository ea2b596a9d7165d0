// The kernels of CUDA clustering move what their head comments say, and in whole sectors.
#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>

#include "cluster/support.hpp"
#include "cuda_host/cluster/traffic_operations.hpp"
#include "cuda_host/meter/traffic.hpp"
#include "cuda_host/support/traffic_checks.hpp"

using namespace imgsim_test;
using imgsim::random_stream;
using imgsim::tensor;
using imgsim::cuda_host::access_kind;
using imgsim::cuda_host::kernel_traffic;
using imgsim::cuda_host::line_traffic;
using imgsim::cuda_host::memory_space;
using imgsim::cuda_host::traffic_meter;

namespace {

constexpr std::size_t kSize = 256;

/// The last kernel of each pass.
using passes = std::map<std::string, kernel_traffic>;

template <class Run>
passes traffic_of(Run&& run) {
  traffic_meter meter;
  passes found;
  run([&](const char* pass) {
    const std::vector<kernel_traffic> kernels = meter.take();
    if (!kernels.empty()) found[pass] = kernels.back();
  });
  return found;
}

passes medoid_traffic(const tensor<float, 2>& distances, const std::vector<std::size_t>& medoids) {
  return traffic_of([&](const after_pass& after) { run_medoid_passes(distances.view(), medoids, after); });
}

/// Warps read floats side by side: on each line that makes `requests` or more, a request touches 4 sectors.
void check_coalesced(const kernel_traffic& kernel, std::size_t requests) {
  BOOST_TEST_MESSAGE(imgsim::cuda_host::table_of({kernel}));
  std::size_t lines = 0;
  for (const line_traffic& line : kernel.lines) {
    if (line.space != memory_space::global || line.kind != access_kind::read || line.lane_bytes != 4) continue;
    if (line.total.requests < requests) continue;
    if (line.total.sectors == line.total.requests) continue;  // all lanes read one value
    BOOST_TEST(line.total.sectors_per_request() == 4.0, line.file << ":" << line.line);
    ++lines;
  }
  BOOST_TEST(lines > 0u);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cuda_cluster_traffic)

/// With one medoid every distance is below the second nearest, which does not exist: 28 bytes for 4 distances.
BOOST_AUTO_TEST_CASE(exchanges_that_all_points_take_part_in) {
  tensor<float, 2> distances({kSize, kSize});
  std::ranges::fill(distances, 0.5f);
  distances(0, 0) = 1;                                              // the largest
  for (std::size_t i = 0; i < kSize; ++i) distances(7, i) = 0.25f;  // the medoid: nothing improves
  const passes found = medoid_traffic(distances, {7});
  const kernel_traffic& kernel = found.at("exchange");
  check_coalesced(kernel, kSize * kSize / 32 / 4);
  check_bytes(kernel, 7.0 * kSize * kSize);
}

/// All distances are equal, so that only a candidate's own point is nearer: 20 bytes for 4 distances.
BOOST_AUTO_TEST_CASE(exchanges_that_few_points_take_part_in) {
  tensor<float, 2> distances({kSize, kSize});
  std::ranges::fill(distances, 0.5f);
  for (std::size_t i = 0; i < kSize; ++i) distances(i, i) = 0.25f;
  const passes found = medoid_traffic(distances, {0, 1, 2});
  const kernel_traffic& kernel = found.at("exchange");
  check_coalesced(kernel, kSize * kSize / 32 / 4);
  check_bytes(kernel, 5.0 * kSize * kSize);
}

BOOST_AUTO_TEST_CASE(assignment_savings_and_check) {
  random_stream random(1);
  const tensor<float, 2> distances = random_distances(kSize, 1u << 20, random);
  const std::vector<std::size_t> medoids = first_rows(kSize, 16, random);
  const passes found = medoid_traffic(distances, medoids);
  check_coalesced(found.at("assign"), 16 * kSize / 32);
  check_bytes(found.at("assign"), (5.0 * 16 + 16) * kSize);
  check_coalesced(found.at("savings"), kSize * kSize / 32);
  check_bytes(found.at("savings"), 5.0 * kSize * kSize);
  check_coalesced(found.at("check"), kSize * kSize / 32);
  check_bytes(found.at("check"), 4.0 * kSize * kSize);
}

BOOST_AUTO_TEST_CASE(passes_of_k_means) {
  random_stream random(2);
  const tensor<float, 2> points = blobs(kSize, 128, 4, 2.0, random), centroids = blobs(8, 128, 4, 2.0, random);
  const passes found =
      traffic_of([&](const after_pass& after) { run_centroid_passes(points.view(), centroids.view(), after); });
  check_bytes(found.at("nearest"), (8.0 * 8 + 12) * kSize);
  check_coalesced(found.at("sums"), kSize * 128 / 32);
  check_bytes(found.at("sums"), 5.0 * kSize * 128 + 8.0 * 8 * 128);
}

BOOST_AUTO_TEST_SUITE_END()
