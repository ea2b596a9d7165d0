// CUDA k-means against the CPU's: labels, distances that decide, and sums to the last bit.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cpu/cluster.hpp>

#include "cluster/support.hpp"
#include "cuda_host/cluster/centroid_operations.hpp"
#include "reference/k_means.hpp"

using namespace imgsim_test;
using imgsim::cpu_context;
using imgsim::matrix_view;
using imgsim::random_stream;
using imgsim::tensor;
using imgsim::cuda::cluster_policy;

namespace {

/// Small whole numbers: many ties.
tensor<float, 2> whole_numbers(std::size_t size, std::size_t dimension, random_stream& random) {
  tensor<float, 2> points = blobs(size, dimension, 4, 6.0, random);
  for (float& value : points) value = std::round(value);
  return points;
}

void check_same(const tensor<float, 2>& found, const tensor<float, 2>& expected) {
  BOOST_TEST(std::vector(found.begin(), found.end()) == std::vector(expected.begin(), expected.end()),
             boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cuda_centroids)

BOOST_AUTO_TEST_CASE(passes_are_those_of_the_cpu_and_of_the_reference) {
  random_stream random(1);
  std::size_t turn = 0;
  for (const std::size_t size : {1, 7, 33, 70})
    for (const std::size_t k : {1, 2, 17}) {
      const std::size_t dimension = turn % 3 == 0 ? 1 : 13;
      tensor<float, 2> points = blobs(size, dimension, 5, 1.0, random);
      if (size > 6) std::copy_n(points.view().row(2), dimension, points.view().row(5));
      tensor<float, 2> centroids = blobs(k, dimension, 5, 1.0, random);
      if (k > 2) std::copy_n(centroids.view().row(1), dimension, centroids.view().row(7));  // a tie everywhere
      std::copy_n(points.view().row(0), dimension, centroids.view().row(k - 1));
      const auto rows = std::as_const(points).view();
      const auto to = std::as_const(centroids).view();
      const cluster_policy policy{.threads = 32, .tile_bytes = ++turn % 2 == 0 ? std::size_t{1} << 20 : 200};
      const centroid_passes found = device_passes(rows, to, policy);
      const centroid_passes expected = passes_of(imgsim::cpu::centroid_searcher(cpu_context(1), rows), rows, to);
      BOOST_TEST(found.labels == expected.labels, boost::test_tools::per_element());
      BOOST_TEST(found.nearest == expected.nearest, boost::test_tools::per_element());
      BOOST_TEST(std::ranges::equal(found.sums, expected.sums));
      BOOST_TEST(std::ranges::equal(found.squared_distances, expected.squared_distances));

      const reference::point_table table = to_table(rows), others = to_table(to);
      for (std::size_t i = 0; i < size; ++i) {
        BOOST_TEST(found.labels[i] == reference::nearest_centroid(table[i], others));
        for (std::size_t c = 0; c < k; ++c) {
          const double distance = reference::squared_distance(table[i], others[c]);
          BOOST_TEST(std::abs(static_cast<double>(found.squared_distances(i, c)) - distance) <= distance * 0x1p-23);
        }
      }
    }
}

BOOST_AUTO_TEST_CASE(k_means_ends_where_the_cpu_does) {
  random_stream random(2);
  for (const std::uint64_t seed : {1, 2, 3}) {
    const tensor<float, 2> points = blobs(40, 3, 5, 1.0, random);
    const imgsim::k_means_options options{
        .k = 5, .seed = seed, .restarts = 2, .batch = seed == 3 ? 8u : 0u, .batches = 5};
    const auto found = device_k_means(points.view(), options);
    const auto expected = imgsim::k_means(cpu_context(1), points.view(), options);
    check_same(found.centroids, expected.centroids);
    BOOST_TEST(found.labels == expected.labels, boost::test_tools::per_element());
    BOOST_TEST(found.inertia == expected.inertia);
    BOOST_TEST(found.iterations == expected.iterations);
    BOOST_TEST(found.converged == expected.converged);
  }
}

BOOST_AUTO_TEST_CASE(one_point_and_as_many_groups_as_points) {
  random_stream random(3);
  const tensor<float, 2> points = whole_numbers(6, 2, random);
  for (const std::size_t size : {1, 6}) {
    const auto rows = points.view().slice(0, size);
    const auto found = device_k_means(rows, {.k = size, .seed = 1});
    const auto expected = imgsim::k_means(cpu_context(1), rows, {.k = size, .seed = 1});
    check_same(found.centroids, expected.centroids);
    BOOST_TEST(found.labels == expected.labels, boost::test_tools::per_element());
  }
  const auto none = device_nearest(points.view().slice(0, 0), points.view());
  BOOST_TEST(none.labels.empty());
}

BOOST_AUTO_TEST_SUITE_END()
