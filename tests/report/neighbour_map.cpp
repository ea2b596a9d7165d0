// Maps of neighbours: weights that add up, neighbours that stay neighbours, equal places on equal input.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <set>
#include <stdexcept>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/report/neighbour_map.hpp>

using namespace imgsim;

BOOST_AUTO_TEST_SUITE(maps_of_neighbours)

namespace {

struct neighbour_lists {
  tensor<std::int64_t, 2> rows;
  tensor<float, 2> distances;
};

/// The k nearest of each point [M, D], by sorting all distances.
neighbour_lists nearest_of(const tensor<float, 2>& points, std::size_t k) {
  const std::size_t count = points.extent(0);
  neighbour_lists lists{tensor<std::int64_t, 2>({count, k}), tensor<float, 2>({count, k})};
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::pair<double, std::size_t>> others;
    for (std::size_t j = 0; j < count; ++j) {
      double square = 0;
      for (std::size_t d = 0; d < points.extent(1); ++d) square += std::pow(double{points(i, d)} - points(j, d), 2);
      if (j != i) others.emplace_back(std::sqrt(square), j);
    }
    std::ranges::sort(others);
    for (std::size_t rank = 0; rank < k; ++rank) {
      lists.distances(i, rank) = static_cast<float>(others[rank].first);
      lists.rows(i, rank) = static_cast<std::int64_t>(others[rank].second);
    }
  }
  return lists;
}

/// `groups` clouds of 20 points in 12 dimensions, point i of cloud i / 20.
tensor<float, 2> clouds(std::size_t groups, std::uint64_t seed) {
  random_stream random(seed);
  tensor<float, 2> centres({groups, 12}), points({20 * groups, 12});
  for (float& value : centres) value = static_cast<float>(random.normal());
  for (std::size_t i = 0; i < points.extent(0); ++i)
    for (std::size_t d = 0; d < 12; ++d)
      points(i, d) = centres(i / 20, d) + 0.15F * static_cast<float>(random.normal());
  return points;
}

/// What a map begins with here: two of the coordinates, in which the clouds overlap.
tensor<float, 2> two_coordinates(const tensor<float, 2>& points) {
  tensor<float, 2> start({points.extent(0), 2});
  for (std::size_t i = 0; i < points.extent(0); ++i)
    for (std::size_t axis = 0; axis < 2; ++axis) start(i, axis) = points(i, axis);
  return start;
}

/// Share of the 5 nearest on the plane that are among a point's `k` nearest in `lists`.
double kept_neighbours(const tensor<float, 2>& places, const neighbour_lists& lists) {
  const neighbour_lists on_plane = nearest_of(places, 5);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < places.extent(0); ++i) {
    const std::set<std::int64_t> near(lists.rows.view().row(i), lists.rows.view().row(i) + lists.rows.extent(1));
    for (std::size_t rank = 0; rank < 5; ++rank) kept += near.count(on_plane.rows(i, rank));
  }
  return static_cast<double>(kept) / static_cast<double>(5 * places.extent(0));
}

}  // namespace

BOOST_AUTO_TEST_CASE(weights_of_a_list_add_up_to_the_logarithm_of_its_length) {
  random_stream random(3);
  for (const std::size_t k : {std::size_t{2}, std::size_t{5}, std::size_t{15}, std::size_t{64}}) {
    for (const double width : {1e-3, 1.0, 1e4}) {
      std::vector<float> distances;
      for (std::size_t i = 0; i < k; ++i) distances.push_back(static_cast<float>(width * (1 + random.uniform())));
      std::ranges::sort(distances);
      const double nearest = double{distances.front()};
      const double scale = detail::neighbour_scale(distances.data(), k, nearest);
      double sum = 0;
      for (const float distance : distances) sum += std::exp(-(double{distance} - nearest) / scale);
      BOOST_TEST(std::abs(sum - std::log2(static_cast<double>(k))) < 1e-6, "k " << k << ", width " << width);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_pair_is_listed_once_with_the_weight_of_either_direction) {
  // 0 and 1 list each other, 2 lists 1 alone.
  tensor<std::int64_t, 2> rows({3, 1});
  tensor<float, 2> distances({3, 1});
  rows(0, 0) = 1, rows(1, 0) = 0, rows(2, 0) = 1;
  distances(0, 0) = 0.5F, distances(1, 0) = 0.5F, distances(2, 0) = 3.0F;
  const auto pairs = detail::neighbour_pairs(rows.view(), distances.view());
  BOOST_REQUIRE(pairs.size() == 2u);
  BOOST_TEST(pairs[0].a == 0u);
  BOOST_TEST(pairs[0].b == 1u);
  BOOST_TEST(pairs[0].weight == 1.0F);  // 1 + 1 - 1 * 1
  BOOST_TEST(pairs[1].a == 1u);
  BOOST_TEST(pairs[1].b == 2u);
}

BOOST_AUTO_TEST_CASE(clouds_part_where_the_start_mixes_them) {
  const tensor<float, 2> points = clouds(8, 11);
  const tensor<float, 2> start = two_coordinates(points);
  const neighbour_lists near = nearest_of(points, 15);
  const tensor<float, 2> places = neighbour_map(near.rows.view(), near.distances.view(), start.view());
  // Each cloud lies by itself: the nearest on the plane are of the same cloud.
  const neighbour_lists on_plane = nearest_of(places, 3);
  for (std::size_t i = 0; i < places.extent(0); ++i)
    for (std::size_t rank = 0; rank < 3; ++rank)
      BOOST_TEST(on_plane.rows(i, rank) / 20 == static_cast<std::int64_t>(i) / 20);
}

BOOST_AUTO_TEST_CASE(a_tangled_curve_is_laid_out_so_that_its_neighbours_stay_neighbours) {
  // Waves of six frequencies; the start shows those of the highest alone, which run through the same circle six times.
  tensor<float, 2> points({240, 12}), start({240, 2});
  for (std::size_t i = 0; i < 240; ++i) {
    const double turn = 2 * std::numbers::pi * static_cast<double>(i) / 240;
    for (std::size_t wave = 1; wave <= 6; ++wave) {
      points(i, 2 * wave - 2) = static_cast<float>(std::cos(static_cast<double>(wave) * turn));
      points(i, 2 * wave - 1) = static_cast<float>(std::sin(static_cast<double>(wave) * turn));
    }
    start(i, 0) = points(i, 10);
    start(i, 1) = points(i, 11);
  }
  const neighbour_lists near = nearest_of(points, 12);
  const tensor<float, 2> places = neighbour_map(near.rows.view(), near.distances.view(), start.view());
  const double before = kept_neighbours(start, near), after = kept_neighbours(places, near);
  BOOST_TEST(before < 0.4, before);
  BOOST_TEST(after > 0.9, after);
}

BOOST_AUTO_TEST_CASE(equal_input_and_seed_give_equal_places) {
  const tensor<float, 2> points = clouds(3, 5);
  const neighbour_lists near = nearest_of(points, 6);
  const auto places_of = [&](std::uint64_t seed) {
    const tensor<float, 2> places = neighbour_map(near.rows.view(), near.distances.view(),
                                                  two_coordinates(points).view(), {.epochs = 40, .seed = seed});
    return std::vector<float>(places.begin(), places.end());
  };
  BOOST_TEST(places_of(1) == places_of(1), boost::test_tools::per_element());
  BOOST_TEST((places_of(1) != places_of(2)));
}

BOOST_AUTO_TEST_CASE(points_that_coincide_get_finite_places) {
  const tensor<float, 2> points({30, 4});
  const neighbour_lists near = nearest_of(points, 7);
  for (const float value : neighbour_map(near.rows.view(), near.distances.view(), two_coordinates(points).view()))
    BOOST_TEST(std::isfinite(value));
}

BOOST_AUTO_TEST_CASE(few_points_and_no_neighbours_are_valid) {
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
    const tensor<std::int64_t, 2> rows({count, 0});
    const tensor<float, 2> distances({count, 0}), start({count, 2});
    BOOST_TEST(neighbour_map(rows.view(), distances.view(), start.view()).extent(0) == count);
  }
}

BOOST_AUTO_TEST_CASE(what_is_thrown_between_epochs_ends_the_work) {
  const tensor<float, 2> points = clouds(1, 2);
  const neighbour_lists near = nearest_of(points, 3);
  std::size_t calls = 0;
  const neighbour_map_options options{.epochs = 10, .on_epoch = [&](std::size_t epoch) {
                                        ++calls;
                                        if (epoch == 4) throw std::runtime_error("enough");
                                      }};
  BOOST_CHECK_THROW(static_cast<void>(neighbour_map(near.rows.view(), near.distances.view(),
                                                    two_coordinates(points).view(), options)),
                    std::runtime_error);
  BOOST_TEST(calls == 5u);
}

BOOST_AUTO_TEST_CASE(lists_that_are_none_of_these_points_are_refused) {
  const tensor<float, 2> points = clouds(1, 9);
  const tensor<float, 2> start = two_coordinates(points);
  const auto refuses = [&](const auto& spoil) {
    neighbour_lists near = nearest_of(points, 4);
    spoil(near);
    BOOST_CHECK_THROW(static_cast<void>(neighbour_map(near.rows.view(), near.distances.view(), start.view())),
                      invalid_argument);
  };
  refuses([](neighbour_lists& near) { near.rows(3, 1) = 20; });
  refuses([](neighbour_lists& near) { near.rows(3, 1) = -1; });
  refuses([](neighbour_lists& near) { near.rows(3, 1) = 3; });
  refuses([](neighbour_lists& near) { near.distances(0, 2) = std::numeric_limits<float>::quiet_NaN(); });
  refuses([](neighbour_lists& near) { near.distances = tensor<float, 2>({20, 3}); });
}

BOOST_AUTO_TEST_SUITE_END()
