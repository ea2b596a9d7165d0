// K-means against scalar references in float64, and at its edges.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stop_token>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/agreement.hpp>
#include <imgsim/cluster/k_means.hpp>

#include "cluster/support.hpp"
#include "reference/k_means.hpp"

using namespace imgsim;
using namespace imgsim_test;

namespace {

matrix_view<const float> read_only(const tensor<float, 2>& values) {
  return values.view();
}

std::vector<std::size_t> widened(const std::vector<std::uint32_t>& labels) {
  return {labels.begin(), labels.end()};
}

/// A result of Lloyd's algorithm that has converged: each point has its nearest centroid, each centroid is the mean.
void check_converged(const tensor<float, 2>& points, const k_means_result& result) {
  const reference::point_table table = to_table(points.view());
  const reference::point_table centroids = to_table(result.centroids.view());
  BOOST_TEST(result.converged);
  double inertia = 0;
  for (std::size_t row = 0; row < table.size(); ++row) {
    const std::size_t nearest = reference::nearest_centroid(table[row], centroids);
    BOOST_TEST(result.labels[row] == nearest);
    inertia += reference::squared_distance(table[row], centroids[nearest]);
  }
  // Only the order of float64 additions differs.
  BOOST_TEST(result.inertia == inertia, boost::test_tools::tolerance(0x1p-52 * static_cast<double>(points.size())));
  const reference::point_table means = reference::label_means(table, widened(result.labels), centroids.size());
  for (std::size_t c = 0; c < means.size(); ++c) {
    for (std::size_t i = 0; i < means[c].size(); ++i) {
      BOOST_TEST(std::abs(centroids[c][i] - means[c][i]) <= 0x1p-23 * (1 + std::abs(means[c][i])));  // rounded once
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(k_means_whole)

BOOST_AUTO_TEST_CASE(labels_are_nearest_and_centroids_are_means) {
  random_stream random(1);
  for (const std::size_t dimension : {1, 3, 4, 15, 16, 17, 67}) {
    for (const std::size_t size : {5, 63, 64, 66, 200}) {
      for (const std::size_t k : {1, 2, 5}) {
        const tensor<float, 2> points = blobs(size, dimension, 4, 2, random);
        check_converged(points, k_means(cpu_context(2), read_only(points), {.k = k, .seed = size}));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(elements_of_16_bits_are_the_numbers_they_hold) {
  random_stream random(12);
  const tensor<float, 2> points = blobs(90, 7, 3, 2, random);
  const auto check = [&]<class T>(T) {
    tensor<T, 2> typed(points.extents());
    tensor<float, 2> rounded(points.extents());
    for (std::size_t i = 0; i < points.size(); ++i) {
      typed.data()[i] = static_cast<T>(points.data()[i]);
      rounded.data()[i] = static_cast<float>(typed.data()[i]);
    }
    const k_means_result found = k_means(cpu_context(2), typed.view(), {.k = 3});
    const k_means_result expected = k_means(cpu_context(2), rounded.view(), {.k = 3});
    BOOST_TEST(found.labels == expected.labels, boost::test_tools::per_element());
    BOOST_TEST(found.inertia == expected.inertia);
    BOOST_TEST(assign_to_nearest(cpu_context(1), typed.view(), expected.centroids.view()).labels == expected.labels,
               boost::test_tools::per_element());
  };
  check(bfloat16{});
  check(float16{});
}

/// Centroids that creep, jump and change places: what the search remembers of the last call must not show.
BOOST_AUTO_TEST_CASE(bounds_do_not_change_the_nearest) {
  random_stream random(13);
  for (const auto& [dimension, scale] :
       {std::pair<std::size_t, float>{1, 1.0f}, {2, 1.0f}, {9, 1.0f}, {40, 1.0f}, {2, 1e18f}, {1, 1e20f}, {3, 1e30f}}) {
    tensor<float, 2> points = blobs(300, dimension, 4, 1, random);
    for (float& value : points) value *= scale;  // from 1e19 on, squares are beyond float32
    tensor<float, 2> centroids({6, dimension});
    std::copy_n(points.data(), centroids.size(), centroids.data());
    cpu::centroid_searcher remembering(cpu_context(2), std::as_const(points).view());
    std::vector<std::uint32_t> labels(300), fresh_labels(300);
    std::vector<double> distances(300), fresh_distances(300);
    for (int step = 0; step < 60; ++step) {
      for (float& value : centroids)
        value += scale * static_cast<float>((step % 20 == 19 ? 2 : 1e-2 * (step % 5)) * random.normal());
      if (step % 13 == 5) std::swap_ranges(centroids.view().row(0), centroids.view().row(1), centroids.view().row(3));
      if (step == 40) std::copy_n(centroids.view().row(2), dimension, centroids.view().row(4));  // ties
      remembering.nearest(std::as_const(centroids).view(), labels, distances);
      cpu::centroid_searcher(cpu_context(1), std::as_const(points).view())
          .nearest(std::as_const(centroids).view(), fresh_labels, fresh_distances);
      BOOST_TEST_REQUIRE(labels == fresh_labels, boost::test_tools::per_element());
      BOOST_TEST_REQUIRE(distances == fresh_distances, boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(batches_come_close_to_lloyd) {
  random_stream random(14);
  const tensor<float, 2> points = blobs(3000, 8, 10, 4, random);
  const k_means_result whole = k_means(cpu_context(2), points.view(), {.k = 10, .restarts = 3});
  const k_means_options options{.k = 10, .max_iterations = 2, .batch = 100, .batches = 60};
  const k_means_result found = k_means(cpu_context(2), points.view(), options);
  BOOST_TEST(found.inertia <= 1.3 * whole.inertia);
  BOOST_TEST(found.iterations <= 2u);
  BOOST_TEST(k_means(cpu_context(5), points.view(), options).inertia == found.inertia);
}

BOOST_AUTO_TEST_CASE(threads_do_not_change_the_result) {
  random_stream random(2);
  const tensor<float, 2> points = blobs(700, 300, 6, 0.5, random);
  for (const bool spherical : {false, true}) {
    const k_means_options options{.k = 6, .restarts = 2, .spherical = spherical};
    const k_means_result one = k_means(cpu_context(1), read_only(points), options);
    for (const cpu_context& context : cluster_contexts()) {
      const k_means_result other = k_means(context, read_only(points), options);
      BOOST_TEST(other.labels == one.labels, boost::test_tools::per_element());
      BOOST_TEST(other.inertia == one.inertia);
      BOOST_TEST(std::ranges::equal(other.centroids, one.centroids));
    }
  }
}

BOOST_AUTO_TEST_CASE(inertia_does_not_rise_and_planted_groups_are_found) {
  random_stream random(3);
  const tensor<float, 2> points = blobs(400, 10, 8, 8, random);
  std::vector<std::uint32_t> truth(400);
  for (std::uint32_t row = 0; row < 400; ++row) truth[row] = row % 8;
  double previous = std::numeric_limits<double>::infinity();
  std::size_t iterations = 0;
  k_means_options options{.k = 8, .on_progress = [&](const k_means_progress& p) {
                            BOOST_TEST(p.inertia <= previous * (1 + 1e-6));  // centroids are rounded to float32
                            previous = p.inertia;
                            iterations = p.iteration;
                          }};
  const k_means_result result = k_means(cpu_context(2), read_only(points), options);
  BOOST_TEST(iterations == result.iterations);
  options.on_progress = nullptr;
  options.restarts = 5;
  BOOST_TEST(adjusted_rand_index(k_means(cpu_context(2), read_only(points), options).labels, truth) == 1.0);
}

BOOST_AUTO_TEST_CASE(spherical_groups_ignore_length) {
  random_stream random(4);
  tensor<float, 2> points = blobs(120, 12, 4, 6, random);
  const k_means_result expected = k_means(cpu_context(1), read_only(points), {.k = 4, .spherical = true});
  for (std::size_t row = 0; row < 120; ++row) {
    const float length = std::ldexp(1.0f, static_cast<int>(random.below(20)) - 10);  // powers of two: exact
    for (std::size_t i = 0; i < 12; ++i) points(row, i) *= length;
  }
  const k_means_result scaled = k_means(cpu_context(1), read_only(points), {.k = 4, .spherical = true});
  BOOST_TEST(scaled.labels == expected.labels, boost::test_tools::per_element());
  for (std::size_t c = 0; c < 4; ++c) {
    double square = 0;
    for (std::size_t i = 0; i < 12; ++i) square += std::pow(static_cast<double>(scaled.centroids(c, i)), 2);
    BOOST_TEST(square == 1.0, boost::test_tools::tolerance(12 * 0x1p-23));
  }
  const nearest_centroids again = assign_to_nearest(cpu_context(2), read_only(points), scaled.centroids.view(), true);
  BOOST_TEST(again.labels == scaled.labels, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(nearest_is_decided_in_float64) {
  // Two centroids whose squared distances to the point, 2^40 and 2^40 + 2^-12 at most, round to one float32.
  const std::size_t dimension = 40;
  tensor<float, 2> point({1, dimension});
  tensor<float, 2> centroids({3, dimension});
  for (std::size_t c = 0; c < 3; ++c) centroids(c, 0) = 0x1p20f;
  centroids(0, 1) = 0x1p-6f;
  centroids(2, 1) = 0x1p-7f;
  const nearest_centroids result = assign_to_nearest(cpu_context(1), read_only(point), read_only(centroids));
  BOOST_TEST(result.labels[0] == 1u);
  BOOST_TEST(result.squared_distances[0] == 0x1p40);
}

BOOST_AUTO_TEST_CASE(rounding_in_float32_does_not_decide) {
  // The second centroid has the elements of the first in another order, one of them a little smaller: it is nearer to
  // the origin by less than the rounding error of float32 sums.
  const std::size_t dimension = 500;
  random_stream random(9);
  const tensor<float, 2> origin({1, dimension});
  for (int trial = 0; trial < 50; ++trial) {
    tensor<float, 2> centroids({2, dimension});
    for (std::size_t i = 0; i < dimension; ++i) centroids(0, i) = static_cast<float>(random.uniform(0.5, 1));
    const std::vector<std::size_t> order = random.permutation(dimension);
    for (std::size_t i = 0; i < dimension; ++i) centroids(1, i) = centroids(0, order[i]);
    centroids(1, 0) -= 0x1p-22f;
    const nearest_centroids result = assign_to_nearest(cpu_context(1), read_only(origin), read_only(centroids));
    BOOST_TEST(result.labels[0] == 1u);
  }
}

BOOST_AUTO_TEST_CASE(large_and_small_values) {
  random_stream random(5);
  for (const float scale : {1e-30f, 1e-22f, 1e20f, 1e30f}) {  // squares leave the range of float32
    tensor<float, 2> points = blobs(60, 9, 3, 5, random);
    for (float& value : points) value *= scale;
    const reference::point_table table = to_table(points.view());
    const tensor<float, 2> centroids = [&] {
      tensor<float, 2> some({3, 9});
      for (std::size_t c = 0; c < 3; ++c) std::copy_n(points.view().row(c * 7), 9, some.view().row(c));
      return some;
    }();
    const nearest_centroids result = assign_to_nearest(cpu_context(1), read_only(points), read_only(centroids));
    const reference::point_table centroid_table = to_table(centroids.view());
    for (std::size_t row = 0; row < 60; ++row) {
      BOOST_TEST(result.labels[row] == reference::nearest_centroid(table[row], centroid_table));
    }
  }
}

BOOST_AUTO_TEST_CASE(no_group_is_empty) {
  tensor<float, 2> same({10, 2});
  for (const std::size_t k : {1, 3, 10}) {
    const k_means_result result = k_means(cpu_context(1), read_only(same), {.k = k});
    BOOST_TEST(result.inertia == 0.0);
    for (std::uint32_t c = 0; c < k; ++c) BOOST_TEST(std::ranges::count(result.labels, c) >= 1);
  }
  // Far more groups than places.
  tensor<float, 2> places({12, 1});
  for (std::size_t row = 0; row < 12; ++row) places(row, 0) = static_cast<float>(row % 3);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const k_means_result result = k_means(cpu_context(1), read_only(places), {.k = 7, .seed = seed});
    BOOST_TEST(result.inertia == 0.0);
    for (std::uint32_t c = 0; c < 7; ++c) BOOST_TEST(std::ranges::count(result.labels, c) >= 1);
    for (std::size_t row = 0; row < 12; ++row) {
      BOOST_TEST(result.centroids(result.labels[row], 0) == places(row, 0));
    }
  }
}

BOOST_AUTO_TEST_CASE(an_empty_group_takes_the_farthest_point) {
  std::vector<std::uint32_t> labels{0, 0, 0, 2};
  std::vector<double> distances{1, 9, 4, 100};  // row 3 is alone in its group and stays
  BOOST_TEST(detail::fill_empty_groups(labels, distances, 4, true));
  BOOST_TEST(labels == (std::vector<std::uint32_t>{0, 1, 3, 2}), boost::test_tools::per_element());
  BOOST_TEST(distances == (std::vector<double>{1, 0, 0, 100}), boost::test_tools::per_element());
  BOOST_TEST(!detail::fill_empty_groups(labels, distances, 4, true));
}

/// A centroid that jumps to a far point at the end may be the nearest to others too.
BOOST_AUTO_TEST_CASE(labels_and_inertia_are_those_of_the_centroids_after_a_late_refill) {
  random_stream random(31);
  for (int turn = 0; turn < 200; ++turn) {
    const tensor<float, 2> points = blobs(14, 1, 3, 9, random);
    tensor<float, 2> begin({5, 1});
    for (float& value : begin) value = static_cast<float>(30 * random.normal());
    cpu::centroid_searcher search(cpu_context(1), read_only(points));
    const k_means_result result =
        detail::improve_centroids(search, read_only(points), std::move(begin),
                                  {.k = 5, .max_iterations = 1 + static_cast<std::size_t>(turn % 3)}, 0);
    const reference::point_table table = to_table(points.view());
    const reference::point_table centroids = to_table(result.centroids.view());
    double inertia = 0;
    for (std::size_t row = 0; row < table.size(); ++row) {
      const std::size_t nearest = reference::nearest_centroid(table[row], centroids);
      BOOST_TEST(result.labels[row] == nearest);
      inertia += reference::squared_distance(table[row], centroids[nearest]);
    }
    BOOST_TEST(result.inertia == inertia, boost::test_tools::tolerance(1e-12));
    for (std::uint32_t c = 0; c < 5; ++c) BOOST_TEST(std::ranges::count(result.labels, c) >= 1);
  }
}

BOOST_AUTO_TEST_CASE(as_many_groups_as_points) {
  random_stream random(6);
  const tensor<float, 2> points = blobs(9, 3, 9, 5, random);
  const k_means_result result = k_means(cpu_context(1), read_only(points), {.k = 9});
  BOOST_TEST(result.inertia == 0.0);
}

BOOST_AUTO_TEST_CASE(bad_arguments_are_refused) {
  const cpu_context context(1);
  random_stream random(7);
  tensor<float, 2> points = blobs(6, 3, 2, 1, random);
  BOOST_CHECK_THROW((void)k_means(context, read_only(points), {.k = 0}), invalid_argument);
  BOOST_CHECK_THROW((void)k_means(context, read_only(points), {.k = 7}), invalid_argument);
  BOOST_CHECK_THROW((void)k_means(context, read_only(points), {.k = 2, .restarts = 0}), invalid_argument);
  BOOST_CHECK_THROW((void)k_means(context, read_only(points), {.k = 2, .max_iterations = 0}), invalid_argument);
  BOOST_CHECK_THROW((void)k_means(context, read_only(tensor<float, 2>({3, 0})), {.k = 2}), invalid_argument);
  const tensor<float, 2> other({2, 4});
  BOOST_CHECK_THROW((void)assign_to_nearest(context, read_only(points), read_only(other)), invalid_argument);
  BOOST_CHECK_THROW((void)assign_to_nearest(context, read_only(points), read_only(tensor<float, 2>({0, 3}))),
                    invalid_argument);
  BOOST_TEST(assign_to_nearest(context, read_only(tensor<float, 2>({0, 4})), read_only(other)).labels.empty());
  points(4, 1) = std::numeric_limits<float>::quiet_NaN();
  BOOST_CHECK_THROW((void)k_means(context, read_only(points), {.k = 2}), invalid_argument);
  std::stop_source stop;
  stop.request_stop();
  points(4, 1) = 0;
  BOOST_CHECK_THROW((void)k_means(context, read_only(points), {.k = 2, .stop = stop.get_token()}), cancelled);
}

BOOST_AUTO_TEST_CASE(instruction_sets_agree_within_the_stated_error) {
  random_stream random(8);
  for (const std::size_t dimension : {1, 7, 16, 33, 500}) {
    const tensor<float, 2> points = blobs(13, dimension, 3, 3, random);
    const tensor<float, 2> centroids = blobs(5, dimension, 3, 3, random);
    for (const cpu::simd_level level : cpu::kSimdLevels) {
      if (!cpu::is_supported(level)) continue;
      tensor<float, 2> out({13, 5});
      cpu::expand(cpu::squared_distances_body{points.view(), centroids.view(), out.view()}, level);
      const double bound = cpu::squared_distance_error(dimension);
      for (std::size_t p = 0; p < 13; ++p) {
        for (std::size_t c = 0; c < 5; ++c) {
          const double exact = reference::squared_distance(to_table(points.view())[p], to_table(centroids.view())[c]);
          BOOST_TEST(std::abs(static_cast<double>(out(p, c)) - exact) <= bound * exact);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
