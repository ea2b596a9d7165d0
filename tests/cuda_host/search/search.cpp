// CUDA search against the float64 references: the same rows and the same bits as on the CPU.
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>

#include "cuda_host/runtime/faults.hpp"
#include "cuda_host/search/operations.hpp"
#include "reference/top_n_reference.hpp"

using namespace imgsim_test;
using imgsim::matrix_view;
using imgsim::tensor;
using imgsim::top_n_options;

namespace {

/// Barriers of large blocks are slow under ThreadSanitizer, which needs no more than each path once.
constexpr bool kThread = std::string_view(IMGSIM_CUDA_HOST_BUILD) == "thread";
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

using float_matrix = tensor<float, 2>;

float_matrix random_matrix(std::size_t rows, std::size_t columns, std::uint64_t seed) {
  float_matrix matrix({rows, columns});
  imgsim::random_stream random(seed);
  for (float& value : matrix) value = static_cast<float>(random.uniform(-1, 1));
  return matrix;
}

/// A matrix as the elements of a case, and as the floats that these are.
template <class Case>
struct typed_matrix {
  explicit typed_matrix(const float_matrix& from) : values(from.extents()), rounded(from.extents()) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      values.data()[i] = static_cast<typename Case::element>(from.data()[i]);
      rounded.data()[i] = static_cast<float>(values.data()[i]);
    }
  }
  tensor<typename Case::element, 2> values;
  float_matrix rounded;
};

struct path {
  const char* name;
  imgsim::cuda::search_policy policy;
  place_of_rows place;
};

/// Short lists in one tile and in many, with one block a query and with several, and long lists.
const std::vector<path>& paths() {
  static const std::vector<path> all{{"whole", {}, place_of_rows::host},
                                     {"small tiles", {.key_bytes = 1}, place_of_rows::device},
                                     {"several blocks a query", {.rows_per_selector = 7}, place_of_rows::device},
                                     {"sorted", {.most_selected = 0}, place_of_rows::device}};
  return all;
}

bool same_bits(float a, float b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

template <class Case>
void check_top_n(const float_matrix& gallery_values, std::size_t first_query, std::size_t queries,
                 const top_n_options& options, std::size_t only_path = SIZE_MAX) {
  const typed_matrix<Case> gallery(gallery_values);
  const std::size_t depth = gallery_values.extent(1);
  for (std::size_t p = 0; p < paths().size(); ++p) {
    if (only_path != SIZE_MAX && p != only_path % paths().size()) continue;
    BOOST_TEST_CONTEXT(paths()[p].name << " gallery " << shape_text(gallery.values.view()) << " queries " << queries
                                       << " n " << options.n) {
      const auto found = device_top_n<Case>(gallery.values.view(), gallery.values.view().slice(first_query, queries),
                                            options, paths()[p].policy, paths()[p].place);
      BOOST_TEST_REQUIRE(found.queries() == queries);
      for (std::size_t q = 0; q < queries; ++q) {
        const auto expected = top_n_reference(Case::metric::name, gallery.rounded.view(),
                                              {gallery.rounded.view().row(first_query + q), depth}, options.n,
                                              options.exclude_self ? options.first_row + q : SIZE_MAX);
        BOOST_TEST_REQUIRE(found.columns() == expected.size());
        for (std::size_t rank = 0; rank < expected.size(); ++rank) {
          BOOST_TEST_REQUIRE(found.rows(q, rank) == expected[rank].first, "query " << q << " rank " << rank);
          BOOST_TEST_REQUIRE(same_bits(found.similarity(q, rank), expected[rank].second),
                             "query " << q << " rank " << rank << ": " << found.similarity(q, rank) << ", expected "
                                      << expected[rank].second);
        }
      }
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cuda_search)

BOOST_AUTO_TEST_CASE_TEMPLATE(edges_of_tiles, Case, device_cases) {
  std::size_t turn = 0;
  for (const std::size_t rows : {1, 15, 16, 17, 33, 65})
    for (const std::size_t depth : {0, 1, 7, 8, 9, 40}) {
      if (kThread && turn % 5 != 0) {
        ++turn;
        continue;
      }
      const std::size_t wanted[] = {1, 5, rows, rows + 3};
      check_top_n<Case>(random_matrix(rows, depth, turn), 0,
                        std::min<std::size_t>(rows, turn % 9 == 0 ? 18 : 1 + turn % 4), {.n = wanted[turn % 4]}, turn);
      ++turn;
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(nothing_to_find, Case, device_cases) {
  for (const path& each : paths()) {
    const typed_matrix<Case> none(float_matrix({0, 5})), some(random_matrix(3, 5, 1));
    BOOST_TEST(device_top_n<Case>(none.values.view(), some.values.view(), {}, each.policy, each.place).columns() == 0u);
    BOOST_TEST(device_top_n<Case>(some.values.view(), none.values.view(), {}, each.policy, each.place).queries() == 0u);
    BOOST_TEST(
        device_top_n<Case>(some.values.view(), some.values.view(), {.n = 0}, each.policy, each.place).columns() == 0u);
  }
}

/// Ties everywhere, rows of zeros, of one place, and of no number: every one goes to the smaller row, NaN last.
BOOST_AUTO_TEST_CASE_TEMPLATE(hard_rows, Case, device_cases) {
  float_matrix photos = random_matrix(90, 9, 2);
  for (std::size_t row = 0; row < 90; row += 3) std::copy_n(photos.view().row(row % 7), 9, photos.view().row(row));
  for (std::size_t row = 5; row < 90; row += 11) std::fill_n(photos.view().row(row), 9, 0.0f);
  for (std::size_t row = 8; row < 90; row += 17) photos(row, row % 9) = row % 2 == 0 ? kNaN : 1 / 0.0f;
  check_top_n<Case>(photos, 0, kThread ? 2 : 9, {.n = 20});
  if (kThread) return;
  check_top_n<Case>(photos, 10, 5, {.n = 89, .exclude_self = true, .first_row = 10});
  for (float& value : photos) value = kNaN;
  check_top_n<Case>(photos, 0, 3, {.n = 6, .exclude_self = true}, 1);
}

/// More candidates than a block holds, so that it must cut; rows in rising order of similarity are the worst case.
BOOST_AUTO_TEST_CASE(a_full_buffer_is_cut) {
  float_matrix rows({1400, 2});
  for (std::size_t i = 0; i < 1400; ++i) {
    rows(i, 0) = 1;
    rows(i, 1) = 2.0f - static_cast<float>(i) / 700.0f;
  }
  rows(0, 1) = 0;
  check_top_n<device_case<imgsim::cosine, float>>(rows, 0, 1, {.n = 40}, 0);
  check_top_n<device_case<imgsim::cosine, float>>(rows, 0, 1, {.n = 600}, 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(matrices, Case, device_cases) {
  for (const place_of_rows place : {place_of_rows::host, place_of_rows::device}) {
    float_matrix values = random_matrix(35, 21, 3);
    values(4, 4) = kNaN;
    const typed_matrix<Case> points(values);
    const matrix_view<const float> rounded = std::as_const(points.rounded).view();
    float_matrix similarity({35, 20}), distances({35, 35});
    device_similarity<Case>(points.values.view(), points.values.view().slice(3, 20), similarity.view(), place);
    device_distances<Case>(points.values.view(), distances.view(), place);
    for (std::size_t i = 0; i < 35; ++i)
      for (std::size_t j = 0; j < 35; ++j) {
        const double key = canonical_reference_key(Case::metric::name, {rounded.row(i), 21}, {rounded.row(j), 21});
        const bool is_finite = !std::isnan(key);
        const float distance = i == j ? 0.0f : static_cast<float>(Case::metric::distance(key));
        BOOST_TEST_REQUIRE((i != j && !is_finite ? std::isnan(distances(i, j)) : distances(i, j) == distance));
        if (j < 3 || j >= 23) continue;
        const float expected = static_cast<float>(Case::metric::similarity(key));
        BOOST_TEST_REQUIRE((is_finite ? similarity(i, j - 3) == expected : std::isnan(similarity(i, j - 3))));
      }
  }
}

BOOST_AUTO_TEST_CASE(progress_is_told_to_the_total) {
  const float_matrix photos = random_matrix(20, 5, 4);
  std::size_t last = 0;
  const top_n_options options{.n = 2, .on_progress = [&](std::size_t done, std::size_t total) {
                                BOOST_TEST(total == 20u);
                                last = done;
                              }};
  using plain = device_case<imgsim::cosine, float>;
  (void)device_top_n<plain>(photos.view(), photos.view(), options, {}, place_of_rows::host);
  BOOST_TEST(last == 20u);
}

BOOST_AUTO_TEST_CASE(a_search_can_be_captured_in_a_graph) {
  const float_matrix gallery = random_matrix(60, 12, 5), first = random_matrix(4, 12, 6),
                     second = random_matrix(4, 12, 7);
  const auto found = captured_top_n(gallery.view(), first.view(), second.view(), {.n = 5});
  for (std::size_t q = 0; q < 4; ++q) {
    const auto expected = top_n_reference("cosine", gallery.view(), {second.view().row(q), 12}, 5);
    for (std::size_t rank = 0; rank < 5; ++rank) BOOST_TEST(found.rows(q, rank) == expected[rank].first);
  }
}

BOOST_AUTO_TEST_CASE(every_failing_call_is_told_and_leaks_nothing) {
  const float_matrix photos = random_matrix(9, 5, 8);
  using plain = device_case<imgsim::cosine, float>;
  const auto wrong = imgsim::cuda_host::walk_faults(
      [&] {
        for (const place_of_rows place : {place_of_rows::host, place_of_rows::device})
          (void)device_top_n<plain>(photos.view(), photos.view(), {.n = 3}, {}, place);
      },
      [](const std::string& function) {
        return function == "cudaFreeAsync" || function == "cudaFree" || function == "cudaStreamDestroy";
      });
  BOOST_TEST(wrong.empty(), (wrong.empty() ? "" : wrong.front()));
}

BOOST_AUTO_TEST_SUITE_END()
