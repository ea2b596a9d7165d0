#include <imgsim/embedding/transform.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/embedding/fit_embedding.hpp>

BOOST_AUTO_TEST_SUITE(transform)

namespace {

using imgsim::embedding_spec;
using imgsim::embedding_transform;
using imgsim::tensor;

/// Features [photos, raw] whose variances fall by `decay` from one hidden direction to the next.
tensor<float, 2> sample(std::size_t photos, std::size_t raw, double decay, std::uint64_t seed = 1) {
  imgsim::random_stream random(seed);
  const std::size_t depth = std::min<std::size_t>(raw, 64);
  std::vector<double> directions(depth * raw);
  for (double& value : directions) value = random.normal();
  tensor<float, 2> features({photos, raw});
  std::vector<double> hidden(depth);
  for (std::size_t i = 0; i < photos; ++i) {
    double scale = 1.0;
    for (double& h : hidden) h = random.normal() * std::exchange(scale, scale * decay);
    for (std::size_t j = 0; j < raw; ++j) {
      double sum = 3.0 + static_cast<double>(j % 5);
      for (std::size_t k = 0; k < depth; ++k) sum += hidden[k] * directions[k * raw + j];
      features(i, j) = static_cast<float>(sum);
    }
  }
  return features;
}

tensor<float, 2> apply(const embedding_transform& transform, const tensor<float, 2>& features) {
  tensor<float, 2> out({features.extent(0), transform.dimension()});
  imgsim::apply_embedding(imgsim::cpu_context(2), transform, features.view(), out.view());
  return out;
}

embedding_transform fit(const tensor<float, 2>& features, const embedding_spec& spec, std::size_t threads = 2) {
  return imgsim::fit_embedding(imgsim::cpu_context(threads), features.view(), spec);
}

/// Moments in float64, multiplied out only where they are looked at.
struct reference_moments {
  const tensor<float, 2>& x;
  std::vector<double> mean;
  double trace = 0.0;

  explicit reference_moments(const tensor<float, 2>& features) : x(features), mean(features.extent(1)) {
    const auto m = static_cast<double>(x.extent(0));
    for (std::size_t j = 0; j < mean.size(); ++j) {
      for (std::size_t i = 0; i < x.extent(0); ++i) mean[j] += x(i, j) / m;
      for (std::size_t i = 0; i < x.extent(0); ++i) trace += std::pow(x(i, j) - mean[j], 2) / m;
    }
  }

  /// |C v - lambda v| / `largest` for v = row d of the projection / its length, and lambda = v' C v; `largest` 0 means
  /// lambda itself.
  [[nodiscard]] std::pair<double, double> residual(const embedding_transform& t, std::size_t d, double largest) const {
    std::vector<double> axis(mean.size()), image(mean.size());
    double length = 0.0;
    for (std::size_t j = 0; j < axis.size(); ++j) length += std::pow(t.parts[0].projection(d, j), 2);
    for (std::size_t j = 0; j < axis.size(); ++j) axis[j] = t.parts[0].projection(d, j) / std::sqrt(length);
    for (std::size_t i = 0; i < x.extent(0); ++i) {
      double along = 0.0;
      for (std::size_t j = 0; j < axis.size(); ++j) along += (x(i, j) - mean[j]) * axis[j];
      for (std::size_t j = 0; j < axis.size(); ++j)
        image[j] += along * (x(i, j) - mean[j]) / static_cast<double>(x.extent(0));
    }
    double value = 0.0, squares = 0.0;
    for (std::size_t j = 0; j < axis.size(); ++j) value += image[j] * axis[j];
    for (std::size_t j = 0; j < axis.size(); ++j) squares += std::pow(image[j] - value * axis[j], 2);
    return {std::sqrt(squares) / (largest > 0.0 ? largest : value), value};
  }
};

bool same_bytes(const embedding_transform& a, const embedding_transform& b) {
  return a.parts[0].mean == b.parts[0].mean && a.parts[0].projection.extents() == b.parts[0].projection.extents() &&
         std::memcmp(a.parts[0].projection.data(), b.parts[0].projection.data(),
                     a.parts[0].projection.size() * sizeof(float)) == 0;
}

/// Rounding of float projections [raw] applied to features, against float64.
double tolerance(std::size_t raw) {
  return 8.0 * static_cast<double>(raw) * std::numeric_limits<float>::epsilon();
}

}  // namespace

BOOST_AUTO_TEST_CASE(without_options_it_is_the_identity) {
  const auto features = sample(5, 7, 0.9);
  const embedding_transform t = fit(features, {});
  BOOST_TEST(t.dimension() == 7u);
  const auto out = apply(t, features);
  BOOST_TEST(std::equal(out.begin(), out.end(), features.begin()));
}

BOOST_AUTO_TEST_CASE(normalises_to_length_one_and_keeps_zero) {
  tensor<float, 2> features({3, 3});
  features(0, 0) = 3.0F;
  features(0, 1) = 4.0F;
  features(2, 2) = 1e-30F;  // its square underflows in float32
  const auto out = apply(fit(features, {.normalise = true}), features);
  BOOST_TEST(out(0, 0) == 0.6F);
  BOOST_TEST(out(0, 1) == 0.8F);
  for (std::size_t j = 0; j < 3; ++j) BOOST_TEST(out(1, j) == 0.0F);
  BOOST_TEST(out(2, 2) == 1.0F);
}

BOOST_AUTO_TEST_CASE(centres_by_the_mean) {
  const auto features = sample(50, 6, 0.8);
  const auto out = apply(fit(features, {.centre = true}), features);
  for (std::size_t j = 0; j < 6; ++j) {
    double sum = 0.0;
    for (std::size_t i = 0; i < 50; ++i) sum += out(i, j);
    BOOST_TEST(std::abs(sum / 50) <= 16.0 * std::numeric_limits<float>::epsilon() * 10.0);
  }
}

BOOST_AUTO_TEST_CASE(whitening_finds_the_principal_axes_and_gives_them_variance_one) {
  // By features, by photos, and beyond the side where the block Krylov method takes over.
  const struct {
    std::size_t photos, raw, whiten;
    double decay;
  } table[] = {{400, 12, 5, 0.7}, {400, 12, 100, 0.7}, {20, 60, 6, 0.7}, {1100, 1040, 6, 0.8}};
  for (const auto& row : table) {
    BOOST_TEST_CONTEXT(row.photos << " photos, " << row.raw << " features") {
      const auto features = sample(row.photos, row.raw, row.decay);
      const reference_moments moments(features);
      const embedding_transform t = fit(features, {.centre = true, .whiten = row.whiten});
      BOOST_REQUIRE(t.dimension() == std::min({row.whiten, row.raw, row.photos - 1}));
      const double largest = moments.residual(t, 0, 0.0).second;
      double before = std::numeric_limits<double>::infinity();
      for (std::size_t d = 0; d < t.dimension(); ++d) {
        const auto [residual, variance] = moments.residual(t, d, largest);
        BOOST_TEST(residual <= tolerance(row.raw));
        BOOST_TEST(variance <= before * (1.0 + tolerance(row.raw)));
        before = variance;
        const float* axis = t.parts[0].projection.view().row(d);
        BOOST_TEST(*std::max_element(axis, axis + row.raw, [](float a, float b) { return std::abs(a) < std::abs(b); }) >
                   0.0F);
      }
      // Rounding of x moves a component by at most eps * |x| * |row|: relative to 1, that is tolerance * |mean| /
      // sigma.
      const auto out = apply(t, features);
      for (std::size_t a = 0; a < t.dimension(); ++a) {
        for (std::size_t b = 0; b <= a; ++b) {
          double product = 0.0;
          for (std::size_t i = 0; i < row.photos; ++i)
            product += static_cast<double>(out(i, a)) * out(i, b) / static_cast<double>(row.photos);
          BOOST_TEST(std::abs(product - (a == b ? 1.0 : 0.0)) <= 100.0 * tolerance(row.raw));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(shrinkage_moves_variances_towards_their_mean) {
  const auto features = sample(300, 8, 0.6);
  const reference_moments moments(features);
  const embedding_transform sharp = fit(features, {.centre = true, .whiten = 8});
  const embedding_transform damped = fit(features, {.centre = true, .whiten = 8, .shrinkage = 0.25});
  const embedding_transform rotated = fit(features, {.centre = true, .whiten = 8, .shrinkage = 1.0});
  const double target = moments.trace / 8.0;
  for (std::size_t d = 0; d < 8; ++d) {
    const double variance = moments.residual(sharp, d, 0.0).second;
    for (std::size_t j = 0; j < 8; ++j) {
      const double axis = sharp.parts[0].projection(d, j) * std::sqrt(variance);
      const double bound = tolerance(8) / std::sqrt(0.25 * target);
      BOOST_TEST(std::abs(damped.parts[0].projection(d, j) - axis / std::sqrt(0.75 * variance + 0.25 * target)) <=
                 bound);
      BOOST_TEST(std::abs(rotated.parts[0].projection(d, j) - axis / std::sqrt(target)) <= bound);
    }
  }
}

BOOST_AUTO_TEST_CASE(sampling_noise_damps_what_few_photos_show) {
  for (const std::size_t photos : {12, 300}) {
    const auto features = sample(photos, 8, 0.6);
    const reference_moments moments(features);
    const embedding_transform sharp = fit(features, {.centre = true, .whiten = 8, .shrinkage = 0.25});
    const embedding_transform damped =
        fit(features, {.centre = true, .whiten = 8, .shrinkage = 0.25, .sampling_noise = 2.0});
    BOOST_REQUIRE(damped.dimension() == sharp.dimension());
    const double noise = 2.0 * moments.trace / static_cast<double>(photos);
    for (std::size_t d = 0; d < damped.dimension(); ++d) {
      const double shrunk = 0.75 * moments.residual(sharp, d, 0.0).second + 0.25 * moments.trace / 8.0;
      const double factor = std::sqrt(shrunk / (shrunk + noise));
      for (std::size_t j = 0; j < 8; ++j)
        BOOST_TEST(std::abs(damped.parts[0].projection(d, j) - factor * sharp.parts[0].projection(d, j)) <=
                   tolerance(8) / std::sqrt(shrunk));
    }
  }
}

// Classes differ along a few strong directions; the many weak ones are noise. With few photos full whitening gives the
// noise as much weight as the classes.
BOOST_AUTO_TEST_CASE(neighbours_of_few_photos_survive_whitening) {
  constexpr std::size_t kClasses = 4, kPhotos = 48, kRaw = 300;
  imgsim::random_stream random(5);
  std::vector<double> centres(kClasses * kRaw);
  for (double& value : centres) value = random.normal();
  tensor<float, 2> features({kPhotos, kRaw});
  for (std::size_t i = 0; i < kPhotos; ++i)
    for (std::size_t j = 0; j < kRaw; ++j)
      features(i, j) = static_cast<float>(centres[i % kClasses * kRaw + j] + 2.0 * random.normal());
  const auto nearest_of_own_class = [&](double sampling_noise) {
    const auto out = apply(
        fit(features,
            {.centre = true, .whiten = 40, .shrinkage = 0.1, .sampling_noise = sampling_noise, .normalise = true}),
        features);
    std::size_t found = 0;
    for (std::size_t i = 0; i < kPhotos; ++i) {
      std::size_t best = i == 0 ? 1 : 0;
      const auto similarity = [&](std::size_t k) {
        double sum = 0.0;
        for (std::size_t d = 0; d < out.extent(1); ++d) sum += static_cast<double>(out(i, d)) * out(k, d);
        return sum;
      };
      for (std::size_t k = 0; k < kPhotos; ++k)
        if (k != i && similarity(k) > similarity(best)) best = k;
      found += best % kClasses == i % kClasses ? 1 : 0;
    }
    return found;
  };
  BOOST_TEST(nearest_of_own_class(2.0) >= 46u);
  BOOST_TEST(nearest_of_own_class(0.0) <= 36u);
}

BOOST_AUTO_TEST_CASE(the_dimension_is_capped_by_the_rank) {
  auto features = sample(30, 10, 0.9);
  for (std::size_t i = 0; i < 30; ++i) {
    for (std::size_t j = 4; j < 10; ++j) features(i, j) = features(i, j % 4);
  }
  BOOST_TEST(fit(features, {.centre = true, .whiten = 10}).dimension() == 4u);
  BOOST_TEST(fit(sample(3, 10, 0.9), {.centre = true, .whiten = 10}).dimension() == 2u);
}

BOOST_AUTO_TEST_CASE(photos_that_are_all_alike_are_only_normalised) {
  for (const std::size_t photos : {1, 3, 7}) {
    tensor<float, 2> features({photos, 4});
    for (std::size_t i = 0; i < photos; ++i) {
      for (std::size_t j = 0; j < 4; ++j) features(i, j) = 0.1F * static_cast<float>(j + 1);
    }
    for (const std::size_t whiten : {0, 3}) {
      const auto t = fit(features, {.centre = true, .whiten = whiten, .normalise = true});
      BOOST_TEST(t.dimension() == 4u);
      BOOST_TEST(t.parts[0].mean.empty());
      BOOST_TEST(apply(t, features)(0, 3) > 0.0F);
    }
  }
}

BOOST_AUTO_TEST_CASE(threads_and_batches_do_not_change_a_byte) {
  const auto features = sample(700, 40, 0.9);
  const embedding_spec spec{.centre = true, .whiten = 16, .shrinkage = 0.1, .normalise = true};
  const embedding_transform t = fit(features, spec, 1);
  BOOST_TEST(same_bytes(t, fit(features, spec, 2)));
  BOOST_TEST(same_bytes(t, fit(features, spec, 3)));
  const auto all = apply(t, features);
  for (const std::size_t i : {0, 1, 699}) {
    tensor<float, 2> one({1, 16});
    imgsim::apply_embedding(imgsim::cpu_context(1), t, features.view().slice(i, 1), one.view());
    BOOST_TEST(std::equal(one.begin(), one.end(), all.view().row(i)));
  }
}

BOOST_AUTO_TEST_CASE(strided_features_are_read_as_they_lie) {
  const auto wide = sample(30, 9, 0.8);
  tensor<float, 2> narrow({30, 5});
  for (std::size_t i = 0; i < 30; ++i) std::copy_n(wide.view().row(i), 5, narrow.view().row(i));
  const imgsim::matrix_view<const float> part(wide.data(), {30, 5}, {9, 1});
  const embedding_spec spec{.centre = true, .whiten = 3};
  BOOST_TEST(same_bytes(imgsim::fit_embedding(imgsim::cpu_context(1), part, spec), fit(narrow, spec)));
}

BOOST_AUTO_TEST_CASE(bad_arguments_are_refused) {
  auto features = sample(6, 3, 0.8);
  const auto refuses = [&](const embedding_spec& spec) {
    BOOST_CHECK_THROW(std::ignore = fit(features, spec), imgsim::invalid_argument);
  };
  refuses({.centre = true, .whiten = 2, .shrinkage = -0.1});
  refuses({.centre = true, .whiten = 2, .shrinkage = 1.1});
  refuses({.centre = true, .whiten = 2, .shrinkage = std::nan("")});
  refuses({.centre = true, .whiten = 2, .sampling_noise = -0.1});
  refuses({.centre = true, .whiten = 2, .sampling_noise = std::nan("")});
  features(4, 1) = std::numeric_limits<float>::quiet_NaN();
  refuses({.centre = true});
  features(4, 1) = std::numeric_limits<float>::infinity();
  refuses({.centre = true, .whiten = 2});
  BOOST_CHECK_THROW(std::ignore = fit(tensor<float, 2>({0, 3}), {}), imgsim::invalid_argument);
  const embedding_transform t = fit(sample(6, 3, 0.8), {});
  tensor<float, 2> out({6, 2});
  BOOST_CHECK_THROW(imgsim::apply_embedding(imgsim::cpu_context(1), t, features.view(), out.view()),
                    imgsim::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
