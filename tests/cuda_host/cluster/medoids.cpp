// CUDA K-medoids against the CPU's, to the last bit: the same swaps, medoids, sums and distances; and against the
// scalar references.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/condensed_distances.hpp>
#include <imgsim/cpu/cluster.hpp>

#include "cluster/support.hpp"
#include "cuda_host/cluster/operations.hpp"

using namespace imgsim_test;
using imgsim::cpu_context;
using imgsim::matrix_view;
using imgsim::random_stream;
using imgsim::tensor;
using imgsim::cuda::cluster_policy;

namespace {

/// Under ThreadSanitizer fibers are slow: it sees the same kernels in fewer shapes.
constexpr bool kThread = std::string_view(IMGSIM_CUDA_HOST_BUILD) == "thread";

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr place_of_rows kPlaces[] = {place_of_rows::host, place_of_rows::device};

/// One launch a candidate and many, one row a tile and many, blocks of a warp and of several, sums of all medoids at
/// once and in parts.
const std::vector<cluster_policy>& policies() {
  static const std::vector<cluster_policy> all{
      {.threads = 32},
      {.threads = 64, .candidates = 1, .tile_bytes = 1, .bin_bytes = 1, .copy_bytes = 1},
      {.threads = 32, .candidates = 7, .tile_bytes = 4096, .bin_bytes = 64, .copy_bytes = 128}};
  static const std::vector<cluster_policy> last(all.end() - 1, all.end());
  return kThread ? last : all;
}

template <class Case>
tensor<typename Case::element, 2> converted(const tensor<float, 2>& from) {
  tensor<typename Case::element, 2> values(from.extents());
  std::ranges::transform(from, values.begin(), [](float value) { return static_cast<typename Case::element>(value); });
  return values;
}

template <class Source>
record cpu_walk(const Source& source, const walk_plan& plan) {
  imgsim::cpu::medoid_searcher search(cpu_context(1), source);
  return walk_of(search, plan);
}

template <class Source>
record cpu_silhouettes(const Source& source, const walk_plan& plan) {
  imgsim::cpu::silhouette_searcher search(cpu_context(1), source);
  return silhouette_walk_of(search, plan);
}

void check_same(const record& found, const record& expected) {
  BOOST_TEST_REQUIRE(found.lines.size() == expected.lines.size());
  for (std::size_t i = 0; i < found.lines.size(); ++i)
    BOOST_TEST_REQUIRE(found.lines[i] == expected.lines[i],
                       "line " << i << ": " << found.lines[i] << "\n  expected: " << expected.lines[i]);
}

void check_table(matrix_view<const float> distances, const walk_plan& plan) {
  const record expected = cpu_walk(imgsim::resident_distances(distances), plan);
  for (const cluster_policy& policy : policies())
    for (const place_of_rows place : kPlaces) check_same(device_walk(distances, plan, policy, place), expected);
}

template <class Work>
std::string refusal(Work&& work) {
  try {
    work();
  } catch (const imgsim::invalid_argument& fault) {
    return fault.what();
  }
  return "nothing was refused";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cuda_medoids)

BOOST_AUTO_TEST_CASE(tables_give_the_swaps_of_the_cpu) {
  random_stream random(1);
  std::uint64_t seed = 0;
  for (const std::size_t size : {1, 2, 31, 33, 65})
    for (const std::size_t k : {1, 2, 6}) {
      if (k > size || (kThread && size != 33)) continue;
      const std::uint64_t steps = seed % 2 == 0 ? 3 : 1u << 20;
      check_table(random_distances(size, steps, random).view(), {.seed = ++seed, .k = k});
    }
}

/// Every point a medoid, equal points, distances that are all equal, or all 0, and of both signs.
BOOST_AUTO_TEST_CASE(hard_tables) {
  random_stream random(2);
  check_table(random_distances(9, 64, random).view(), {.seed = 1, .k = 9});
  tensor<float, 2> points = blobs(40, 3, 4, 3.0, random);
  for (std::size_t row = 0; row < 40; row += 2) std::copy_n(points.view().row(row % 6), 3, points.view().row(row));
  check_table(euclidean_distances(std::as_const(points).view()).view(), {.seed = 2, .k = 5});
  tensor<float, 2> equal({20, 20});
  check_table(equal.view(), {.seed = 3, .k = 4});
  std::ranges::fill(equal, 0.75f);
  check_table(equal.view(), {.seed = 4, .k = 2});
  tensor<float, 2> any({37, 37});
  for (float& value : any) value = static_cast<float>(random.uniform(-1, 1)) * 1e-30f;
  check_table(any.view(), {.seed = 5, .k = 4});
  for (float& value : any) value = static_cast<float>(random.uniform(-1, 1)) * 3e38f;
  check_table(any.view(), {.seed = 6, .k = 3});
}

BOOST_AUTO_TEST_CASE(strided_and_condensed_tables) {
  random_stream random(3);
  const tensor<float, 2> whole = random_distances(45, 1u << 16, random);
  const matrix_view<const float> part(whole.data() + 3, {30, 30}, {45, 1});
  check_table(part, {.seed = 7, .k = 4});
  std::vector<float> upper;
  for (std::size_t i = 0; i < 45; ++i)
    for (std::size_t o = i + 1; o < 45; ++o) upper.push_back(whole(i, o));
  const walk_plan plan{.seed = 8, .k = 5};
  const imgsim::view<const float, 1> condensed(upper.data(), {upper.size()});
  check_same(device_walk_of_condensed(condensed, 45, plan, policies().front()),
             cpu_walk(imgsim::condensed_distances(condensed, 45), plan));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(embeddings_give_the_swaps_of_the_cpu, Case, device_cases) {
  random_stream random(4);
  for (const std::size_t size : {1, 18, 47}) {
    if (kThread && size != 18) continue;
    tensor<float, 2> values = blobs(size, 11, 4, 1.0, random);
    if (size > 10) {
      std::copy_n(values.view().row(3), 11, values.view().row(7));
      std::fill_n(values.view().row(9), 11, 0.0f);
    }
    const auto points = converted<Case>(values);
    const walk_plan plan{.seed = size, .k = std::min<std::size_t>(size, 4), .steps = 4, .window = 20};
    const imgsim::embedding_distances source(points.view(), typename Case::metric{});
    const record expected = cpu_walk(source, plan);
    check_same(device_walk<Case>(points.view(), plan, policies()[size % policies().size()], place_of_rows::host),
               expected);
    check_same(
        device_walk<Case>(points.view(), plan, policies()[(size + 1) % policies().size()], place_of_rows::device),
        expected);
  }
}

BOOST_AUTO_TEST_CASE(silhouettes_over_tables_give_the_swaps_of_the_cpu) {
  random_stream random(12);
  std::uint64_t seed = 0;
  for (const std::size_t size : {3, 33, 65})
    for (const std::size_t k : {2, 3, 7}) {
      if (k > size || (kThread && size != 33)) continue;
      const tensor<float, 2> distances = random_distances(size, seed % 2 == 0 ? 3 : 1u << 20, random);
      const walk_plan plan{.seed = ++seed, .k = k};
      const record expected = cpu_silhouettes(imgsim::resident_distances(distances.view()), plan);
      for (const cluster_policy& policy : policies())
        for (const place_of_rows place : kPlaces)
          check_same(device_silhouettes(distances.view(), plan, policy, place), expected);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(silhouettes_over_embeddings_give_the_swaps_of_the_cpu, Case, device_cases) {
  random_stream random(13);
  tensor<float, 2> values = blobs(30, 9, 4, 2.0, random);
  for (std::size_t row = 0; row < 12; row += 2) std::copy_n(values.view().row(2), 9, values.view().row(row));
  const auto points = converted<Case>(values);
  const walk_plan plan{.seed = 1, .k = 4, .window = 20};
  const record expected = cpu_silhouettes(imgsim::embedding_distances(points.view(), typename Case::metric{}), plan);
  for (const place_of_rows place : kPlaces)
    check_same(device_silhouettes<Case>(points.view(), plan, policies().back(), place), expected);
}

/// Rows 1 and 2 are medoids of one group, and row 0 once more in the place of either would be the better for it.
BOOST_AUTO_TEST_CASE(a_medoid_is_no_candidate_for_silhouettes) {
  const std::vector<float> places{100, 0, 0.1f, 0.03f, 0.05f, 0.07f, 0.02f, 0.04f};
  tensor<float, 2> distances({8, 8});
  for (std::size_t i = 0; i < 8; ++i)
    for (std::size_t o = 0; o < 8; ++o) distances(i, o) = std::abs(places[i] - places[o]);
  const walk_plan plan{.k = 3, .start = {0, 1, 2}};
  check_same(device_silhouettes(distances.view(), plan, policies().front(), place_of_rows::host),
             cpu_silhouettes(imgsim::resident_distances(distances.view()), plan));
}

BOOST_AUTO_TEST_CASE(silhouettes_of_negative_distances_are_refused) {
  random_stream random(14);
  tensor<float, 2> distances = random_distances(8, 64, random);
  for (std::size_t i = 0; i < 8; ++i) distances(i, 5) = -0.5f;
  BOOST_TEST(refusal([&] {
               (void)device_silhouettes(std::as_const(distances).view(), {}, policies().front(), place_of_rows::host);
             }) == "silhouettes need distances that are not negative");
}

BOOST_AUTO_TEST_CASE(whole_algorithms_over_tables) {
  random_stream random(5);
  for (const std::uint64_t seed : {1, 2, 3}) {
    if (kThread && seed != 2) continue;
    const tensor<float, 2> distances = random_distances(kThread ? 17 : 33, seed == 1 ? 8 : 1u << 22, random);
    const record expected = algorithms_of(cpu_context(1), imgsim::resident_distances(distances.view()), seed);
    check_same(device_algorithms(distances.view(), seed, seed == 2 ? place_of_rows::device : place_of_rows::host),
               expected);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(whole_algorithms_over_embeddings, Case, device_cases) {
  random_stream random(6);
  const auto points = converted<Case>(blobs(16, 5, 3, 3.0, random));
  const imgsim::embedding_distances source(points.view(), typename Case::metric{});
  check_same(device_algorithms<Case>(points.view(), 1, place_of_rows::device),
             algorithms_of(cpu_context(1), source, 1));
}

/// Distances are multiples of 1 / 4096: float64 adds them exactly, in any order.
BOOST_AUTO_TEST_CASE(swaps_are_those_of_the_scalar_reference) {
  random_stream random(7);
  for (const std::size_t size : {2, 15, 64})
    for (const std::size_t k : {1, 2, 5}) {
      if (k > size || (kThread && size != 15)) continue;
      const tensor<float, 2> distances = random_distances(size, 4096, random);
      const std::vector<std::size_t> start = first_rows(size, k, random);
      std::vector<std::size_t> expected = start;
      const std::size_t swaps = reference::eager_swaps(to_table(distances.view()), expected);
      for (const cluster_policy& policy : policies()) {
        const auto found = device_swaps(distances.view(), start, policy);
        BOOST_TEST(found.first == expected, boost::test_tools::per_element());
        BOOST_TEST(found.second == swaps);
      }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(distances_among_some_points, Case, device_cases) {
  random_stream random(8);
  const auto points = converted<Case>(blobs(30, 7, 3, 1.0, random));
  const imgsim::embedding_distances source(points.view(), typename Case::metric{});
  const std::vector<std::size_t> rows{29, 0, 4, 17, 4};  // twice the same: 0 between them
  const tensor<float, 2> expected = imgsim::cluster_backend<cpu_context>::distances_among(cpu_context(1), source, rows);
  for (const place_of_rows place : kPlaces) {
    const tensor<float, 2> found = device_distances_among<Case>(points.view(), rows, place);
    BOOST_TEST(std::vector(found.begin(), found.end()) == std::vector(expected.begin(), expected.end()),
               boost::test_tools::per_element());
    BOOST_TEST(device_distances_among<Case>(points.view(), {}, place).size() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(distances_among_some_rows_of_a_table) {
  random_stream random(9);
  tensor<float, 2> table({12, 12});
  for (float& value : table) value = static_cast<float>(random.uniform());  // d(i, o) is not d(o, i)
  const std::vector<std::size_t> rows{11, 2, 5};
  for (const place_of_rows place : kPlaces) {
    const tensor<float, 2> found = device_distances_among(std::as_const(table).view(), rows, place);
    for (std::size_t r = 0; r < 3; ++r)
      for (std::size_t c = 0; c < 3; ++c) BOOST_TEST(found(r, c) == table(rows[r], rows[c]));
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_finite_is_refused_by_row_and_column) {
  random_stream random(10);
  tensor<float, 2> table = random_distances(20, 64, random);
  table(17, 2) = -std::numeric_limits<float>::infinity();
  table(13, 5) = kNaN;
  table(13, 19) = kNaN;
  for (const place_of_rows place : kPlaces)
    BOOST_TEST(refusal([&] { (void)device_walk(std::as_const(table).view(), {}, policies().front(), place); }) ==
               "the distance in row 13, column 5 is nan; K-medoids needs finite distances");
  tensor<float, 2> points({20, 6});
  points(6, 4) = std::numeric_limits<float>::infinity();
  points(8, 0) = kNaN;
  using plain = device_case<imgsim::cosine, float>;
  for (const place_of_rows place : kPlaces)
    BOOST_TEST(refusal([&] {
                 (void)device_walk<plain>(std::as_const(points).view(), {}, policies().front(), place);
               }) == "the embedding in row 6 has inf in column 4");
  // Finite points whose distance is not: the metric knows no bound, so all distances are read.
  std::ranges::fill(points, 0.0f);
  points(18, 1) = 3e38f;
  points(19, 1) = -3e38f;
  using unbounded = device_case<device_manhattan, float>;
  BOOST_TEST(refusal([&] {
               (void)device_walk<unbounded>(std::as_const(points).view(), {}, policies().back(), place_of_rows::host);
             }) == "the distance in row 18, column 19 is inf; K-medoids needs finite distances");
}

BOOST_AUTO_TEST_CASE(no_points) {
  const tensor<float, 2> nothing({0, 0});
  for (const place_of_rows place : kPlaces) {
    BOOST_TEST(refusal([&] { (void)device_algorithms(nothing.view(), 0, place); }) ==
               "cannot make 3 groups of 0 points");
  }
}

BOOST_AUTO_TEST_SUITE_END()
