// What a search of several processes compares before it begins: each number of its options that its answer depends on.
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/cluster/cost_bound.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/cluster/sampled_k_medoids.hpp>
#include <imgsim/cluster/silhouette_medoids.hpp>
#include <imgsim/metric/euclidean.hpp>

#include "cluster/support.hpp"

namespace imgsim_test {

/// The CPU, as one process of several: ends each search with what would be compared first.
struct asking_context : imgsim::cpu_context {
  using request = std::vector<std::uint64_t>;

  void expect_same(std::span<const std::uint64_t> asked) const { throw request(asked.begin(), asked.end()); }
};

}  // namespace imgsim_test

template <>
struct imgsim::cluster_backend<imgsim_test::asking_context> : imgsim::cluster_backend<imgsim::cpu_context> {};

using namespace imgsim;
using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(same_requests)

namespace {

/// Each of `searches` asks for something else.
template <class Options, class Search>
void expect_all_differ(const std::vector<Options>& options, Search&& search) {
  std::set<asking_context::request> seen;
  for (const Options& one : options) {
    try {
      static_cast<void>(search(one));
      BOOST_TEST(false, "nothing was compared");
    } catch (const asking_context::request& asked) {
      seen.insert(asked);
    }
  }
  BOOST_TEST(seen.size() == options.size());
}

struct forty_points {
  asking_context context{cpu_context(2)};
  random_stream random{1};
  tensor<float, 2> points = blobs(40, 3, 4, 3, random);
  embedding_distances<euclidean> source{std::as_const(points).view(), euclidean{}};
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(options_of_sampled_k_medoids, forty_points) {
  // The first is refused by itself: the comparison comes before.
  expect_all_differ<sampled_k_medoids_options>(
      {{.k = 0},
       {},
       {.k = 3},
       {.initialisation = medoid_initialisation::build},
       {.samples = 2},
       {.sample_size = 20},
       {.max_swaps = 5},
       {.candidates = 7},
       {.bound_iterations = 9},
       {.seed = 11}},
      [&](const auto& one) { return sampled_k_medoids(context, source, one); });
}

BOOST_FIXTURE_TEST_CASE(options_of_silhouette_medoids, forty_points) {
  expect_all_differ<silhouette_options>({{.k_min = 1}, {}, {.k_min = 3}, {.k_max = 5}, {.seed = 7}},
                                        [&](const auto& one) { return silhouette_medoids(context, source, one); });
}

BOOST_FIXTURE_TEST_CASE(options_of_a_bound, forty_points) {
  const std::vector<std::size_t> medoids{0, 1};
  expect_all_differ<cost_bound_options>({{}, {.iterations = 5}, {.enough = 0.5}},
                                        [&](const auto& one) { return bound_cost(context, source, medoids, one); });
  expect_all_differ<std::vector<std::size_t>>({{}, {1}, {1, 2}},
                                              [&](const auto& some) { return bound_cost(context, source, some); });
}

BOOST_AUTO_TEST_SUITE_END()
