// Rows of bytes: their error bound, their products, and when they are worth having.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cpu/search.hpp>

#include "search/search_paths.hpp"

using namespace imgsim_test;
using imgsim::cpu_context;
using imgsim::matrix_view;
using imgsim::cpu::byte_rows;
using imgsim::cpu::search_policy;

namespace {

/// In long double, by the textbook; 0 for a zero row.
double cosine_of(matrix_view<const float> a, std::size_t i, matrix_view<const float> b, std::size_t j) {
  long double product = 0;
  long double square_a = 0;
  long double square_b = 0;
  for (std::size_t d = 0; d < a.extent(1); ++d) {
    const long double x = a(i, d);
    const long double y = b(j, d);
    product += x * y;
    square_a += x * x;
    square_b += y * y;
  }
  return square_a == 0 || square_b == 0 ? 0 : static_cast<double>(product / std::sqrt(square_a * square_b));
}

struct estimated {
  std::vector<float> cosines;  // [Q, kTileRows]
  byte_rows queries;
  byte_rows gallery;

  [[nodiscard]] double error(std::size_t q, std::size_t g) const {
    return byte_rows::product_error(0) + queries.errors[q] * gallery.sizes[g] + queries.sizes[q] * gallery.errors[g];
  }
};

/// At most one tile of each.
estimated estimate(matrix_view<const float> queries, matrix_view<const float> gallery, const search_policy& policy) {
  const cpu_context context(1);
  const auto frame = byte_rows::make_frame(gallery);
  estimated result{.cosines = std::vector<float>(queries.extent(0) * imgsim::cpu::kTileRows),
                   .queries = byte_rows::pack_queries(context, queries, frame, policy.level),
                   .gallery = byte_rows::pack(context, gallery, frame, policy.level)};
  byte_rows::multiply(result.queries, 0, queries.extent(0), result.gallery, 0, result.gallery.panel_count(), policy,
                      result.cosines.data());
  return result;
}

std::vector<search_policy> policies() {
  std::vector<search_policy> all;
  for (const auto level : imgsim::cpu::kSimdLevels)
    if (imgsim::cpu::is_supported(level)) all.push_back({.level = level, .vnni = false});
  if (imgsim::cpu::has_vnni()) all.push_back({});
  return all;
}

/// The largest error as a share of its bound.
double check_bound(matrix_view<const float> queries, matrix_view<const float> gallery) {
  double largest = 0;
  for (const search_policy& policy : policies()) {
    const estimated found = estimate(queries, gallery, policy);
    for (std::size_t q = 0; q < queries.extent(0); ++q)
      for (std::size_t g = 0; g < gallery.extent(0); ++g) {
        const auto estimate = static_cast<double>(found.cosines[q * imgsim::cpu::kTileRows + g]);
        largest = std::max(largest, std::abs(estimate - cosine_of(queries, q, gallery, g)) / found.error(q, g));
      }
  }
  BOOST_TEST(largest <= 1.0);
  return largest;
}

/// Rows near one direction, at the given distance.
float_matrix cloud(std::size_t rows, std::size_t depth, float spread) {
  float_matrix points = random_matrix(rows, depth, 5);
  const float_matrix centre = random_matrix(1, depth, 6);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t d = 0; d < depth; ++d) points(r, d) = centre(0, d) + spread * points(r, d);
  return points;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bytes)

BOOST_AUTO_TEST_CASE(estimates_are_within_their_bound) {
  for (const std::size_t depth : {1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 511, 512, 513, 4100}) {
    const float_matrix gallery = random_matrix(depth > 1000 ? 50 : 192, depth, depth);
    const float_matrix queries = random_matrix(13, depth, depth + 1);
    check_bound(queries.view(), gallery.view());
    check_bound(gallery.view().slice(1, 17), gallery.view());
  }
  for (const float spread : {1.0f, 0.1f, 1e-3f, 1e-6f}) {
    const float_matrix points = cloud(100, 300, spread);
    check_bound(points.view().slice(0, 50), points.view());
  }
}

/// Each query lies along what rounding took from a row: the bound, which for random rows is far larger than the error,
/// is nearly reached. A bound that lacks a term fails here.
BOOST_AUTO_TEST_CASE(the_bound_is_nearly_reached) {
  constexpr std::size_t kDepth = 256;
  float_matrix gallery({48, kDepth});
  // Rows that come in opposite pairs have the mean 0; one element of 127 steps, the others half-way between two.
  for (std::size_t r = 0; r < 48; ++r)
    for (std::size_t d = 0; d < kDepth; ++d) {
      const float half = 2 + static_cast<float>((r / 2 * 31 + d * 17) % 3) + 0.498f;
      gallery(r, d) = (r % 2 == 0 ? 1.0f : -1.0f) * (d == r / 2 ? 127.0f : half);
    }
  float_matrix queries({48, kDepth});
  for (std::size_t r = 0; r < 48; ++r)
    for (std::size_t d = 0; d < kDepth; ++d)
      queries(r, d) = d == r / 2 ? 0.0f : gallery(r, d) - std::round(gallery(r, d));
  BOOST_TEST(check_bound(queries.view(), gallery.view()) > 0.8);
  BOOST_TEST(check_bound(gallery.view(), queries.view()) > 0.8);
}

BOOST_AUTO_TEST_CASE(zero_huge_and_tiny_rows) {
  float_matrix rows = random_matrix(60, 37, 3);
  const float factors[] = {1, 0, 1e30f, 1e-30f, 3e38f, 1e-42f, 1e-45f};
  for (std::size_t r = 0; r < 60; ++r)
    for (std::size_t d = 0; d < 37; ++d) rows(r, d) *= factors[r % std::size(factors)];
  check_bound(rows.view(), rows.view());
}

BOOST_AUTO_TEST_CASE(rows_that_are_not_finite_have_no_estimate) {
  float_matrix rows = random_matrix(50, 20, 4);
  rows(7, 3) = std::numeric_limits<float>::quiet_NaN();
  rows(30, 19) = -std::numeric_limits<float>::infinity();
  for (const search_policy& policy : policies()) {
    const estimated found = estimate(rows.view(), rows.view(), policy);
    for (std::size_t q = 0; q < 50; ++q)
      for (std::size_t g = 0; g < imgsim::cpu::kPanelRows * found.gallery.panel_count(); ++g) {
        const bool finite = q != 7 && q != 30 && g != 7 && g != 30 && g < 50;
        BOOST_TEST(std::isfinite(found.cosines[q * imgsim::cpu::kTileRows + g]) == finite);
      }
  }
}

BOOST_AUTO_TEST_CASE(every_product_gives_the_same_bits) {
  for (const std::size_t depth : {1, 64, 700, 65536}) {
    float_matrix rows = random_matrix(depth > 1000 ? 9 : 192, depth, depth);
    for (std::size_t d = 0; d < depth; ++d) rows(3, d) = rows(4, d) = -1;  // the largest sums there are
    const std::vector<search_policy> all = policies();
    const estimated first = estimate(rows.view(), rows.view(), all.front());
    for (const search_policy& policy : all) {
      // One packing, every product: packing adds up in an order that depends on the instruction set.
      std::vector<float> cosines(first.cosines.size());
      byte_rows::multiply(first.queries, 0, rows.extent(0), first.gallery, 0, first.gallery.panel_count(), policy,
                          cosines.data());
      for (std::size_t q = 0; q < rows.extent(0); ++q)
        for (std::size_t g = 0; g < rows.extent(0); ++g)
          BOOST_TEST(std::abs(cosines[q * imgsim::cpu::kTileRows + g] -
                              first.cosines[q * imgsim::cpu::kTileRows + g]) <= 1e-6f);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_gallery_keeps_bytes_where_they_rule_rows_out) {
  const cpu_context context(2);
  const float_matrix spread = random_matrix(600, 24, 1);
  const imgsim::cpu::gallery<float> kept(context, spread.view());
  BOOST_TEST((kept.packed<byte_rows>() != nullptr));
  BOOST_TEST((kept.packed<imgsim::cpu::packed_rows>() == nullptr) == search_policy{}.uses_vnni());
  float_matrix equal({600, 24});
  std::ranges::fill(equal, 0.25f);
  const imgsim::cpu::gallery<float> dropped(context, equal.view());
  BOOST_TEST((dropped.packed<byte_rows>() == nullptr));
  BOOST_TEST((dropped.packed<imgsim::cpu::packed_rows>() != nullptr));
  const imgsim::cpu::gallery<float> forbidden(context, spread.view(), {.bytes = imgsim::cpu::byte_use::never});
  BOOST_TEST((forbidden.packed<byte_rows>() == nullptr));
}

BOOST_AUTO_TEST_CASE(undecided_rows_are_foretold) {
  const cpu_context context(1);
  const search_policy policy;
  const auto undecided = [&](const float_matrix& rows, std::size_t wanted) {
    return imgsim::cpu::undecided_rows<imgsim::cosine>(context, rows.view(), rows.view(), wanted, policy);
  };
  float_matrix equal({960, 8});
  std::ranges::fill(equal, 1.0f);
  BOOST_TEST(undecided(equal, 10) == 960);
  const double few = undecided(random_matrix(960, 8, 2), 10);
  BOOST_TEST(few >= 10);
  BOOST_TEST(few < 60);
}

BOOST_AUTO_TEST_SUITE_END()
