#include <imgsim/model/invariance.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>

#include "reference/invariance.hpp"

namespace {

using imgsim::tensor;

tensor<float, 2> random_features(std::size_t photos, std::size_t width) {
  tensor<float, 2> features({2 * photos, width});
  imgsim::random_stream random(photos, width);
  for (float& value : features) value = static_cast<float>(random.normal());
  return features;
}

std::vector<std::vector<double>> as_rows(const tensor<float, 2>& features) {
  std::vector<std::vector<double>> rows;
  for (std::size_t i = 0; i < features.extent(0); ++i)
    rows.emplace_back(features.view().row(i), features.view().row(i) + features.extent(1));
  return rows;
}

double reference_loss(const std::vector<std::vector<double>>& rows) {
  return reference::barlow_twins(rows, imgsim::kDecorrelation, imgsim::kInvarianceEpsilon);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(invariance)

// Both sides are float64; the gradient is rounded to float32 once.
BOOST_AUTO_TEST_CASE(loss_and_gradient_equal_the_reference) {
  imgsim::invariance_loss loss;  // one for all: its memory is used again
  for (const std::size_t photos : {1, 2, 3, 16}) {
    for (const std::size_t width : {1, 7, 8, 9, 33}) {
      BOOST_TEST_CONTEXT(photos << " photos, " << width << " features") {
        const tensor<float, 2> features = random_features(photos, width);
        tensor<float, 2> gradient(features.extents());
        const double weight = 0.3;
        const double found = loss(features.view(), weight, gradient.view());
        std::vector<std::vector<double>> rows = as_rows(features);
        BOOST_TEST(std::abs(found - reference_loss(rows)) <= 1e-12);
        BOOST_TEST(loss(features.view()) == found);
        for (std::size_t i = 0; i < features.extent(0); ++i) {
          for (std::size_t j = 0; j < width; ++j) {
            const double value = rows[i][j];
            const double h = 1e-5;
            rows[i][j] = value + h;
            const double above = reference_loss(rows);
            rows[i][j] = value - h;
            const double below = reference_loss(rows);
            rows[i][j] = value;
            const double expected = weight * (above - below) / (2 * h);
            // The differences err by h^2 of the third derivative, at most about 1 / deviation^3, and 1e-16 / h.
            const double bound = 1e-6 * std::max(1.0, std::abs(expected)) * (photos < 4 ? 100.0 : 1.0);
            BOOST_TEST(std::abs(static_cast<double>(gradient(i, j)) - expected) <= bound);
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(equal_views_of_features_that_do_not_correlate_cost_nothing) {
  tensor<float, 2> features({8, 2});
  for (std::size_t b = 0; b < 8; ++b) {
    features(b, std::size_t{0}) = b % 2 ? 10.0f : -10.0f;
    features(b, std::size_t{1}) = b / 2 % 2 ? 30.0f : -30.0f;
  }
  BOOST_TEST(imgsim::invariance_loss()(std::as_const(features).view()) < 1e-12);
  // Opposite views of the first: its correlation is -1.
  for (std::size_t b = 4; b < 8; ++b) features(b, std::size_t{0}) = -features(b, std::size_t{0});
  BOOST_TEST(imgsim::invariance_loss()(std::as_const(features).view()) == 2.0, boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(a_feature_that_never_changes_has_no_gradient) {
  tensor<float, 2> features = random_features(4, 3);
  for (std::size_t b = 0; b < 8; ++b) features(b, std::size_t{1}) = 0.25f;
  tensor<float, 2> gradient(features.extents());
  BOOST_TEST(std::isfinite(imgsim::invariance_loss()(std::as_const(features).view(), 1.0, gradient.view())));
  for (std::size_t b = 0; b < 8; ++b) BOOST_TEST(std::isfinite(gradient(b, std::size_t{1})));
  for (std::size_t b = 0; b < 8; ++b) BOOST_TEST(std::abs(gradient(b, std::size_t{1})) < 1e-9);
}

BOOST_AUTO_TEST_CASE(what_is_no_pair_of_views_is_refused) {
  const tensor<float, 2> odd({3, 2}), none({0, 2}), two({2, 2});
  tensor<float, 2> narrow({2, 1});
  imgsim::invariance_loss loss;
  BOOST_CHECK_THROW((void)loss(odd.view()), imgsim::invalid_argument);
  BOOST_CHECK_THROW((void)loss(none.view()), imgsim::invalid_argument);
  BOOST_CHECK_THROW((void)loss(two.view(), 1.0, narrow.view()), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
