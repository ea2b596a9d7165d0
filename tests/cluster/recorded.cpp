// Against recorded results of independent implementations, on points that recorded_points.py generates: K-medoids and
// silhouettes of the kmedoids package (record_kmedoids.py); indices, agreement and k-means of scikit-learn
// (record_scikit_learn.py).
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/agreement.hpp>
#include <imgsim/cluster/centroid_indices.hpp>
#include <imgsim/cluster/k_means.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/cluster/silhouette.hpp>

#include "cluster/support.hpp"

using namespace imgsim;
using namespace imgsim_test;

namespace {

/// The points of recorded_points.py.
std::vector<std::vector<std::int64_t>> recorded_points(std::size_t count, std::size_t dimension, std::size_t groups) {
  std::uint64_t state = 12345;
  const auto draw = [&](std::uint64_t bound) {
    state = (state * 1103515245 + 12345) % (std::uint64_t{1} << 31);
    return static_cast<std::int64_t>((state >> 8) % bound);
  };
  std::vector<std::vector<std::int64_t>> centres(groups, std::vector<std::int64_t>(dimension));
  for (auto& centre : centres) {
    for (std::int64_t& value : centre) value = draw(4000);
  }
  std::vector<std::vector<std::int64_t>> points(count, std::vector<std::int64_t>(dimension));
  for (std::size_t row = 0; row < count; ++row) {
    for (std::size_t i = 0; i < dimension; ++i) {
      const std::int64_t first = draw(500);
      points[row][i] = centres[row % groups][i] + first + draw(500);
    }
  }
  return points;
}

tensor<float, 2> l1_distances(const std::vector<std::vector<std::int64_t>>& points) {
  tensor<float, 2> distances({points.size(), points.size()});
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t o = 0; o < points.size(); ++o) {
      std::int64_t sum = 0;
      for (std::size_t d = 0; d < points[i].size(); ++d) sum += std::abs(points[i][d] - points[o][d]);
      distances(i, o) = static_cast<float>(sum);
    }
  }
  return distances;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recorded)

BOOST_AUTO_TEST_CASE(as_cheap_as_the_kmedoids_package_and_the_same_silhouettes) {
  std::ifstream file(IMGSIM_TEST_SOURCE_DIR "/cluster/recorded.txt");
  BOOST_TEST_REQUIRE(file.good());
  std::size_t cases = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    ++cases;
    std::istringstream words(line);
    std::size_t count = 0, dimension = 0, groups = 0, k = 0;
    double loss = 0, expected_medoid_silhouette = 0, expected_silhouette = 0;
    words >> count >> dimension >> groups >> k >> loss >> expected_medoid_silhouette >> expected_silhouette;
    std::vector<std::size_t> medoids(k);
    for (std::size_t& medoid : medoids) words >> medoid;
    BOOST_TEST_REQUIRE(!words.fail());
    const tensor<float, 2> distances = l1_distances(recorded_points(count, dimension, groups));
    BOOST_TEST_CONTEXT(count << " points, K = " << k) {
      const cpu_context context;
      const resident_distances source(distances.view());
      medoid_searcher_for<cpu_context, resident_distances<>> search(context, source);
      search.assign(medoids);
      BOOST_TEST(search.unit().to_double(search.cost()) == loss);  // the same distances, summed exactly
      // kmedoids sums ratios in float32.
      const double tolerance = static_cast<double>(count) * 0x1p-24;
      BOOST_TEST(std::abs(medoid_silhouette(search.nearest(), search.second_nearest()) - expected_medoid_silhouette) <
                 tolerance);
      BOOST_TEST(std::abs(silhouette(context, distances.view(), search.labels(), k) - expected_silhouette) < tolerance);
      for (const auto initialisation : {medoid_initialisation::lab, medoid_initialisation::k_means_plus_plus}) {
        const k_medoids_result result =
            k_medoids(context, distances.view(), {.k = k, .initialisation = initialisation, .restarts = 30});
        // Both are the best of 30 draws: up to K = 25 that is the same optimum, at K = 60 the draws vary by 0.2%.
        BOOST_TEST(result.cost <= (k <= 25 ? loss : 1.002 * loss));
      }
    }
  }
  BOOST_TEST(cases == 9u);
}

BOOST_AUTO_TEST_CASE(the_scores_of_scikit_learn_and_k_means_as_good) {
  std::ifstream file(IMGSIM_TEST_SOURCE_DIR "/cluster/recorded_scores.txt");
  BOOST_TEST_REQUIRE(file.good());
  std::size_t cases = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    ++cases;
    std::istringstream words(line);
    std::size_t count = 0, dimension = 0, groups = 0, k = 0;
    double calinski_harabasz = 0, davies_bouldin = 0, expected_silhouette = 0, agreement = 0, inertia = 0;
    words >> count >> dimension >> groups >> k >> calinski_harabasz >> davies_bouldin >> expected_silhouette >>
        agreement >> inertia;
    BOOST_TEST_REQUIRE(!words.fail());
    const auto whole = recorded_points(count, dimension, groups);
    tensor<float, 2> points({count, dimension});
    std::vector<std::uint32_t> labels, planted;
    for (std::size_t row = 0; row < count; ++row) {
      std::ranges::transform(whole[row], points.view().row(row), [](std::int64_t v) { return static_cast<float>(v); });
      labels.push_back(static_cast<std::uint32_t>(row % k));
      planted.push_back(static_cast<std::uint32_t>(row % groups));
    }
    BOOST_TEST_CONTEXT(count << " points, K = " << k) {
      const cpu_context context;
      const centroid_indices indices = judge_by_centroids(context, points.view(), labels, k);
      // The coordinates are whole, the rest is float64 on both sides.
      const auto close = boost::test_tools::tolerance(1e-9);
      BOOST_TEST(indices.calinski_harabasz == calinski_harabasz, close);
      BOOST_TEST(indices.davies_bouldin == davies_bouldin, close);
      BOOST_TEST(adjusted_rand_index(labels, planted) == agreement, close);
      // Distances are float32 here.
      const tensor<float, 2> distances = euclidean_distances(points.view());
      BOOST_TEST(std::abs(silhouette(context, distances.view(), labels, k) - expected_silhouette) < 1e-6);
      const k_means_result found = k_means(context, points.view(), {.k = k, .restarts = 30, .max_iterations = 1000});
      // Both are the best of 30 draws of local optima, which differ in points between two groups, at K = 60 in groups.
      BOOST_TEST(found.inertia <= (k <= 25 ? 1.001 : 1.02) * inertia);
    }
  }
  BOOST_TEST(cases == 9u);
}

BOOST_AUTO_TEST_SUITE_END()
