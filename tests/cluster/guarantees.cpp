// Stability, centroid indices and weak places, each against a count from scratch.
#include <algorithm>
#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/centroid_indices.hpp>
#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/cluster/outliers.hpp>
#include <imgsim/cluster/stability.hpp>
#include <imgsim/cluster/weak_places.hpp>

#include "cluster/support.hpp"
#include "reference/centroid_indices.hpp"

using namespace imgsim;
using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(guarantees)

BOOST_AUTO_TEST_CASE(clear_groups_come_back_and_chance_does_not) {
  random_stream random(3);
  const tensor<float, 2> clear = euclidean_distances(blobs(300, 8, 4, 10, random).view());
  const tensor<float, 2> none = euclidean_distances(blobs(300, 8, 1, 1, random).view());
  const auto stability = [&](const tensor<float, 2>& distances, std::size_t k, std::size_t threads) {
    return group_stability(cpu_context(threads), resident_distances(distances.view()), {.k = k, .resamples = 4});
  };
  BOOST_TEST(stability(clear, 4, 2).least == 1.0);
  BOOST_TEST(stability(none, 4, 2).mean < 0.6);
  BOOST_TEST(stability(clear, 7, 2).mean < 0.95);
  BOOST_TEST(stability(none, 4, 1).mean == stability(none, 4, 5).mean);
  BOOST_CHECK_THROW((void)stability(clear, 151, 1), invalid_argument);
}

BOOST_AUTO_TEST_CASE(stability_compares_every_two_parts) {
  random_stream points_random(5);
  const tensor<float, 2> distances = euclidean_distances(blobs(120, 4, 1, 1, points_random).view());
  const resident_distances source(distances.view());
  const cpu_context context(2);
  const medoid_searcher_for<cpu_context, resident_distances<>> no_medoids(context, source);
  std::vector<std::vector<std::uint32_t>> labels;
  for (std::size_t turn = 0; turn < 4; ++turn) {
    random_stream random(9, turn);
    const std::vector<std::size_t> rows = detail::sample_free_rows(no_medoids, 60, random);
    tensor<float, 2> part({60, 60});
    for (std::size_t i = 0; i < 60; ++i)
      for (std::size_t o = 0; o < 60; ++o) part(i, o) = distances(rows[i], rows[o]);
    std::vector<std::size_t> medoids = k_medoids(context, part.view(), {.k = 4, .seed = random.next()}).medoids;
    for (std::size_t& row : medoids) row = rows[row];
    labels.push_back(groups_around(context, source, medoids).labels);
  }
  double sum = 0, least = 1;
  for (std::size_t a = 0; a < 4; ++a)
    for (std::size_t b = a + 1; b < 4; ++b) {
      const double agreement = adjusted_rand_index(labels[a], labels[b]);
      sum += agreement;
      least = std::min(least, agreement);
    }
  const stability_result found = group_stability(context, source, {.k = 4, .resamples = 4, .seed = 9});
  BOOST_TEST(found.mean == sum / 6, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(found.least == least, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(least < found.mean);
}

BOOST_AUTO_TEST_CASE(centroid_indices_are_those_of_the_textbook) {
  random_stream random(4);
  for (const std::size_t k : {2, 3, 7}) {
    const tensor<float, 2> points = blobs(80, 9, 3, 2, random);
    std::vector<std::uint32_t> labels;
    for (std::size_t row = 0; row < 80; ++row) labels.push_back(static_cast<std::uint32_t>(random.below(k)));
    for (const cpu_context& context : cluster_contexts()) {
      const centroid_indices found = judge_by_centroids(context, points.view(), labels, k + 1);  // one has no points
      const reference::indices expected = reference::centroid_indices(to_table(points.view()), labels, k);
      // Of 80 * 9 terms, each rounded a few times, and the difference between points and centroids.
      BOOST_TEST(found.calinski_harabasz == expected.calinski_harabasz, boost::test_tools::tolerance(1e-11));
      BOOST_TEST(found.davies_bouldin == expected.davies_bouldin, boost::test_tools::tolerance(1e-11));
    }
  }
  const tensor<float, 2> same({5, 2});
  const std::vector<std::uint32_t> one(5, 0), two{0, 0, 1, 1, 1};
  BOOST_TEST(judge_by_centroids(cpu_context(1), same.view(), one, 1).davies_bouldin == 0);
  BOOST_TEST(std::isinf(judge_by_centroids(cpu_context(1), same.view(), two, 2).davies_bouldin));
}

BOOST_AUTO_TEST_CASE(a_partition_is_judged_as_if_none_came_before) {
  random_stream random(6);
  const tensor<float, 2> points = blobs(90, 1030, 3, 2, random);  // columns for two threads
  std::vector<std::uint32_t> labels(90);
  for (std::uint32_t& label : labels) label = static_cast<std::uint32_t>(random.below(6));
  centroid_judge judge(cpu_context(3), points.view());
  std::size_t summed = 0;
  for (int step = 0; step < 20; ++step) {
    // A few points move, groups merge, come back and trade places.
    if (step % 5 == 3)
      for (std::uint32_t& label : labels) label = label == 5 ? 0 : label + 1;
    else if (step % 5 == 4)
      for (std::uint32_t& label : labels) label = label == 1 ? 2 : label;
    else
      labels[random.below(90)] = static_cast<std::uint32_t>(random.below(6));
    const centroid_indices found = judge(labels, 6 + static_cast<std::size_t>(step % 2));
    const centroid_indices expected = judge_by_centroids(cpu_context(1), points.view(), labels, 6);
    BOOST_TEST(found.calinski_harabasz == expected.calinski_harabasz);
    BOOST_TEST(found.davies_bouldin == expected.davies_bouldin);
    // A new number alone makes no group new; a point that moves makes two.
    const std::size_t most = step == 0 ? 6 : step % 5 == 3 ? 0 : 2;
    BOOST_TEST(judge.summed_groups() <= most, "step " << step << ": " << judge.summed_groups());
    summed += judge.summed_groups();
  }
  BOOST_TEST(summed > 6 + 10u);  // most of the moves
}

BOOST_AUTO_TEST_CASE(a_judge_knows_the_worst_other_group_as_long_as_it_stays) {
  // On a line: the worst other group of 0 is 1, and once that is gone 2, then 1 again.
  tensor<float, 2> points({8, 1});
  const float places[] = {0, 2, 5, 7, 12, 14, 40, 42};
  std::ranges::copy(places, points.data());
  centroid_judge judge(cpu_context(2), points.view());
  for (const std::vector<std::uint32_t>& labels : {std::vector<std::uint32_t>{0, 0, 1, 1, 2, 2, 3, 3},
                                                   {0, 0, 3, 3, 2, 2, 3, 3},
                                                   {0, 0, 1, 1, 2, 2, 3, 3},
                                                   {1, 1, 0, 0, 2, 2, 2, 2},
                                                   {1, 1, 0, 0, 3, 3, 2, 2}}) {
    const centroid_indices expected = judge_by_centroids(cpu_context(1), points.view(), labels, 4);
    BOOST_TEST(judge(labels, 4).davies_bouldin == expected.davies_bouldin);
  }
  // Spreads 1, centroids 1, 6, 13, 41: 2 / 5, 2 / 5, 2 / 7, 2 / 28.
  const std::vector<std::uint32_t> pairs{0, 0, 1, 1, 2, 2, 3, 3};
  BOOST_TEST(judge(pairs, 4).davies_bouldin == (2.0 / 5 + 2.0 / 5 + 2.0 / 7 + 2.0 / 28) / 4,
             boost::test_tools::tolerance(1e-15));
}

BOOST_AUTO_TEST_CASE(choose_k_gives_the_indices_where_it_has_the_points) {
  random_stream random(5);
  const tensor<float, 2> points = blobs(150, 6, 5, 12, random);
  const tensor<float, 2> distances = euclidean_distances(points.view());
  const choose_k_result found =
      choose_k(cpu_context(2), resident_distances(distances.view()), points.view(), {.k_min = 1, .k_max = 12});
  BOOST_TEST(found.curve[0].indices.calinski_harabasz == 0);
  const auto largest = std::ranges::max_element(
      found.curve, {}, [](const k_choice& choice) { return choice.indices.calinski_harabasz; });
  const auto smallest = std::min_element(
      found.curve.begin() + 1, found.curve.end(),
      [](const k_choice& a, const k_choice& b) { return a.indices.davies_bouldin < b.indices.davies_bouldin; });
  BOOST_TEST(largest->k == 5u);
  BOOST_TEST(smallest->k == 5u);
  BOOST_TEST(found.recommended_k == 5u);
  BOOST_TEST(found.best_calinski_harabasz_k == 5u);
  BOOST_TEST(found.best_davies_bouldin_k == 5u);
  for (const char* sign : {"Calinski and Harabasz is best at K = 5", "Davies and Bouldin is best at K = 5"})
    BOOST_TEST(found.reason.find(sign) != std::string::npos, found.reason);
  const choose_k_result without =
      choose_k(cpu_context(2), resident_distances(distances.view()), {.k_min = 1, .k_max = 12});
  BOOST_TEST(without.best_calinski_harabasz_k == 0u);
  BOOST_TEST(without.best_davies_bouldin_k == 0u);
  // Where every point is a group the indices are not defined: K = M is not the best for having 0 there.
  const tensor<float, 2> few = blobs(6, 3, 2, 20, random);
  const tensor<float, 2> few_distances = euclidean_distances(few.view());
  const choose_k_result small =
      choose_k(cpu_context(1), resident_distances(few_distances.view()), few.view(), {.k_min = 2, .k_max = 6});
  BOOST_TEST(small.curve.back().k == 6u);
  BOOST_TEST(small.best_davies_bouldin_k == 2u);
}

BOOST_AUTO_TEST_CASE(outliers_are_the_points_beyond_the_distance_but_no_medoids) {
  std::vector<std::uint32_t> labels{0, 1, 0, 1, 1, 0};
  const std::vector<float> distances{0.5f, 0, 0.25f, 0.75f, 0.5f, 2};
  const std::vector<std::size_t> medoids{5, 1};
  BOOST_TEST(leave_out_outliers(labels, distances, medoids, 0.5) == (std::vector<std::size_t>{3}),
             boost::test_tools::per_element());
  BOOST_TEST(labels == (std::vector<std::uint32_t>{0, 1, 0, kNoGroup, 1, 0}), boost::test_tools::per_element());
  BOOST_TEST(leave_out_outliers(labels, distances, medoids, 0) == (std::vector<std::size_t>{0, 2, 3, 4}),
             boost::test_tools::per_element());
  BOOST_CHECK_THROW(leave_out_outliers(labels, distances, medoids, -1), invalid_argument);
  BOOST_CHECK_THROW(leave_out_outliers(labels, distances, medoids, std::nan("")), invalid_argument);
  BOOST_CHECK_THROW(leave_out_outliers(labels, std::span(distances).first(3), medoids, 1), invalid_argument);
  // They count nowhere.
  tensor<float, 2> apart({2, 2});
  apart(0, 1) = apart(1, 0) = 1;
  const weak_places places = find_weak_places(std::vector<std::uint32_t>{kNoGroup, 0, 1, 0},
                                              std::vector<float>{9, 0, 0, 0.5f}, 2, std::as_const(apart).view());
  BOOST_TEST(places.weakest_member == 3u);
  BOOST_TEST(places.overlap == 0.25);
  BOOST_TEST(find_weak_places(std::vector<std::uint32_t>{kNoGroup, 0}, std::vector<float>{9, 0}, 2,
                              std::as_const(apart).view())
                 .weakest_member == 1u);
}

BOOST_AUTO_TEST_CASE(weak_places_are_found) {
  const std::vector<std::uint32_t> labels{0, 0, 1, 1, 2, 2};
  const std::vector<float> distances{0, 1, 0, 2, 0, 2};
  tensor<float, 2> between({3, 3});
  between(0, 1) = between(1, 0) = 4;
  between(0, 2) = between(2, 0) = 3;
  between(1, 2) = between(2, 1) = 8;
  const weak_places places = find_weak_places(labels, distances, 3, between.view());
  BOOST_TEST(places.weakest_member == 3u);
  BOOST_TEST(places.weakest_distance == 2.0f);
  BOOST_TEST(places.first_group == 0u);
  BOOST_TEST(places.second_group == 2u);
  BOOST_TEST(places.overlap == 0.5);
  const weak_places flat = find_weak_places(std::vector<std::uint32_t>{0, 1}, std::vector<float>{0, 0}, 2,
                                            matrix_view<const float>(between.data() + 1, {2, 2}, {3, 1}));
  BOOST_TEST(flat.second_group == 1u);
  BOOST_CHECK_THROW((void)find_weak_places(std::vector<std::uint32_t>{3}, std::vector<float>{0}, 3, between.view()),
                    invalid_argument);
  BOOST_CHECK_THROW((void)find_weak_places(labels, distances, 4, between.view()), invalid_argument);
  // Without the distances between medoids there is no pair, but a weakest member all the same.
  const weak_places alone = find_weak_places(labels, distances, 3, std::nullopt);
  BOOST_TEST(alone.weakest_member == 3u);
  BOOST_TEST(alone.weakest_distance == 2.0f);
  BOOST_TEST(alone.first_group == alone.second_group);
}

BOOST_AUTO_TEST_SUITE_END()
