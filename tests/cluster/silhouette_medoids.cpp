// Medoids for the silhouette, against exhaustive search and a count from scratch.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cluster/silhouette.hpp>
#include <imgsim/cluster/silhouette_medoids.hpp>
#include <imgsim/metric/euclidean.hpp>

#include "cluster/support.hpp"

using namespace imgsim;
using namespace imgsim_test;

namespace {

double silhouette_of(const tensor<float, 2>& distances, const std::vector<std::size_t>& medoids) {
  double sum = 0;
  for (std::size_t o = 0; o < distances.extent(0); ++o) {
    std::vector<double> to_medoids;
    for (const std::size_t medoid : medoids) to_medoids.push_back(static_cast<double>(distances(medoid, o)));
    std::ranges::sort(to_medoids);
    if (to_medoids[1] > 0) sum += 1 - to_medoids[0] / to_medoids[1];
  }
  return sum / static_cast<double>(distances.extent(0));
}

/// Counts the state of a search from scratch: the loss, and what it changes by where each medoid goes.
template <class Search>
void check_state(const Search& search, const tensor<float, 2>& distances) {
  std::int64_t loss = 0;
  std::vector<std::int64_t> changes(search.medoids().size(), 0);
  for (std::size_t o = 0; o < distances.extent(0); ++o) {
    std::vector<std::pair<float, std::size_t>> order;
    for (const std::size_t medoid : search.medoids()) order.emplace_back(distances(medoid, o), order.size());
    std::ranges::sort(order);
    const float third = order.size() > 2 ? order[2].first : std::numeric_limits<float>::infinity();
    const std::int64_t own = silhouette_loss(order[0].first, order[1].first);
    loss += own;
    changes[order[0].second] += silhouette_loss(order[1].first, third) - own;
    changes[order[1].second] += silhouette_loss(order[0].first, third) - own;
  }
  BOOST_TEST_REQUIRE(search.loss() == loss);
  BOOST_TEST_REQUIRE(std::vector(search.removal_changes().begin(), search.removal_changes().end()) == changes,
                     boost::test_tools::per_element());
}

template <class Source>
void walk(const Source& source, const tensor<float, 2>& distances, random_stream& random) {
  const std::size_t size = source.size();
  cpu::silhouette_searcher search(cpu_context(2), source);
  for (int round = 0; round < 8; ++round) {
    search.assign(first_rows(size, 9, random));
    while (search.medoids().size() > 2) {
      for (int step = 0; step < 6; ++step) {
        const std::size_t candidate = random.below(size);
        if (std::ranges::find(search.medoids(), candidate) != search.medoids().end()) continue;
        search.swap({.position = random.below(search.medoids().size()), .candidate = candidate});
        check_state(search, distances);
      }
      search.remove(random.below(search.medoids().size()));
      check_state(search, distances);
    }
    // Of two, both go.
    for (const std::size_t position : {0u, 1u}) {
      std::size_t candidate = 0;
      while (std::ranges::find(search.medoids(), candidate) != search.medoids().end()) ++candidate;
      search.swap({.position = position, .candidate = candidate});
      check_state(search, distances);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(silhouette_search_)

BOOST_AUTO_TEST_CASE(state_is_that_of_a_count_from_scratch_after_any_walk) {
  random_stream random(3);
  for (const std::uint64_t steps : {2u, 5u, 1u << 14}) {  // many ties, some, hardly any
    const tensor<float, 2> distances = random_distances(67, steps, random);
    walk(resident_distances(distances.view()), distances, random);
  }
  const tensor<float, 2> points = blobs(61, 4, 5, 3, random);
  walk(embedding_distances(points.view(), euclidean{}), euclidean_distances(points.view()), random);
}

BOOST_AUTO_TEST_CASE(no_exchange_raises_the_silhouette) {
  random_stream random(1);
  for (const std::uint64_t steps : {5u, 1u << 20})
    for (const std::size_t size : {5, 40, 70}) {
      const tensor<float, 2> distances = random_distances(size, steps, random);
      const auto curve = silhouette_medoids(cpu_context(2), resident_distances(distances.view()),
                                            {.k_min = 2, .k_max = std::min<std::size_t>(6, size - 1)});
      for (const silhouette_choice& choice : curve) {
        // Parts are rounded to 2^-40.
        BOOST_TEST(std::abs(choice.medoid_silhouette - silhouette_of(distances, choice.medoids)) < 0x1p-38);
        for (std::size_t position = 0; position < choice.k; ++position)
          for (std::size_t row = 0; row < size; ++row) {
            if (std::ranges::find(choice.medoids, row) != choice.medoids.end()) continue;
            std::vector<std::size_t> other = choice.medoids;
            other[position] = row;
            BOOST_TEST_REQUIRE(silhouette_of(distances, other) <= choice.medoid_silhouette + 0x1p-38);
          }
      }
    }
}

BOOST_AUTO_TEST_CASE(the_largest_is_at_the_number_of_groups) {
  random_stream random(2);
  const tensor<float, 2> points = blobs(240, 6, 6, 15, random);
  const embedding_distances source(points.view(), euclidean{});
  const auto curve = silhouette_medoids(cpu_context(2), source, {.k_min = 2, .k_max = 15});
  BOOST_TEST(curve.size() == 14u);
  BOOST_TEST(std::ranges::max_element(curve, {}, &silhouette_choice::medoid_silhouette)->k == 6u);
  for (const cpu_context& context : cluster_contexts()) {
    const auto other = silhouette_medoids(context, source, {.k_min = 2, .k_max = 15});
    for (std::size_t i = 0; i < curve.size(); ++i)
      BOOST_TEST(other[i].medoids == curve[i].medoids, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(identical_points_and_bad_ranges) {
  const tensor<float, 2> zeros({8, 8});
  const resident_distances source(zeros.view());
  const auto curve = silhouette_medoids(cpu_context(1), source, {.k_min = 2, .k_max = 100});
  BOOST_TEST(curve.back().k == 7u);
  BOOST_TEST(curve.front().medoid_silhouette == 0);
  BOOST_CHECK_THROW((void)silhouette_medoids(cpu_context(1), source, {.k_min = 1}), invalid_argument);
  BOOST_CHECK_THROW((void)silhouette_medoids(cpu_context(1), source, {.k_min = 8, .k_max = 9}), invalid_argument);
  BOOST_CHECK_THROW((void)silhouette_medoids(cpu_context(1), source, {.k_min = 5, .k_max = 4}), invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
