// What a search of several processes compares before it begins: each number of its options that its answer depends on.
#include <cstddef>
#include <cstdint>
#include <memory>
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

/// The CPU, as one process of several: remembers what would be compared.
struct asking_context : imgsim::cpu_context {
  using requests = std::vector<std::vector<std::uint64_t>>;

  explicit asking_context(imgsim::cpu_context context) : imgsim::cpu_context(std::move(context)) {}

  void expect_same(std::span<const std::uint64_t> asked) const { seen->emplace_back(asked.begin(), asked.end()); }

  std::shared_ptr<requests> seen = std::make_shared<requests>();
};

}  // namespace imgsim_test

template <>
struct imgsim::cluster_backend<imgsim_test::asking_context> : imgsim::cluster_backend<imgsim::cpu_context> {};

using namespace imgsim;
using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(same_requests)

namespace {

/// Each of the searches compares something else.
template <class Options, class Search>
void expect_all_differ(const asking_context& context, const std::vector<Options>& options, Search&& search) {
  std::set<asking_context::requests> seen;
  for (const Options& one : options) {
    context.seen->clear();
    try {
      static_cast<void>(search(one));
    } catch (const invalid_argument&) {  // what is refused by itself is compared before
    }
    seen.insert(*context.seen);
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
      context,
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
  expect_all_differ<silhouette_options>(context, {{.k_min = 1}, {}, {.k_min = 3}, {.k_max = 5}, {.seed = 7}},
                                        [&](const auto& one) { return silhouette_medoids(context, source, one); });
}

BOOST_FIXTURE_TEST_CASE(options_of_a_bound, forty_points) {
  const std::vector<std::size_t> medoids{0, 1};
  expect_all_differ<cost_bound_options>(context, {{}, {.iterations = 5}, {.enough = 0.5}},
                                        [&](const auto& one) { return bound_cost(context, source, medoids, one); });
  expect_all_differ<std::vector<std::size_t>>(context, {{}, {1}, {1, 2}, {1, 3}},
                                              [&](const auto& some) { return bound_cost(context, source, some); });
}

BOOST_FIXTURE_TEST_CASE(options_of_k_medoids, forty_points) {
  expect_all_differ<k_medoids_options>(context,
                                       {{.k = 0},
                                        {},
                                        {.k = 3},
                                        {.initialisation = medoid_initialisation::build},
                                        {.seed = 2},
                                        {.restarts = 4},
                                        {.known_medoids = {1, 2}},
                                        {.known_medoids = {1, 3}},
                                        {.max_passes = 5},
                                        {.max_swaps = 6}},
                                       [&](const auto& one) { return k_medoids(context, source, one); });
}

BOOST_FIXTURE_TEST_CASE(options_of_choose_k, forty_points) {
  expect_all_differ<choose_k_options>(context,
                                      {{.k_min = 0}, {}, {.k_min = 3}, {.k_max = 9}, {.seed = 2}, {.sensitivity = 5}},
                                      [&](const auto& one) { return choose_k(context, source, one); });
}

BOOST_AUTO_TEST_SUITE_END()
