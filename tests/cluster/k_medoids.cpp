// K-medoids as a whole: optima, local optimality, determinism over threads, sources and initialisations.
#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/agreement.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/metric/euclidean.hpp>

#include "cluster/support.hpp"

using namespace imgsim;
using namespace imgsim_test;

namespace {

constexpr medoid_initialisation kAll[] = {medoid_initialisation::build, medoid_initialisation::lab,
                                          medoid_initialisation::k_means_plus_plus, medoid_initialisation::random};

void check_equal(const k_medoids_result& a, const k_medoids_result& b) {
  BOOST_TEST(a.medoids == b.medoids, boost::test_tools::per_element());
  BOOST_TEST(a.labels == b.labels, boost::test_tools::per_element());
  BOOST_TEST(a.distances == b.distances, boost::test_tools::per_element());
  BOOST_TEST(a.cost == b.cost);
  BOOST_TEST(a.swaps == b.swaps);
  BOOST_TEST(a.passes == b.passes);
  BOOST_TEST(a.converged == b.converged);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(k_medoids_whole)

BOOST_AUTO_TEST_CASE(result_is_a_local_optimum_and_reaches_the_optimum_with_restarts) {
  random_stream random(1);
  std::size_t optimal = 0;
  std::size_t cases = 0;
  for (std::size_t trial = 0; trial < 40; ++trial) {
    const std::size_t size = 8 + random.below(8);
    const std::size_t k = 1 + random.below(4);
    const tensor<float, 2> distances = random_distances(size, 1u << 20, random);
    const reference::distance_table table = to_table(distances.view());
    const double optimum = reference::least_cost(table, k);
    for (const medoid_initialisation initialisation : kAll) {
      const k_medoids_result result = k_medoids(
          cpu_context(1), distances.view(), {.k = k, .initialisation = initialisation, .seed = trial, .restarts = 8});
      BOOST_TEST(result.converged);
      BOOST_TEST(result.cost >= optimum);
      BOOST_TEST(result.cost == reference::medoid_cost(table, result.medoids));
      std::vector<std::size_t> medoids = result.medoids;
      BOOST_TEST(reference::eager_swaps(table, medoids) == 0u);
      ++cases;
      optimal += result.cost == optimum ? 1 : 0;
    }
  }
  BOOST_TEST(optimal * 10 >= cases * 9);  // uniform random distances: 9 in 10 and more
}

BOOST_AUTO_TEST_CASE(labels_distances_and_cost_belong_to_the_medoids) {
  random_stream random(2);
  const tensor<float, 2> points = blobs(200, 5, 6, 4, random);
  const tensor<float, 2> distances = euclidean_distances(points.view());
  const k_medoids_result result = k_medoids(cpu_context(2), distances.view(), {.k = 6});
  BOOST_TEST(std::ranges::is_sorted(result.medoids));
  double cost = 0;
  for (std::size_t o = 0; o < 200; ++o) {
    std::size_t nearest = 0;
    for (std::size_t p = 1; p < 6; ++p) {
      if (distances(result.medoids[p], o) < distances(result.medoids[nearest], o)) nearest = p;
    }
    BOOST_TEST(result.labels[o] == nearest);
    BOOST_TEST(result.distances[o] == distances(result.medoids[nearest], o));
    cost += static_cast<double>(result.distances[o]);
  }
  BOOST_TEST(result.cost == cost);
}

BOOST_AUTO_TEST_CASE(planted_groups_are_found) {
  random_stream random(3);
  const tensor<float, 2> points = blobs(300, 8, 7, 10, random);
  std::vector<std::uint32_t> truth(300);
  for (std::uint32_t row = 0; row < 300; ++row) truth[row] = row % 7;
  const tensor<float, 2> distances = euclidean_distances(points.view());
  for (const medoid_initialisation initialisation : kAll) {
    const k_medoids_result result =
        k_medoids(cpu_context(1), distances.view(), {.k = 7, .initialisation = initialisation, .restarts = 3});
    BOOST_TEST(adjusted_rand_index(result.labels, truth) == 1.0);
  }
}

BOOST_AUTO_TEST_CASE(known_medoids_are_one_more_start) {
  random_stream random(14);
  const tensor<float, 2> distances = random_distances(150, 1u << 20, random);
  const cpu_context context(2);
  const k_medoids_result known = k_medoids(context, distances.view(), {.k = 8, .seed = 3, .restarts = 5});
  std::vector<std::size_t> turned(known.medoids.rbegin(), known.medoids.rend());
  std::size_t starts = 0;
  k_medoids_options options{.k = 8, .seed = 4, .restarts = 2, .known_medoids = turned, .max_swaps = 0};
  options.on_progress = [&](const k_medoids_progress& state) {
    BOOST_TEST(state.restarts == 3u);
    starts = state.restart + 1;
  };
  const k_medoids_result kept = k_medoids(context, distances.view(), options);
  BOOST_TEST(kept.medoids == known.medoids, boost::test_tools::per_element());
  BOOST_TEST(kept.cost == known.cost);
  BOOST_TEST(starts == 3u);
  // They are improved: the first start takes swaps.
  std::size_t swaps = 0;
  k_medoids_options improved{.k = 8, .seed = 4, .known_medoids = {0, 1, 2, 3, 4, 5, 6, 7}};
  improved.on_progress = [&](const k_medoids_progress& state) {
    if (state.restart == 0) swaps = std::max(swaps, state.swaps);
  };
  static_cast<void>(k_medoids(context, distances.view(), improved));
  BOOST_TEST(swaps > 0u);
  // What costs more than the best random start is not kept, and the random starts are those of before.
  std::vector<std::size_t> worst;
  double cost = 0;
  for (std::size_t first = 0; first + 8 <= 150; ++first) {
    std::vector<std::size_t> rows{first, first + 1, first + 2, first + 3, first + 4, first + 5, first + 6, first + 7};
    const double here = groups_around(context, resident_distances(distances.view()), rows).cost;
    if (here > cost) worst = rows;
    cost = std::max(cost, here);
  }
  const k_medoids_result plain =
      k_medoids(context, distances.view(), {.k = 8, .seed = 4, .restarts = 9, .max_swaps = 0});
  BOOST_TEST_REQUIRE(plain.cost < cost);
  check_equal(plain, k_medoids(context, distances.view(),
                               {.k = 8, .seed = 4, .restarts = 9, .known_medoids = worst, .max_swaps = 0}));
  for (const std::vector<std::size_t>& wrong :
       {std::vector<std::size_t>{1, 2}, {1, 2, 3, 4, 5, 6, 7, 150}, {0, 1, 2, 3, 4, 5, 6, 6}})
    BOOST_CHECK_THROW((void)k_medoids(context, distances.view(), {.k = 8, .known_medoids = wrong}), invalid_argument);
}

BOOST_AUTO_TEST_CASE(threads_do_not_change_the_result) {
  random_stream random(4);
  const tensor<float, 2> distances = euclidean_distances(blobs(500, 3, 9, 2, random).view());
  for (const medoid_initialisation initialisation : kAll) {
    const k_medoids_options options{.k = 9, .initialisation = initialisation, .seed = 5, .restarts = 2};
    const k_medoids_result one = k_medoids(cpu_context(1), distances.view(), options);
    for (const cpu_context& context : cluster_contexts()) {
      check_equal(one, k_medoids(context, distances.view(), options));
    }
  }
}

BOOST_AUTO_TEST_CASE(seeds_give_different_starts_and_equal_seeds_equal_ones) {
  random_stream random(5);
  const tensor<float, 2> distances = random_distances(120, 1u << 20, random);
  for (const medoid_initialisation initialisation :
       {medoid_initialisation::lab, medoid_initialisation::k_means_plus_plus, medoid_initialisation::random}) {
    const auto start = [&](std::uint64_t seed) {
      return k_medoids(cpu_context(1), distances.view(),
                       {.k = 10, .initialisation = initialisation, .seed = seed, .max_swaps = 0})
          .medoids;
    };
    BOOST_TEST(start(1) == start(1), boost::test_tools::per_element());
    BOOST_TEST((start(1) != start(2)));
  }
}

BOOST_AUTO_TEST_CASE(restarts_keep_the_cheapest) {
  random_stream random(6);
  const tensor<float, 2> distances = random_distances(90, 1u << 20, random);
  double previous = std::numeric_limits<double>::infinity();
  for (const std::size_t restarts : {1, 2, 4, 8, 16}) {
    const k_medoids_result result =
        k_medoids(cpu_context(1), distances.view(),
                  {.k = 8, .initialisation = medoid_initialisation::random, .seed = 3, .restarts = restarts});
    BOOST_TEST(result.cost <= previous);
    previous = result.cost;
  }
}

template <class Metric, class T>
struct distance_case {
  using metric = Metric;
  using element = T;
};
using distance_cases =
    std::tuple<distance_case<cosine, float>, distance_case<euclidean, float>, distance_case<cosine, bfloat16>,
               distance_case<euclidean, bfloat16>, distance_case<cosine, float16>, distance_case<euclidean, float16>>;

/// With every initialisation: BUILD reads whole rows, LAB a sample of rows and columns.
BOOST_AUTO_TEST_CASE_TEMPLATE(embeddings_give_the_result_of_their_matrix, Case, distance_cases) {
  random_stream random(7);
  const tensor<float, 2> values = blobs(150, 19, 5, 1.5, random);
  tensor<typename Case::element, 2> points(values.extents());
  std::ranges::transform(values, points.begin(), [](float v) { return static_cast<typename Case::element>(v); });
  tensor<float, 2> matrix({150, 150});
  distance_matrix(cpu_context(2), points.view(), typename Case::metric{}, matrix.view());
  const embedding_distances source(points.view(), typename Case::metric{});
  for (const cpu_context& context : cluster_contexts())
    for (const medoid_initialisation initialisation :
         {medoid_initialisation::build, medoid_initialisation::lab, medoid_initialisation::k_means_plus_plus}) {
      const k_medoids_options options{.k = 5, .initialisation = initialisation};
      check_equal(k_medoids(context, matrix.view(), options), k_medoids(context, source, options));
    }
}

/// A table that is given the bound of its embeddings rounds sums where they do, however far the bound lies above the
/// largest distance.
BOOST_AUTO_TEST_CASE(a_table_with_the_bound_has_the_unit_of_its_embeddings) {
  random_stream random(17);
  tensor<float, 2> points = blobs(40, 9, 2, 1, random);
  for (float& value : points) value = 1000 + value;  // near one another and far from the origin
  tensor<float, 2> matrix({40, 40});
  distance_matrix(cpu_context(2), points.view(), euclidean{}, matrix.view());
  const embedding_distances source(points.view(), euclidean{});
  const std::optional<float> bound = distance_bound(std::as_const(points).view(), euclidean{});
  BOOST_TEST_REQUIRE(bound.has_value());
  BOOST_TEST(*bound > 100 * std::ranges::max(matrix));
  const resident_distances table(matrix.view(), bound);
  const cpu::medoid_searcher<embedding_distances<euclidean>> of_points(cpu_context(1), source);
  const cpu::medoid_searcher<resident_distances<>> of_table(cpu_context(1), table);
  const resident_distances bare(matrix.view());
  const cpu::medoid_searcher<resident_distances<>> of_table_alone(cpu_context(1), bare);
  BOOST_TEST(of_table.unit().scale() == of_points.unit().scale());
  BOOST_TEST(of_table.largest_distance() == of_points.largest_distance());
  BOOST_TEST(of_table_alone.unit().scale() > of_points.unit().scale());
  check_equal(k_medoids(cpu_context(2), table, {.k = 5}), k_medoids(cpu_context(2), source, {.k = 5}));

  points(3, 2) = std::numeric_limits<float>::infinity();
  BOOST_TEST(!distance_bound(std::as_const(points).view(), euclidean{}).has_value());
  BOOST_TEST(!distance_bound(std::as_const(points).view(), cosine{}).has_value());
  BOOST_TEST(!distance_bound<euclidean>(1e80).has_value());
}

/// A source of the user's own that gives its rows on demand.
struct squared_differences {
  static constexpr bool kResident = false;
  std::vector<float> values;

  [[nodiscard]] std::size_t size() const { return values.size(); }
  [[nodiscard]] matrix_view<const float> rows(std::size_t first, std::size_t count, matrix_view<float> buffer) const {
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t o = 0; o < size(); ++o)
        buffer(i, o) = (values[first + i] - values[o]) * (values[first + i] - values[o]);
    return buffer.slice(0, count);
  }
};

BOOST_AUTO_TEST_CASE(a_source_on_demand_gives_the_result_of_its_matrix) {
  random_stream random(9);
  squared_differences source;
  for (int i = 0; i < 130; ++i) source.values.push_back(static_cast<float>(random.normal()));
  tensor<float, 2> matrix({130, 130});
  (void)source.rows(0, 130, matrix.view());
  for (const medoid_initialisation initialisation : {medoid_initialisation::build, medoid_initialisation::lab}) {
    const k_medoids_options options{.k = 6, .initialisation = initialisation, .seed = 4};
    check_equal(k_medoids(cpu_context(2), matrix.view(), options), k_medoids(cpu_context(2), source, options));
  }
}

BOOST_AUTO_TEST_CASE(rows_of_a_strided_matrix_are_read_in_place) {
  random_stream random(8);
  const tensor<float, 2> distances = random_distances(40, 1u << 10, random);
  tensor<float, 2> wide({40, 64});
  for (std::size_t i = 0; i < 40; ++i) std::copy_n(distances.view().row(i), 40, wide.view().row(i));
  const matrix_view<const float> strided(wide.data(), {40, 40}, {64, 1});
  check_equal(k_medoids(cpu_context(2), distances.view(), {.k = 4}), k_medoids(cpu_context(2), strided, {.k = 4}));
}

BOOST_AUTO_TEST_SUITE_END()
