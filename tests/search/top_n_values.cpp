// top_n on rows that are hard to tell apart or hard to compute with.
#include <cmath>
#include <cstddef>
#include <limits>

#include <boost/test/unit_test.hpp>

#include "search/search_paths.hpp"

using namespace imgsim_test;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

void scale_row(float_matrix& matrix, std::size_t row, float factor) {
  for (std::size_t i = 0; i < matrix.extent(1); ++i) matrix(row, i) *= factor;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(top_n_values)

BOOST_AUTO_TEST_CASE_TEMPLATE(all_rows_are_equal, Case, value_cases) {
  float_matrix photos = random_matrix(600, 19, 1);
  for (std::size_t r = 1; r < 600; ++r) std::copy_n(photos.data(), 19, photos.view().row(r));
  check_top_n<Case>(photos.view(), photos.view().slice(0, 200), {.n = 7});
  check_top_n<Case>(photos.view(), photos.view(), {.n = 100, .exclude_self = true}, 1, 5);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(all_rows_are_zero, Case, value_cases) {
  const float_matrix photos({400, 9});
  check_top_n<Case>(photos.view(), photos.view(), {.n = 70});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(duplicates_and_zero_rows, Case, value_cases) {
  float_matrix photos = random_matrix(500, 33, 2);
  for (std::size_t r = 0; r < 500; r += 3) std::copy_n(photos.view().row(r % 7), 33, photos.view().row(r));
  for (std::size_t r = 5; r < 500; r += 11) scale_row(photos, r, 0);
  check_top_n<Case>(photos.view(), photos.view(), {.n = 40});
  check_top_n<Case>(photos.view(), photos.view(), {.n = 40, .exclude_self = true});
}

/// Similarities closer to one another than float32 can tell: every row stays a candidate until it is refined.
BOOST_AUTO_TEST_CASE_TEMPLATE(rows_closer_than_float32_can_tell, Case, value_cases) {
  const std::size_t depth = 150;
  const float_matrix base = random_matrix(1, depth, 3);
  float_matrix photos = random_matrix(900, depth, 4);
  for (std::size_t r = 0; r < 900; ++r)
    for (std::size_t i = 0; i < depth; ++i) photos(r, i) = base(0, i) + 1e-4f * photos(r, i);
  check_top_n<Case>(photos.view(), photos.view().slice(0, 100), {.n = 10});
  check_top_n<Case>(photos.view(), photos.view(), {.n = 33, .exclude_self = true}, 0, 4);
}

/// The same around a point far from the origin, where |a|^2 + |b|^2 - 2 a . b cancels.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_far_off_cloud, Case, value_cases) {
  float_matrix photos = random_matrix(700, 60, 5);
  for (float& value : photos) value += 1000;
  check_top_n<Case>(photos.view(), photos.view(), {.n = 12, .exclude_self = true}, 0, 2);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(rows_that_are_not_finite, Case, value_cases) {
  float_matrix photos = random_matrix(260, 17, 6);
  for (std::size_t r = 0; r < 260; r += 4)
    photos(r, r % 17) = r % 3 == 0 ? kNaN : (r % 3 == 1 ? kInfinity : -kInfinity);
  scale_row(photos, 9, 0);
  check_top_n<Case>(photos.view(), photos.view(), {.n = 5});
  check_top_n<Case>(photos.view(), photos.view(), {.n = 230});
  check_top_n<Case>(photos.view(), photos.view(), {.n = 259, .exclude_self = true});
  for (float& value : photos) value = kNaN;
  check_top_n<Case>(photos.view(), photos.view(), {.n = 6, .exclude_self = true});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(huge_and_tiny_rows, Case, value_cases) {
  float_matrix photos = random_matrix(420, 21, 7);
  const float factors[] = {1, 1e30f, 1e-30f, 3.4e38f, 1e-38f, 1e-42f, 1e19f, 1e-20f};
  for (std::size_t r = 0; r < 420; ++r) scale_row(photos, r, factors[r * 7 % std::size(factors)]);
  check_top_n<Case>(photos.view(), photos.view(), {.n = 25});
  check_top_n<Case>(photos.view(), photos.view(), {.n = 25, .exclude_self = true});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(rows_with_huge_and_tiny_elements, Case, value_cases) {
  float_matrix photos = random_matrix(300, 40, 8);
  for (std::size_t r = 0; r < 300; ++r)
    for (std::size_t i = 0; i < 40; ++i)
      photos(r, i) *= std::pow(10.0f, static_cast<float>((r * 13 + i * 7) % 70) - 38);
  check_top_n<Case>(photos.view(), photos.view(), {.n = 25, .exclude_self = true});
}

BOOST_AUTO_TEST_SUITE_END()
