#include <imgsim/mpi/cluster.hpp>

#include <mpi.h>

#include <cstddef>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/cluster/covering_medoids.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/cpu/cluster.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/metric/euclidean.hpp>

#include "mpi/support.hpp"

BOOST_AUTO_TEST_SUITE(mpi_clustering)

namespace {

void check_equal(const imgsim::k_medoids_result& found, const imgsim::k_medoids_result& expected) {
  BOOST_TEST(found.medoids == expected.medoids, boost::test_tools::per_element());
  BOOST_TEST(found.labels == expected.labels, boost::test_tools::per_element());
  BOOST_TEST((found.distances == expected.distances));
  BOOST_TEST((found.cost == expected.cost));
  BOOST_TEST(found.swaps == expected.swaps);
  BOOST_TEST(found.passes == expected.passes);
  BOOST_TEST(found.converged == expected.converged);
}

/// A metric that tells no bound of its distances: the unit of sums follows from the largest of them.
struct unbounded {
  static constexpr std::string_view name = "unbounded";
  template <class T>
  static constexpr void accumulate(T& sum, const T& a, const T& b) noexcept {
    imgsim::euclidean::accumulate(sum, a, b);
  }
  static double finish(double sum, double, double) noexcept { return 0 - sum; }
  static double similarity(double key) noexcept { return key; }
  static double distance(double key) noexcept { return imgsim::euclidean::distance(key); }
};

}  // namespace

BOOST_AUTO_TEST_CASE(ranks_take_the_swaps_that_one_takes) {
  const imgsim::mpi_context context(MPI_COMM_WORLD, imgsim::cpu_context(2));
  const imgsim::tensor<float, 2> all = hard_rows(150, 6, /*damaged=*/false);
  const part_of mine(context, all);
  const imgsim::mpi::sharded_rows rows(context, mine.rows());
  const auto check = [&](auto metric, const imgsim::k_medoids_options& options) {
    const auto expected = imgsim::k_medoids(context.local(), imgsim::embedding_distances(all.view(), metric), options);
    check_equal(imgsim::k_medoids(context, imgsim::mpi::sharded_distances(rows, metric), options), expected);
  };
  using enum imgsim::medoid_initialisation;
  for (const auto initialisation : {build, lab, k_means_plus_plus, random})
    check(imgsim::cosine{}, {.k = 7, .initialisation = initialisation, .seed = 3, .restarts = 2});
  check(imgsim::euclidean{}, {.k = 40, .seed = 5});
  check(imgsim::euclidean{}, {.k = 1, .seed = 5});
  check(unbounded{}, {.k = 5, .seed = 5});
  check(imgsim::euclidean{}, {.k = 150, .seed = 5});
}

BOOST_AUTO_TEST_CASE(ranks_find_the_cover_that_one_finds) {
  const imgsim::mpi_context context(MPI_COMM_WORLD);
  const imgsim::tensor<float, 2> all = hard_rows(90, 4, /*damaged=*/false);
  const part_of mine(context, all);
  const imgsim::mpi::sharded_rows rows(context, mine.rows());
  std::size_t swaps = 0;
  for (const double most : {0.1, 0.5, 1.0, 4.0}) {
    const imgsim::covering_options options{.max_distance = most};
    const auto expected = imgsim::covering_medoids(
        context.local(), imgsim::embedding_distances(all.view(), imgsim::euclidean{}), options);
    const auto found =
        imgsim::covering_medoids(context, imgsim::mpi::sharded_distances(rows, imgsim::euclidean{}), options);
    BOOST_TEST(found.least_k == expected.least_k);
    BOOST_TEST(found.groups.medoids == expected.groups.medoids, boost::test_tools::per_element());
    BOOST_TEST((found.groups.cost == expected.groups.cost));
    swaps += found.groups.swaps;
  }
  BOOST_TEST(swaps > 0u);
}

BOOST_AUTO_TEST_CASE(ranks_choose_the_k_that_one_chooses) {
  const imgsim::mpi_context context(MPI_COMM_WORLD);
  const imgsim::tensor<float, 2> all = hard_rows(90, 4, /*damaged=*/false);
  const part_of mine(context, all);
  const imgsim::mpi::sharded_rows rows(context, mine.rows());
  const imgsim::choose_k_options options{.k_min = 1, .k_max = 12, .seed = 9};
  const auto expected =
      imgsim::choose_k(context.local(), imgsim::embedding_distances(all.view(), imgsim::euclidean{}), options);
  const auto found = imgsim::choose_k(context, imgsim::mpi::sharded_distances(rows, imgsim::euclidean{}), options);
  BOOST_TEST(found.curve.size() == expected.curve.size());
  for (std::size_t i = 0; i < found.curve.size(); ++i) {
    BOOST_TEST((found.curve[i].cost == expected.curve[i].cost));
    BOOST_TEST((found.curve[i].medoid_silhouette == expected.curve[i].medoid_silhouette));
    BOOST_TEST(found.curve[i].medoids == expected.curve[i].medoids, boost::test_tools::per_element());
  }
  BOOST_TEST(found.verdict == expected.verdict);
  BOOST_TEST(found.recommended_k == expected.recommended_k);
}

BOOST_AUTO_TEST_SUITE_END()
