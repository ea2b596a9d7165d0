// similarity_matrix and distance_matrix.
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/search/similarity.hpp>

#include "search/search_paths.hpp"

using namespace imgsim_test;
using imgsim::matrix_view;
using backend = imgsim::search_backend<imgsim::cpu_context>;

namespace {

/// Of a float64 sum of D terms, each rounded once or twice, of `scale` in all; then one rounding to float32.
double tolerance(std::size_t depth, double scale, double value) {
  return (static_cast<double>(depth) + 8) * std::numeric_limits<double>::epsilon() * scale +
         std::abs(value) * std::numeric_limits<float>::epsilon();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(similarity)

BOOST_AUTO_TEST_CASE_TEMPLATE(agrees_with_the_textbook, Metric, metrics_under_test) {
  for (const std::size_t depth : {1, 8, 13, 600})
    for (const search_path& path : search_paths()) {
      const float_matrix a = random_matrix(53, depth, depth);
      const float_matrix b = random_matrix(97, depth, depth + 1);
      float_matrix out({53, 97});
      backend::similarity_matrix(path.context, a.view(), b.view(), Metric{}, out.view(), path.policy);
      double worst = 0;
      for (std::size_t i = 0; i < 53; ++i)
        for (std::size_t j = 0; j < 97; ++j) {
          const auto expected = static_cast<double>(
              textbook_similarity(Metric::name, {a.view().row(i), depth}, {b.view().row(j), depth}));
          worst = std::max(worst,
                           std::abs(out(i, j) - expected) / tolerance(depth, 4 * static_cast<double>(depth), expected));
        }
      BOOST_TEST(worst <= 1, path.name << ", depth " << depth << ": " << worst << " times the tolerance");
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(has_the_canonical_bits_on_every_path, Metric, metrics_under_test) {
  const float_matrix a = random_matrix(101, 77, 1);
  float_matrix expected({101, 101});
  for (std::size_t i = 0; i < 101; ++i)
    for (std::size_t j = 0; j < 101; ++j)
      expected(i, j) = static_cast<float>(
          Metric::similarity(canonical_reference_key(Metric::name, {a.view().row(i), 77}, {a.view().row(j), 77})));
  const float_matrix copy = a.clone();
  for (const search_path& path : search_paths())
    for (const matrix_view<const float> other : {a.view(), copy.view()}) {  // one half computed, or both
      float_matrix out({101, 101});
      backend::similarity_matrix(path.context, a.view(), other, Metric{}, out.view(), path.policy);
      BOOST_TEST(same_bits(out.data(), expected.data(), out.size()), path.name);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(edge_shapes_and_strides, Metric, metrics_under_test) {
  const float_matrix wide = random_matrix(120, 50, 2);
  for (const std::size_t q : {0, 1, 4, 5, 47, 48, 49})
    for (const std::size_t m : {0, 1, 6, 7, 23, 24, 25, 120})
      for (const std::size_t depth : {0, 1, 8, 35}) {
        const matrix_view<const float> a(wide.data() + 2, {q, depth}, {50, 1});
        const matrix_view<const float> b(wide.data(), {m, depth}, {50, 1});
        float_matrix out({q, m + 3});
        for (float& value : out) value = 7;
        const matrix_view<float> part(out.data(), {q, m}, {m + 3, 1});
        similarity_matrix(imgsim::cpu_context(2), a, b, Metric{}, part);
        for (std::size_t i = 0; i < q; ++i) {
          for (std::size_t j = 0; j < m; ++j) {
            const auto expected = static_cast<float>(
                Metric::similarity(canonical_reference_key(Metric::name, {a.row(i), depth}, {b.row(j), depth})));
            BOOST_TEST_REQUIRE(out(i, j) == expected);
          }
          for (std::size_t j = m; j < m + 3; ++j) BOOST_TEST_REQUIRE(out(i, j) == 7);
        }
      }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(is_what_top_n_reports, Metric, metrics_under_test) {
  const imgsim::cpu_context context(2);
  const float_matrix photos = random_matrix(300, 64, 3);
  float_matrix matrix({300, 300});
  similarity_matrix(context, photos.view(), photos.view(), Metric{}, matrix.view());
  const imgsim::top_n_result found =
      search_along<Metric>(search_paths().front(), photos.view(), photos.view(), {.n = 20});
  for (std::size_t q = 0; q < 300; ++q)
    for (std::size_t rank = 0; rank < 20; ++rank)
      BOOST_TEST_REQUIRE(found.at(q, rank).similarity == matrix(q, static_cast<std::size_t>(found.at(q, rank).row)));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(distances_are_symmetric_with_a_zero_diagonal, Metric, metrics_under_test) {
  float_matrix points = random_matrix(133, 29, 4);
  std::fill_n(points.view().row(5), 29, 0.0f);
  std::copy_n(points.view().row(7), 29, points.view().row(100));
  points(50, 3) = std::numeric_limits<float>::quiet_NaN();
  for (const search_path& path : search_paths()) {
    float_matrix out({133, 133});
    backend::distance_matrix(path.context, points.view(), Metric{}, out.view(), path.policy);
    BOOST_TEST_CONTEXT(path.name) {
      for (std::size_t i = 0; i < 133; ++i) {
        BOOST_TEST_REQUIRE(out(i, i) == 0);
        for (std::size_t j = 0; j < 133; ++j) {
          if (i == j) continue;
          const double key =
              canonical_reference_key(Metric::name, {points.view().row(i), 29}, {points.view().row(j), 29});
          const auto expected = static_cast<float>(Metric::distance(key));
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
