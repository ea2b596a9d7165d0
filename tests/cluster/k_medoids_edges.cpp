// K-medoids at its edges: sizes, ties, duplicates, values that are refused, budgets and stops.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/cluster/silhouette_medoids.hpp>
#include <imgsim/embedding/npy.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/metric/euclidean.hpp>

#include "cluster/support.hpp"
#include "support/temporary_folder.hpp"

using namespace imgsim;
using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(k_medoids_edges)

namespace {

constexpr medoid_initialisation kAll[] = {medoid_initialisation::build, medoid_initialisation::lab,
                                          medoid_initialisation::k_means_plus_plus, medoid_initialisation::random};

k_medoids_result run(const tensor<float, 2>& distances, std::size_t k,
                     medoid_initialisation initialisation = medoid_initialisation::k_means_plus_plus) {
  return k_medoids(cpu_context(2), distances.view(), {.k = k, .initialisation = initialisation});
}

/// Accepts an exception whose text holds each of the parts.
auto says(std::vector<std::string> parts) {
  return [parts = std::move(parts)](const std::exception& e) {
    return std::ranges::all_of(parts, [&](const std::string& part) {
      const bool holds = std::string(e.what()).find(part) != std::string::npos;
      if (!holds) BOOST_TEST_MESSAGE("not in \"" << e.what() << "\": " << part);
      return holds;
    });
  };
}

}  // namespace

BOOST_AUTO_TEST_CASE(one_group_has_the_point_with_the_least_sum) {
  random_stream random(1);
  for (const std::size_t size : {1, 2, 3, 64, 65, 100}) {
    const tensor<float, 2> distances = random_distances(size, 1u << 16, random);
    const double optimum = reference::least_cost(to_table(distances.view()), 1);
    for (const medoid_initialisation initialisation : kAll) {
      const k_medoids_result result = run(distances, 1, initialisation);
      BOOST_TEST(result.cost == optimum);
      BOOST_TEST(std::ranges::count(result.labels, 0u) == static_cast<std::ptrdiff_t>(size));
    }
  }
}

BOOST_AUTO_TEST_CASE(as_many_groups_as_points) {
  random_stream random(2);
  for (const std::size_t size : {1, 2, 17}) {
    const tensor<float, 2> distances = random_distances(size, 100, random);
    for (const medoid_initialisation initialisation : kAll) {
      const k_medoids_result result = run(distances, size, initialisation);
      BOOST_TEST(result.cost == 0.0);
      BOOST_TEST(result.converged);
      for (std::size_t row = 0; row < size; ++row) {
        BOOST_TEST(result.medoids[row] == row);
        BOOST_TEST(result.labels[row] == row);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(impossible_sizes_are_refused_with_both_numbers) {
  random_stream random(3);
  const tensor<float, 2> distances = random_distances(5, 100, random);
  BOOST_CHECK_EXCEPTION(run(distances, 6), invalid_argument, says({"6", "5"}));
  BOOST_CHECK_EXCEPTION(run(distances, 0), invalid_argument, says({"0", "5"}));
  BOOST_CHECK_EXCEPTION(run(tensor<float, 2>({0, 0}), 1), invalid_argument, says({"1", "0"}));
  BOOST_CHECK_EXCEPTION(run(tensor<float, 2>({3, 4}), 1), invalid_argument, says({"[3, 4]"}));
  BOOST_CHECK_THROW((void)k_medoids(cpu_context(1), distances.view(), {.k = 2, .restarts = 0}), invalid_argument);
  BOOST_CHECK_THROW((void)k_medoids(cpu_context(1), distances.view(), {.k = 2, .max_passes = 0}), invalid_argument);
}

BOOST_AUTO_TEST_CASE(values_that_are_not_finite_are_refused_with_their_place) {
  random_stream random(4);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
    tensor<float, 2> distances = random_distances(70, 100, random);
    distances(53, 21) = bad;
    distances(53, 69) = bad;
    distances(60, 2) = bad;
    BOOST_CHECK_EXCEPTION(run(distances, 3), invalid_argument, says({"row 53", "column 21"}));
    tensor<float, 2> points({4, 3});
    points(2, 1) = bad;
    // A bound that is stated does not make them pass.
    BOOST_CHECK_EXCEPTION(
        (void)k_medoids(cpu_context(2), resident_distances(std::as_const(distances).view(), 2.0f), {.k = 3}),
        invalid_argument, says({"row 53", "column 21"}));
    BOOST_CHECK_EXCEPTION((void)k_medoids(cpu_context(2), embedding_distances(points.view(), cosine{}), {.k = 2}),
                          invalid_argument, says({"row 2", "column 1"}));
  }
}

BOOST_AUTO_TEST_CASE(identical_points_make_groups_that_hold_their_medoids) {
  const tensor<float, 2> zeros({30, 30});
  for (const medoid_initialisation initialisation : kAll) {
    const k_medoids_result result = run(zeros, 4, initialisation);
    BOOST_TEST(result.cost == 0.0);
    BOOST_TEST(result.swaps == 0u);
    BOOST_TEST((std::ranges::adjacent_find(result.medoids) == result.medoids.end()));
    for (std::uint32_t position = 0; position < 4; ++position) {
      BOOST_TEST(result.labels[result.medoids[position]] == position);
    }
  }
}

BOOST_AUTO_TEST_CASE(duplicates_and_points_on_a_line) {
  // 3 places on a line, each held by 10 points: 3 groups cost nothing.
  tensor<float, 2> distances({30, 30});
  const float place[] = {0, 1, 5};
  for (std::size_t i = 0; i < 30; ++i) {
    for (std::size_t o = 0; o < 30; ++o) distances(i, o) = std::abs(place[i % 3] - place[o % 3]);
  }
  for (const medoid_initialisation initialisation : kAll) {
    BOOST_TEST(run(distances, 3, initialisation).cost == 0.0);
    BOOST_TEST(run(distances, 2, initialisation).cost == 10.0);
    BOOST_TEST(run(distances, 1, initialisation).cost == 50.0);
    BOOST_TEST(run(distances, 20, initialisation).cost == 0.0);
  }
}

BOOST_AUTO_TEST_CASE(distances_of_any_scale) {
  random_stream random(5);
  const tensor<float, 2> distances = random_distances(60, 1u << 12, random);
  const k_medoids_result expected = run(distances, 5);
  for (const float scale : {0x1p-100f, 0x1p-130f, 0x1p100f, 0x1p127f}) {
    tensor<float, 2> scaled = distances.clone();
    for (float& value : scaled) value *= scale;
    BOOST_TEST(run(scaled, 5).medoids == expected.medoids, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(tables_that_are_no_metric) {
  // Not symmetric, a diagonal that is not zero, small negative values as rounding leaves them.
  random_stream random(6);
  tensor<float, 2> distances({50, 50});
  for (float& value : distances) value = static_cast<float>(random.below(1u << 10)) / 1024.0f - 0x1p-8f;
  const reference::distance_table table = to_table(distances.view());
  const k_medoids_result result = run(distances, 4);
  std::vector<std::size_t> medoids = result.medoids;
  BOOST_TEST(reference::eager_swaps(table, medoids) == 0u);
  for (std::uint32_t position = 0; position < 4; ++position) {
    BOOST_TEST(result.labels[result.medoids[position]] == position);
  }
}

BOOST_AUTO_TEST_CASE(budgets_end_the_search_early_and_say_so) {
  random_stream random(7);
  const tensor<float, 2> distances = random_distances(200, 1u << 20, random);
  k_medoids_options options{.k = 8, .initialisation = medoid_initialisation::random};
  const k_medoids_result whole = k_medoids(cpu_context(1), distances.view(), options);
  BOOST_TEST_REQUIRE(whole.swaps > 2u);
  BOOST_TEST_REQUIRE(whole.passes > 1u);

  double previous = std::numeric_limits<double>::infinity();
  for (std::size_t swaps = 0; swaps <= whole.swaps; ++swaps) {  // from swap to swap the cost falls
    options.max_swaps = swaps;
    const k_medoids_result part = k_medoids(cpu_context(2), distances.view(), options);
    BOOST_TEST(part.swaps == swaps);
    BOOST_TEST(!part.converged);
    BOOST_TEST(part.cost < previous);
    previous = part.cost;
  }
  BOOST_TEST(previous == whole.cost);

  options.max_swaps = std::numeric_limits<std::size_t>::max();
  options.max_passes = 1;
  const k_medoids_result one_pass = k_medoids(cpu_context(1), distances.view(), options);
  BOOST_TEST(one_pass.passes == 1u);
  BOOST_TEST(!one_pass.converged);
}

BOOST_AUTO_TEST_CASE(a_distance_above_the_bound_that_is_stated_is_refused) {
  random_stream random(13);
  tensor<float, 2> distances = random_distances(20, 100, random);
  distances(3, 4) = -2.5f;
  BOOST_CHECK_EXCEPTION(
      (void)k_medoids(cpu_context(1), resident_distances(std::as_const(distances).view(), 2.0f), {.k = 3}),
      invalid_argument, says({"2.5", "upper bound 2"}));
  BOOST_CHECK_NO_THROW(
      (void)k_medoids(cpu_context(1), resident_distances(std::as_const(distances).view(), 2.5f), {.k = 3}));
}

BOOST_AUTO_TEST_CASE(first_medoids_are_told_one_by_one_and_a_stop_ends_their_search) {
  random_stream random(14);
  const tensor<float, 2> distances = random_distances(60, 1u << 20, random);
  for (const medoid_initialisation initialisation : kAll) {
    std::stop_source stop;
    std::vector<std::size_t> told;
    const auto tell = [&](const k_medoids_progress& p) {
      told.push_back(p.medoids);
      if (p.medoids == 4) stop.request_stop();
    };
    BOOST_CHECK_THROW(
        (void)k_medoids(
            cpu_context(1), distances.view(),
            {.k = 7, .initialisation = initialisation, .max_swaps = 0, .on_progress = tell, .stop = stop.get_token()}),
        cancelled);
    BOOST_TEST(told == (std::vector<std::size_t>{0, 1, 2, 3, 4}), boost::test_tools::per_element());
  }
}

/// |a - b|^3, which no part of the library knows. Its key is a sum like the Euclidean one.
struct cubed : euclidean {
  static constexpr std::string_view name = "cubed";
  static double similarity(double key) { return -distance(key); }
  static double distance(double key) { return std::pow(-key, 1.5); }
  static double largest_distance(double norm) { return std::pow(2 * norm, 3); }
};

BOOST_AUTO_TEST_CASE(groups_by_a_metric_of_ones_own) {
  random_stream random(15);
  const tensor<float, 2> points = blobs(120, 5, 6, 2, random);
  tensor<float, 2> distances = euclidean_distances(points.view());
  for (float& d : distances) d = static_cast<float>(std::pow(static_cast<double>(d), 3));
  const double expected = k_medoids(cpu_context(1), distances.view(), {.k = 6, .restarts = 3}).cost;
  std::optional<k_medoids_result> first;
  for (const cpu_context& context : cluster_contexts()) {
    const auto found =
        k_medoids(context, embedding_distances(std::as_const(points).view(), cubed{}), {.k = 6, .restarts = 3});
    // Each of 120 distances was rounded three times in the table.
    BOOST_TEST(std::abs(found.cost - expected) <= expected * 0x1p-20);
    if (!first) first = found;
    BOOST_TEST(found.medoids == first->medoids, boost::test_tools::per_element());
    BOOST_TEST(found.cost == first->cost);
  }
}

BOOST_AUTO_TEST_CASE(many_points_that_lose_a_medoid_at_once) {
  // With 2 or 3 medoids each swap leaves thousands without one of theirs: more than a thread looks at together.
  random_stream random(17);
  const tensor<float, 2> points = blobs(2500, 4, 7, 3, random);
  const embedding_distances source(std::as_const(points).view(), euclidean{});
  std::vector<std::size_t> all(2500);
  std::iota(all.begin(), all.end(), std::size_t{0});
  const cpu_context context(2);
  const tensor<float, 2> table = cluster_backend<cpu_context>::distances_among(context, source, all);
  const resident_distances resident(table.view(), distance_bound(std::as_const(points).view(), euclidean{}));
  for (const std::size_t k : {2, 3}) {
    const k_medoids_options options{.k = k, .initialisation = medoid_initialisation::random, .seed = k};
    const k_medoids_result expected = k_medoids(context, resident, options);
    const k_medoids_result found = k_medoids(context, source, options);
    BOOST_TEST(expected.swaps > 2u);
    BOOST_TEST(found.medoids == expected.medoids, boost::test_tools::per_element());
    BOOST_TEST(found.swaps == expected.swaps);
    BOOST_TEST(found.cost == expected.cost);
  }
}

BOOST_AUTO_TEST_CASE(a_table_that_is_mapped_from_a_file) {
  random_stream random(16);
  const tensor<float, 2> distances = random_distances(150, 1u << 20, random);
  const temporary_folder folder;
  write_npy(folder.path() / "distances.npy", distances.view());
  const mapped_npy<float> file(folder.path() / "distances.npy");
  const k_medoids_result expected = run(distances, 7);
  const k_medoids_result found = k_medoids(cpu_context(2), resident_distances(file.view()), {.k = 7});
  BOOST_TEST(found.medoids == expected.medoids, boost::test_tools::per_element());
  BOOST_TEST(found.cost == expected.cost);
}

BOOST_AUTO_TEST_CASE(points_on_a_line_are_cut_where_it_is_widest) {
  // 0 .. 9, 100 .. 109, 1000 .. 1009: medoids in the middle of each run, whatever the start.
  tensor<float, 2> points({30, 1});
  for (std::size_t i = 0; i < 30; ++i) points(i, 0) = static_cast<float>(i % 10 + (i < 10 ? 0 : i < 20 ? 100 : 1000));
  const tensor<float, 2> distances = euclidean_distances(points.view());
  for (const medoid_initialisation initialisation : kAll) {
    const k_medoids_result found = run(distances, 3, initialisation);
    BOOST_TEST(found.cost == 3 * 25.0);
    for (std::size_t i = 0; i < 30; ++i) BOOST_TEST(found.labels[i] == i / 10);
  }
}

BOOST_AUTO_TEST_CASE(progress_is_told_and_a_stop_ends_it) {
  random_stream random(8);
  const tensor<float, 2> distances = random_distances(100, 1u << 20, random);
  std::stop_source stop;
  std::size_t calls = 0;
  k_medoids_options options{.k = 5, .restarts = 3, .on_progress = [&](const k_medoids_progress& p) {
                              ++calls;
                              BOOST_TEST(p.restart < p.restarts);
                              BOOST_TEST(p.cost > 0);
                              BOOST_TEST(p.medoids <= 5u);
                              if (p.restart == 1) stop.request_stop();
                            }};
  (void)k_medoids(cpu_context(1), distances.view(), options);
  BOOST_TEST(calls >= 3u);
  options.stop = stop.get_token();
  BOOST_CHECK_THROW((void)k_medoids(cpu_context(1), distances.view(), options), cancelled);
}

BOOST_AUTO_TEST_CASE(initialisations_have_names) {
  BOOST_TEST((parse_medoid_initialisation("build") == medoid_initialisation::build));
  BOOST_TEST((parse_medoid_initialisation("lab") == medoid_initialisation::lab));
  BOOST_TEST((parse_medoid_initialisation("k-means++") == medoid_initialisation::k_means_plus_plus));
  BOOST_TEST((parse_medoid_initialisation("random") == medoid_initialisation::random));
  BOOST_CHECK_EXCEPTION((void)parse_medoid_initialisation("best"), invalid_argument, says({"best"}));
}

BOOST_AUTO_TEST_CASE(groups_around_given_medoids) {
  random_stream random(31);
  const tensor<float, 2> distances = random_distances(60, 8, random);  // many ties
  const std::vector<std::size_t> medoids{41, 3, 17};
  const k_medoids_result found = groups_around(cpu_context(2), resident_distances(distances.view()), medoids);
  BOOST_TEST(found.medoids == (std::vector<std::size_t>{3, 17, 41}), boost::test_tools::per_element());
  double cost = 0;
  for (std::size_t o = 0; o < 60; ++o) {
    std::size_t nearest = 0;
    for (std::size_t position = 1; position < 3; ++position)
      if (distances(found.medoids[position], o) < distances(found.medoids[nearest], o)) nearest = position;
    const auto own = std::ranges::find(found.medoids, o);
    if (own != found.medoids.end()) nearest = static_cast<std::size_t>(own - found.medoids.begin());
    BOOST_TEST(found.labels[o] == nearest);
    cost += static_cast<double>(distances(found.medoids[nearest], o));
  }
  BOOST_TEST(found.cost == cost);
  const resident_distances source(distances.view());
  for (const std::vector<std::size_t>& bad : {std::vector<std::size_t>{}, {1, 60}, {5, 2, 5}})
    BOOST_CHECK_THROW((void)groups_around(cpu_context(1), source, bad), invalid_argument);
}

/// The cosine of who forgot that a row may be zero: the distance to it is NaN, whatever bound is stated.
struct careless_cosine : cosine {
  static constexpr std::string_view name = "careless";
  static double finish(double sum, double squared_norm_a, double squared_norm_b) {
    return sum / std::sqrt(squared_norm_a * squared_norm_b);
  }
};

/// Distances that are computed when they are asked for; one of them may be more than what is stated.
struct computed_distances {
  static constexpr bool kResident = false;
  matrix_view<const float> table;
  float bound = 1;

  [[nodiscard]] std::size_t size() const { return table.extent(0); }
  [[nodiscard]] std::optional<float> upper_bound() const { return bound; }
  [[nodiscard]] matrix_view<const float> rows(std::size_t first, std::size_t count, matrix_view<float> buffer) const {
    for (std::size_t row = 0; row < count; ++row) std::copy_n(table.row(first + row), size(), buffer.row(row));
    return buffer.slice(0, count);
  }
};

BOOST_AUTO_TEST_CASE(a_bound_that_does_not_hold_is_refused_where_distances_are_computed) {
  random_stream random(16);
  tensor<float, 2> points = blobs(40, 6, 3, 2, random);
  std::fill_n(points.view().row(17), 6, 0.0f);
  for (const cpu_context& context : cluster_contexts()) {
    const embedding_distances careless(std::as_const(points).view(), careless_cosine{});
    BOOST_CHECK_EXCEPTION((void)k_medoids(context, careless, {.k = 3}), invalid_argument, says({"17", "nan"}));
    BOOST_CHECK_EXCEPTION((void)silhouette_medoids(context, careless, {.k_max = 4}), invalid_argument,
                          says({"17", "nan"}));
  }
  for (const float bad : {std::nextafter(1.0f, 2.0f), -std::nextafter(1.0f, 2.0f),
                          std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    tensor<float, 2> table = random_distances(70, 64, random);
    for (float& d : table) d = std::min(d / 64, 1.0f);
    for (std::size_t o = 0; o < 70; ++o) table(o, 31) = table(31, o) = bad;
    for (const cpu_context& context : cluster_contexts())
      for (const medoid_initialisation start : kAll) {
        const computed_distances source{std::as_const(table).view()};
        BOOST_CHECK_THROW((void)k_medoids(context, source, {.k = 3, .initialisation = start}), invalid_argument);
      }
  }
}

BOOST_AUTO_TEST_SUITE_END()
