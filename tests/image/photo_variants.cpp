// Near-duplicates made on purpose: what each change does, and that seeds rule.
#include <imgsim/image/photo_variants.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>
#include <imgsim/image/image.hpp>

using namespace imgsim;

namespace {

/// A smooth picture, brighter to the right and redder downwards.
rgb_image slope(std::size_t width, std::size_t height) {
  rgb_image image{.width = width, .height = height, .pixels = {}};
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x)
      for (std::size_t c = 0; c < 3; ++c)
        image.pixels.push_back(static_cast<std::uint8_t>(60 + 100 * x / width + (c == 0 ? 60 * y / height : 0)));
  return image;
}

rgb_image variant_of(const rgb_image& photo, photo_variant kind, std::uint64_t seed) {
  random_stream random(seed);
  return make_variant(photo.view(), kind, random);
}

double mean_of(const rgb_image& image) {
  double sum = 0;
  for (const std::uint8_t level : image.pixels) sum += level;
  return sum / static_cast<double>(image.pixels.size());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(photo_variants)

BOOST_AUTO_TEST_CASE(equal_seeds_give_equal_variants_and_others_do_not) {
  const rgb_image photo = slope(90, 60);
  for (const photo_variant kind : kDuplicateVariants) {
    BOOST_TEST_CONTEXT(name_of(kind)) {
      BOOST_TEST((variant_of(photo, kind, 7).pixels == variant_of(photo, kind, 7).pixels));
      if (kind != photo_variant::mirror)  // the one change without a choice
        BOOST_TEST((variant_of(photo, kind, 7).pixels != variant_of(photo, kind, 8).pixels));
    }
  }
}

BOOST_AUTO_TEST_CASE(sizes_are_as_said) {
  const rgb_image photo = slope(200, 100);
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const rgb_image crop = variant_of(photo, photo_variant::crop, seed);
    BOOST_TEST((crop.width >= 170 && crop.width <= 194 && crop.height >= 85 && crop.height <= 97));
    const rgb_image small = variant_of(photo, photo_variant::resize, seed);
    BOOST_TEST((small.width >= 80 && small.width <= 160));
    BOOST_TEST(std::abs(static_cast<double>(small.width) / static_cast<double>(small.height) - 2) < 0.05);
    const rgb_image view = variant_of(photo, photo_variant::view, seed);
    BOOST_TEST((view.width >= 140 && view.width <= 200 && view.height >= 70 && view.height <= 100));
    const rgb_image blurred = variant_of(photo, photo_variant::blur, seed);
    BOOST_TEST((blurred.width == 200 && blurred.height == 100));
  }
}

BOOST_AUTO_TEST_CASE(a_mirror_image_is_mirrored_and_twice_the_photo) {
  const rgb_image photo = slope(31, 20);
  const rgb_image once = mirrored(photo.view());
  for (std::size_t y = 0; y < photo.height; ++y)
    for (std::size_t x = 0; x < photo.width; ++x)
      for (std::size_t c = 0; c < 3; ++c) BOOST_TEST_REQUIRE(once.view()(y, x, c) == photo.view()(y, 30 - x, c));
  BOOST_TEST((mirrored(once.view()).pixels == photo.pixels));
}

BOOST_AUTO_TEST_CASE(brightness_moves_the_mean_and_contrast_does_not) {
  const rgb_image photo = slope(80, 80);  // no level reaches black or white
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const double factor = mean_of(variant_of(photo, photo_variant::brightness, seed)) / mean_of(photo);
    BOOST_TEST(((factor > 0.74 && factor < 0.91) || (factor > 1.09 && factor < 1.31)), factor);
    BOOST_TEST(std::abs(mean_of(variant_of(photo, photo_variant::contrast, seed)) - mean_of(photo)) < 1.0);
  }
}

BOOST_AUTO_TEST_CASE(the_smallest_photos_have_variants_and_smaller_ones_are_refused) {
  const rgb_image dots = slope(2, 2);
  for (const photo_variant kind : kDuplicateVariants) BOOST_TEST(variant_of(dots, kind, 1).pixels.size() == 12u);
  BOOST_CHECK_THROW(static_cast<void>(variant_of(slope(1, 5), photo_variant::mirror, 1)), invalid_argument);
  BOOST_CHECK_THROW(static_cast<void>(variant_of({}, photo_variant::crop, 1)), invalid_argument);
}

BOOST_AUTO_TEST_CASE(photos_are_shrunk_but_never_enlarged) {
  BOOST_TEST((shrunk_to(slope(100, 50).view(), 40).width == 40 && shrunk_to(slope(100, 50).view(), 40).height == 20));
  BOOST_TEST((shrunk_to(slope(10, 5).view(), 40).pixels == slope(10, 5).pixels));
}

BOOST_AUTO_TEST_SUITE_END()
