// The features that an encoder is compared with.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/evaluate/baselines.hpp>
#include <imgsim/evaluate/principal_components.hpp>

using imgsim::tensor;

namespace {

tensor<std::uint8_t, 4> random_photos(std::size_t count, std::size_t height, std::size_t width) {
  tensor<std::uint8_t, 4> photos({count, height, width, 3});
  imgsim::random_stream random(count + height + width);
  for (std::uint8_t& level : photos) level = static_cast<std::uint8_t>(random.below(256));
  return photos;
}

/// Hue, saturation and value by the textbook (Smith, 1978), as a bin; -1 within rounding of an edge.
int textbook_bin(double red, double green, double blue) {
  const double value = std::max({red, green, blue}), chroma = value - std::min({red, green, blue});
  double hue = 0;
  if (chroma > 0) {
    if (value == red) hue = (green - blue) / chroma;
    if (value == green) hue = 2 + (blue - red) / chroma;
    if (value == blue) hue = 4 + (red - green) / chroma;
    if (hue < 0) hue += 6;
  }
  const double saturation = value > 0 ? chroma / value : 0;
  std::array<double, 3> scaled{hue / 6 * 12, saturation * 4, value / 256 * 4};
  std::array<int, 3> limit{12, 4, 4};
  int bin = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    if (std::abs(scaled[i] - std::round(scaled[i])) < 1e-9) return -1;
    bin = bin * limit[i] + static_cast<int>(scaled[i]);
  }
  return bin;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(baselines)

BOOST_AUTO_TEST_CASE(pixels_are_scaled_to_one) {
  const auto photos = random_photos(3, 5, 4);
  const auto features = pixel_features(imgsim::cpu_context(2), photos.view(), 5, 4);
  BOOST_TEST_REQUIRE(features.extent(0) == 3u);
  BOOST_TEST_REQUIRE(features.extent(1) == 60u);
  for (std::size_t i = 0; i < photos.size(); ++i)
    BOOST_TEST_REQUIRE(features.data()[i] == static_cast<float>(photos.data()[i]) / 255);
}

BOOST_AUTO_TEST_CASE(thumbnails_keep_what_is_flat) {
  tensor<std::uint8_t, 4> photos({2, 64, 48, 3});
  for (std::size_t i = 0; i < photos.size(); ++i) photos.data()[i] = static_cast<std::uint8_t>(40 * (i % 3 + 1));
  const auto features =
      pixel_features(imgsim::cpu_context(1), photos.view(), imgsim::kThumbnailSide, imgsim::kThumbnailSide);
  BOOST_TEST_REQUIRE(features.extent(1) == 768u);
  for (std::size_t i = 0; i < features.size(); ++i)
    BOOST_TEST_REQUIRE(features.data()[i] == static_cast<float>(40 * (i % 3 + 1)) / 255);
}

BOOST_AUTO_TEST_CASE(histogram_bins_follow_the_textbook) {
  std::size_t compared = 0;
  for (int red = 0; red < 256; red += 3)
    for (int green = 0; green < 256; green += 5)
      for (int blue = 0; blue < 256; blue += 7) {
        const int expected = textbook_bin(red, green, blue);
        const std::size_t bin = imgsim::detail::histogram_bin(red, green, blue);
        BOOST_TEST_REQUIRE(bin < imgsim::kHistogramBins);
        if (expected < 0) continue;
        BOOST_TEST_REQUIRE(bin == static_cast<std::size_t>(expected));
        ++compared;
      }
  BOOST_TEST(compared > 100000u);
  BOOST_TEST(imgsim::detail::histogram_bin(0, 0, 0) == 0u);
  BOOST_TEST(imgsim::detail::histogram_bin(255, 255, 255) == 3u);
  BOOST_TEST(imgsim::detail::histogram_bin(255, 0, 0) == 15u);            // full red: saturation 3, value 3
  BOOST_TEST(imgsim::detail::histogram_bin(255, 0, 1) == 11u * 16 + 15);  // just before the circle closes
}

BOOST_AUTO_TEST_CASE(squares_of_histograms_are_shares) {
  const auto photos = random_photos(4, 17, 9);
  const auto features = histogram_features(imgsim::cpu_context(2), photos.view());
  BOOST_TEST_REQUIRE(features.extent(1) == 192u);
  for (std::size_t i = 0; i < 4; ++i) {
    double sum = 0;
    for (std::size_t bin = 0; bin < 192; ++bin) sum += std::pow(static_cast<double>(features(i, bin)), 2);
    BOOST_TEST(sum == 1, boost::test_tools::tolerance(192 * 6e-8));
  }
}

BOOST_AUTO_TEST_CASE(a_histogram_counts_pixels) {
  tensor<std::uint8_t, 4> photo({1, 2, 2, 3});
  const std::array<std::uint8_t, 12> pixels{255, 0, 0, 255, 0, 0, 0, 0, 0, 255, 0, 0};
  std::ranges::copy(pixels, photo.data());
  const auto features = histogram_features(imgsim::cpu_context(1), photo.view());
  for (std::size_t bin = 0; bin < 192; ++bin)
    BOOST_TEST(features(0, bin) == (bin == 15 ? std::sqrt(0.75f) : (bin == 0 ? 0.5f : 0.0f)));
}

BOOST_AUTO_TEST_CASE(principal_components_keep_distances_within_their_span) {
  const std::size_t rows = 40, columns = 30;
  tensor<float, 2> features({rows, columns});
  imgsim::random_stream random(3);
  std::array<std::array<double, columns>, 3> axes{};
  for (auto& axis : axes)
    for (double& value : axis) value = random.normal();
  for (std::size_t i = 0; i < rows; ++i) {
    const std::array<double, 3> at{random.normal(), 3 * random.normal(), 9 * random.normal()};
    for (std::size_t j = 0; j < columns; ++j)
      features(i, j) = static_cast<float>(5 + at[0] * axes[0][j] + at[1] * axes[1][j] + at[2] * axes[2][j]);
  }
  const auto found = principal_component_features(imgsim::cpu_context(2), features.view(), 10);
  BOOST_TEST_REQUIRE(found.extent(0) == rows);
  BOOST_TEST_REQUIRE(found.extent(1) >= 3u);  // float32 rounding may span more, with next to no variance
  const auto distance = [](const tensor<float, 2>& of, std::size_t i, std::size_t j) {
    double sum = 0;
    for (std::size_t c = 0; c < of.extent(1); ++c)
      sum += std::pow(static_cast<double>(of(i, c)) - static_cast<double>(of(j, c)), 2);
    return std::sqrt(sum);
  };
  for (std::size_t i = 1; i < rows; ++i)
    BOOST_TEST(distance(found, 0, i) == distance(features, 0, i), boost::test_tools::tolerance(1e-4));
}

BOOST_AUTO_TEST_CASE(empty_input) {
  const imgsim::cpu_context context(1);
  const tensor<std::uint8_t, 4> photos({0, 8, 8, 3});
  BOOST_TEST(pixel_features(context, photos.view(), 4, 4).extent(0) == 0u);
  BOOST_TEST(histogram_features(context, photos.view()).extent(0) == 0u);
  const tensor<float, 2> features({0, 5});
  BOOST_TEST(principal_component_features(context, features.view()).extent(0) == 0u);
  const tensor<std::uint8_t, 4> grey({1, 8, 8, 1});
  BOOST_CHECK_THROW(std::ignore = histogram_features(context, grey.view()), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
