// The scan for the nearest centroid on every instruction set, against float64: panels, tiles and runs that end early.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/cluster/nearest_scan.hpp>

using namespace imgsim;

namespace {

double squared_distance(const float* a, const float* b, std::size_t dimension) {
  double sum = 0;
  for (std::size_t i = 0; i < dimension; ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return sum;
}

std::vector<cpu::nearest_found> scan(const tensor<float, 2>& points, const tensor<float, 2>& centroids,
                                     cpu::simd_level level) {
  cpu::packed_centroids packed;
  packed.pack(centroids.view());
  std::vector<const float*> rows;
  for (std::size_t p = 0; p < points.extent(0); ++p) rows.push_back(points.view().row(p));
  std::vector<cpu::nearest_found> found(rows.size());
  cpu::expand(cpu::nearest_scan_body{rows, packed, found.data()}, level);
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nearest_scan)

BOOST_AUTO_TEST_CASE(the_nearest_and_the_next_within_the_stated_error) {
  random_stream random(1);
  for (const cpu::simd_level level : cpu::kSimdLevels) {
    if (!cpu::is_supported(level)) {
      BOOST_TEST_MESSAGE("skipped: no " << cpu::name_of(level));
      continue;
    }
    for (const std::size_t count : {1, 2, 15, 16, 17, 33, 100})
      for (const std::size_t dimension : {1, 7, 32, 255, 257, 600}) {
        // An offset makes differences that cancel.
        tensor<float, 2> points({19, dimension}), centroids({count, dimension});
        for (float& value : points) value = static_cast<float>(3 + random.normal());
        for (float& value : centroids) value = static_cast<float>(3 + random.normal());
        const std::vector<cpu::nearest_found> found = scan(points, centroids, level);
        const double error = cpu::nearest_scan_error(dimension);
        BOOST_TEST_CONTEXT(cpu::name_of(level) << ", K = " << count << ", D = " << dimension) {
          for (std::size_t p = 0; p < found.size(); ++p) {
            std::vector<double> exact;
            for (std::size_t c = 0; c < count; ++c)
              exact.push_back(squared_distance(points.view().row(p), centroids.view().row(c), dimension));
            BOOST_TEST_REQUIRE(found[p].centroid < count);
            const double own = exact[found[p].centroid];
            BOOST_TEST(std::abs(static_cast<double>(found[p].least) - own) <= error * own);
            std::ranges::sort(exact);
            BOOST_TEST(own <= exact[0] * (1 + error) / (1 - error));
            if (count == 1) {
              BOOST_TEST(found[p].next == std::numeric_limits<float>::infinity());
            } else {
              BOOST_TEST(std::abs(static_cast<double>(found[p].next) - exact[1]) <= error * exact[1]);
            }
          }
        }
      }
  }
}

BOOST_AUTO_TEST_CASE(equal_centroids_and_distances_beyond_float) {
  for (const cpu::simd_level level : cpu::kSimdLevels) {
    if (!cpu::is_supported(level)) continue;
    tensor<float, 2> points({1, 3}), centroids({40, 3});
    for (std::size_t c = 0; c < 40; ++c) centroids(c, 1) = static_cast<float>(1 + c % 20);  // 1, 2, ..., twice
    const cpu::nearest_found twice = scan(points, centroids, level)[0];
    BOOST_TEST(twice.least == 1.0f);
    BOOST_TEST(twice.next == 1.0f);
    BOOST_TEST(twice.centroid % 20 == 0u);
    for (std::size_t c = 0; c < 40; ++c) centroids(c, 1) = 1e30f;
    const cpu::nearest_found far = scan(points, centroids, level)[0];
    BOOST_TEST(far.least == std::numeric_limits<float>::infinity());
    BOOST_TEST(far.centroid < 40u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
