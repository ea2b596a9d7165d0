// similarity_matrix and distance_matrix.
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cpu/search.hpp>

#include "search/search_paths.hpp"

using namespace imgsim_test;
using imgsim::matrix_view;

namespace {

/// Of a float64 sum of D terms, each rounded once or twice, of `scale` in all; then one rounding to float32.
double tolerance(std::size_t depth, double scale, double value) {
  return (static_cast<double>(depth) + 8) * std::numeric_limits<double>::epsilon() * scale +
         std::abs(value) * std::numeric_limits<float>::epsilon();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(similarity)

BOOST_AUTO_TEST_CASE_TEMPLATE(agrees_with_the_textbook, Case, value_cases) {
  for (const std::size_t depth : {1, 8, 13, 600}) {
    const float_matrix a = random_matrix(53, depth, depth);
    const float_matrix b = random_matrix(97, depth, depth + 1);
    const typed_rows<typename Case::element> left(a.view()), right(b.view());
    const auto left_values = left.rounded(a.view()), right_values = right.rounded(b.view());
    for (const search_path& path : search_paths()) {
      float_matrix out({53, 97});
      similarity_along<Case>(path, left.typed(a.view()), right.typed(b.view()), out.view());
      double worst = 0;
      for (std::size_t i = 0; i < 53; ++i)
        for (std::size_t j = 0; j < 97; ++j) {
          const auto expected = static_cast<double>(
              textbook_similarity(Case::metric::name, {left_values.row(i), depth}, {right_values.row(j), depth}));
          worst = std::max(worst,
                           std::abs(out(i, j) - expected) / tolerance(depth, 4 * static_cast<double>(depth), expected));
        }
      BOOST_TEST(worst <= 1, path.name << ", depth " << depth << ": " << worst << " times the tolerance");
    }
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(has_the_canonical_bits_on_every_path, Case, cases_under_test) {
  const float_matrix a = random_matrix(101, 77, 1);
  const typed_rows<typename Case::element> rows(a.view()), copy(a.view());
  const auto values = rows.rounded(a.view());
  float_matrix expected({101, 101});
  for (std::size_t i = 0; i < 101; ++i)
    for (std::size_t j = 0; j < 101; ++j)
      expected(i, j) = static_cast<float>(Case::metric::similarity(
          canonical_reference_key(Case::metric::name, {values.row(i), 77}, {values.row(j), 77})));
  for (const search_path& path : search_paths())
    for (const auto other : {rows.typed(a.view()), copy.typed(a.view())}) {  // one half computed, or both
      float_matrix out({101, 101});
      similarity_along<Case>(path, rows.typed(a.view()), other, out.view());
      BOOST_TEST(same_bits(out.data(), expected.data(), out.size()), path.name);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(edge_shapes_and_strides, Case, cases_under_test) {
  const float_matrix wide = random_matrix(120, 50, 2);
  const typed_rows<typename Case::element> rows(wide.view());
  for (const std::size_t q : {0, 1, 4, 5, 47, 48, 49})
    for (const std::size_t m : {0, 1, 6, 7, 23, 24, 25, 120})
      for (const std::size_t depth : {0, 1, 8, 35}) {
        const matrix_view<const float> a(wide.data() + 2, {q, depth}, {50, 1});
        const matrix_view<const float> b(wide.data(), {m, depth}, {50, 1});
        float_matrix out({q, m + 3});
        for (float& value : out) value = 7;
        const matrix_view<float> part(out.data(), {q, m}, {m + 3, 1});
        similarity_along<Case>(search_paths()[(q + m + depth) % search_paths().size()], rows.typed(a), rows.typed(b),
                               part);
        for (std::size_t i = 0; i < q; ++i) {
          for (std::size_t j = 0; j < m; ++j) {
            const auto expected = static_cast<float>(Case::metric::similarity(canonical_reference_key(
                Case::metric::name, {rows.rounded(a).row(i), depth}, {rows.rounded(b).row(j), depth})));
            BOOST_TEST_REQUIRE(out(i, j) == expected);
          }
          for (std::size_t j = m; j < m + 3; ++j) BOOST_TEST_REQUIRE(out(i, j) == 7);
        }
      }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(is_what_top_n_reports, Case, value_cases) {
  const float_matrix photos = random_matrix(300, 64, 3);
  const typed_rows<typename Case::element> rows(photos.view());
  float_matrix matrix({300, 300});
  similarity_along<Case>(search_paths().front(), rows.typed(photos.view()), rows.typed(photos.view()), matrix.view());
  const imgsim::top_n_result found =
      search_along<Case>(search_paths().front(), rows.typed(photos.view()), rows.typed(photos.view()), {.n = 20});
  for (std::size_t q = 0; q < 300; ++q)
    for (std::size_t rank = 0; rank < 20; ++rank)
      BOOST_TEST_REQUIRE(found.at(q, rank).similarity == matrix(q, static_cast<std::size_t>(found.at(q, rank).row)));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(distances_are_symmetric_with_a_zero_diagonal, Case, value_cases) {
  float_matrix points = random_matrix(133, 29, 4);
  std::fill_n(points.view().row(5), 29, 0.0f);
  std::copy_n(points.view().row(7), 29, points.view().row(100));
  points(50, 3) = std::numeric_limits<float>::quiet_NaN();
  const typed_rows<typename Case::element> rows(points.view());
  const auto values = rows.rounded(points.view());
  for (const search_path& path : search_paths()) {
    float_matrix out({133, 133});
    distances_along<Case>(path, rows.typed(points.view()), out.view());
    BOOST_TEST_CONTEXT(path.name) {
      for (std::size_t i = 0; i < 133; ++i) {
        BOOST_TEST_REQUIRE(out(i, i) == 0);
        for (std::size_t j = 0; j < 133; ++j) {
          if (i == j) continue;
          const double key = canonical_reference_key(Case::metric::name, {values.row(i), 29}, {values.row(j), 29});
          const auto expected = static_cast<float>(Case::metric::distance(key));
          if (i == 50 || j == 50)
            BOOST_TEST_REQUIRE(std::isnan(out(i, j)));
          else
            BOOST_TEST_REQUIRE(out(i, j) == expected);
        }
      }
      BOOST_TEST(out(7, 100) == 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(bad_shapes_are_refused) {
  const imgsim::cpu_context context(1);
  const float_matrix a = random_matrix(3, 4, 1);
  const float_matrix b = random_matrix(2, 5, 1);
  float_matrix out({3, 2});
  BOOST_CHECK_THROW(similarity_matrix(context, a.view(), b.view(), imgsim::cosine{}, out.view()),
                    imgsim::invalid_argument);
  BOOST_CHECK_THROW(similarity_matrix(context, a.view(), a.view(), imgsim::cosine{}, out.view()),
                    imgsim::invalid_argument);
  BOOST_CHECK_THROW(distance_matrix(context, a.view(), imgsim::cosine{}, out.view()), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
