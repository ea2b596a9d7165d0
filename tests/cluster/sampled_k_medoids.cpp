// K-medoids from samples, and distances held in half a matrix.
#include <algorithm>
#include <numeric>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/condensed_distances.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cluster/sampled_k_medoids.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/embedding/npy.hpp>
#include <imgsim/metric/euclidean.hpp>

#include "cluster/support.hpp"
#include "reference/k_medoids.hpp"
#include "support/temporary_folder.hpp"

using namespace imgsim;
using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(samples)

BOOST_AUTO_TEST_CASE(a_sample_of_all_points_is_the_whole_search) {
  random_stream random(1);
  const tensor<float, 2> points = blobs(90, 5, 4, 3, random);
  const embedding_distances source(points.view(), euclidean{});
  const sampled_k_medoids_result found = sampled_k_medoids(cpu_context(2), source, {.k = 4});
  const k_medoids_result expected = k_medoids(cpu_context(2), source, {.k = 4});
  BOOST_TEST(found.sample_size == 90u);
  BOOST_TEST(found.groups.medoids == expected.medoids, boost::test_tools::per_element());
  BOOST_TEST(found.groups.cost == expected.cost);
  BOOST_TEST(found.groups.swaps == expected.swaps);
  BOOST_TEST(found.groups.passes == expected.passes);
  BOOST_TEST(found.groups.converged);
}

BOOST_AUTO_TEST_CASE(groups_come_close_to_those_of_the_whole_search) {
  random_stream random(2);
  const tensor<float, 2> points = blobs(900, 6, 5, 3, random);
  const embedding_distances source(points.view(), euclidean{});
  const k_medoids_result whole = k_medoids(cpu_context(2), source, {.k = 5, .restarts = 3});
  const sampled_k_medoids_options options{.k = 5, .samples = 3, .sample_size = 120, .candidates = 200};
  const sampled_k_medoids_result found = sampled_k_medoids(cpu_context(2), source, options);
  BOOST_TEST(found.groups.cost <= 1.02 * whole.cost);
  BOOST_TEST(found.groups.swaps > 0u);
  BOOST_TEST(found.groups.cost < found.sampled_cost);
  BOOST_TEST(found.sample_bound <= found.sample_mean);
  BOOST_TEST(found.sample_bound >= 0.9 * found.sample_mean);
  const reference::distance_table table = to_table(euclidean_distances(points.view()).view());
  BOOST_TEST(found.groups.cost == reference::medoid_cost(table, found.groups.medoids),
             boost::test_tools::tolerance(1e-6));
  BOOST_TEST((std::ranges::adjacent_find(found.groups.medoids) == found.groups.medoids.end()));

  for (const cpu_context& context : cluster_contexts()) {
    const sampled_k_medoids_result other = sampled_k_medoids(context, source, options);
    BOOST_TEST(other.groups.medoids == found.groups.medoids, boost::test_tools::per_element());
    BOOST_TEST(other.groups.cost == found.groups.cost);
    BOOST_TEST(other.sample_bound == found.sample_bound);
  }
}

BOOST_AUTO_TEST_CASE(a_table_and_embeddings_give_the_same_groups) {
  random_stream random(3);
  const tensor<float, 2> points = blobs(300, 6, 5, 3, random);
  tensor<float, 2> table({300, 300});
  distance_matrix(cpu_context(2), points.view(), euclidean{}, table.view());
  const sampled_k_medoids_options options{.k = 5, .sample_size = 60, .candidates = 50};
  const auto from_table = sampled_k_medoids(cpu_context(2), resident_distances(table.view()), options);
  const auto from_points = sampled_k_medoids(cpu_context(2), embedding_distances(points.view(), euclidean{}), options);
  BOOST_TEST(from_table.groups.medoids == from_points.groups.medoids, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_cheapest_sample_is_kept_with_its_mean_and_bound) {
  random_stream random(7);
  tensor<float, 2> points({400, 2});
  for (float& value : points) value = static_cast<float>(random.uniform());
  const embedding_distances source(points.view(), euclidean{});
  std::size_t better = 0, no_better = 0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    // One sample more begins with the same samples: the cost falls, or all stays as it was.
    sampled_k_medoids_result before;
    for (std::size_t samples = 1; samples <= 6; ++samples) {
      const sampled_k_medoids_result found = sampled_k_medoids(
          cpu_context(2), source,
          {.k = 6, .samples = samples, .sample_size = 30, .candidates = 0, .bound_iterations = 5, .seed = seed});
      BOOST_TEST(found.groups.cost == found.sampled_cost, boost::test_tools::tolerance(1e-9));
      if (samples > 1) {
        BOOST_TEST(found.sampled_cost <= before.sampled_cost);
        const bool stayed = found.groups.medoids == before.groups.medoids;
        BOOST_TEST(stayed == (found.sampled_cost == before.sampled_cost));
        BOOST_TEST(stayed == (found.sample_mean == before.sample_mean));
        BOOST_TEST(stayed == (found.sample_bound == before.sample_bound));
        ++(stayed ? no_better : better);
      }
      before = found;
    }
  }
  BOOST_TEST(better > 0u);
  BOOST_TEST(no_better > 0u);
}

BOOST_AUTO_TEST_CASE(bad_arguments_are_refused) {
  random_stream random(4);
  const tensor<float, 2> points = blobs(30, 3, 2, 3, random);
  const embedding_distances source(points.view(), euclidean{});
  const cpu_context context(1);
  BOOST_CHECK_THROW((void)sampled_k_medoids(context, source, {.k = 0}), invalid_argument);
  BOOST_CHECK_THROW((void)sampled_k_medoids(context, source, {.k = 31}), invalid_argument);
  BOOST_CHECK_THROW((void)sampled_k_medoids(context, source, {.k = 5, .sample_size = 4}), invalid_argument);
  BOOST_CHECK_THROW((void)sampled_k_medoids(context, source, {.k = 5, .samples = 0}), invalid_argument);
  BOOST_TEST(sampled_k_medoids(context, source, {.k = 30}).groups.cost == 0.0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(condensed)

BOOST_AUTO_TEST_CASE(half_a_matrix_gives_the_groups_of_the_whole) {
  random_stream random(5);
  for (const std::size_t size : {1, 2, 3, 80, 81}) {
    const tensor<float, 2> square = random_distances(size, 1u << 20, random);
    std::vector<float> half;
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t o = i + 1; o < size; ++o) half.push_back(square(i, o));
    const condensed_distances source({half.data(), {half.size()}}, size);
    tensor<float, 2> buffer({size, size});
    const matrix_view<const float> rows = source.rows(0, size, buffer.view());
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t o = 0; o < size; ++o) BOOST_TEST_REQUIRE(rows(i, o) == square(i, o));
    const std::size_t k = std::min<std::size_t>(size, 4);
    BOOST_TEST(k_medoids(cpu_context(2), source, {.k = k}).medoids ==
                   k_medoids(cpu_context(2), square.view(), {.k = k}).medoids,
               boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(half_a_matrix_that_is_mapped_from_a_file) {
  random_stream random(6);
  const tensor<float, 2> square = random_distances(120, 1u << 20, random);
  tensor<float, 1> half({condensed_distances::length(120)});
  std::size_t at = 0;
  for (std::size_t i = 0; i < 120; ++i)
    for (std::size_t o = i + 1; o < 120; ++o) half(at++) = square(i, o);
  const temporary_folder folder;
  write_npy(folder.path() / "half.npy", half.view());
  const mapped_npy<float, 1> file(folder.path() / "half.npy");
  const k_medoids_result found = k_medoids(cpu_context(2), condensed_distances(file.view(), 120), {.k = 5});
  const k_medoids_result expected = k_medoids(cpu_context(2), square.view(), {.k = 5});
  BOOST_TEST(found.medoids == expected.medoids, boost::test_tools::per_element());
  BOOST_TEST(found.cost == expected.cost);
}

BOOST_AUTO_TEST_CASE(a_wrong_length_is_refused) {
  const std::vector<float> five(5);
  BOOST_CHECK_THROW(condensed_distances({five.data(), {5}}, 4), invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
