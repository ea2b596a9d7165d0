#include <imgsim/image/augment.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace {

using imgsim::augmentation;
using imgsim::random_stream;
using photo_bytes = std::vector<std::uint8_t>;

constexpr std::size_t kHeight = 12, kWidth = 20;

photo_bytes noise(std::uint64_t seed) {
  photo_bytes photo(kHeight * kWidth * 3);
  random_stream random(seed);
  for (std::uint8_t& value : photo) value = static_cast<std::uint8_t>(random.below(256));
  return photo;
}

photo_bytes constant(std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  photo_bytes photo(kHeight * kWidth * 3);
  for (std::size_t i = 0; i < photo.size(); i += 3) photo[i] = red, photo[i + 1] = green, photo[i + 2] = blue;
  return photo;
}

/// Its red is 10 times the column, its green 10 times the row.
photo_bytes coordinates() {
  photo_bytes photo(kHeight * kWidth * 3);
  for (std::size_t y = 0; y < kHeight; ++y) {
    for (std::size_t x = 0; x < kWidth; ++x) {
      photo[(y * kWidth + x) * 3] = static_cast<std::uint8_t>(10 * x);
      photo[(y * kWidth + x) * 3 + 1] = static_cast<std::uint8_t>(10 * y);
    }
  }
  return photo;
}

photo_bytes view_of(const photo_bytes& photo, const augmentation& views, std::uint64_t seed) {
  photo_bytes out(photo.size());
  random_stream random(seed);
  imgsim::photo_augmenter augment(views);
  augment(photo, kHeight, kWidth, out, random);
  return out;
}

photo_bytes mirrored(const photo_bytes& photo) {
  photo_bytes out(photo.size());
  for (std::size_t y = 0; y < kHeight; ++y)
    for (std::size_t x = 0; x < kWidth; ++x)
      std::copy_n(photo.data() + (y * kWidth + x) * 3, 3, out.data() + (y * kWidth + kWidth - 1 - x) * 3);
  return out;
}

const augmentation kEverything{.crop = 0.5, .flip = 0.5, .rotation = 10, .colour = 0.3, .blur = 0.5};

}  // namespace

BOOST_AUTO_TEST_SUITE(augment)

BOOST_AUTO_TEST_CASE(nothing_switched_on_changes_nothing) {
  BOOST_TEST(!augmentation{}.changes_photos());
  for (std::uint64_t seed = 0; seed < 20; ++seed) BOOST_TEST(view_of(noise(seed), {}, seed) == noise(seed));
}

BOOST_AUTO_TEST_CASE(views_follow_from_the_stream_alone) {
  const photo_bytes photo = noise(1);
  std::vector<photo_bytes> seen;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    BOOST_TEST(view_of(photo, kEverything, seed) == view_of(photo, kEverything, seed));
    BOOST_TEST(std::ranges::count(seen, view_of(photo, kEverything, seed)) == 0);
    seen.push_back(view_of(photo, kEverything, seed));
  }
}

BOOST_AUTO_TEST_CASE(a_flip_mirrors_as_often_as_it_should) {
  const photo_bytes photo = noise(1);
  std::size_t flipped = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const photo_bytes found = view_of(photo, {.flip = 0.25}, seed);
    BOOST_TEST((found == photo || found == mirrored(photo)));
    flipped += found != photo;
  }
  BOOST_TEST(flipped >= 30u);  // 50 are expected, with a deviation of 6.1
  BOOST_TEST(flipped <= 70u);
  BOOST_TEST(view_of(photo, {.flip = 1.0}, 0) == mirrored(photo));
}

BOOST_AUTO_TEST_CASE(a_crop_keeps_its_part_of_the_area_and_stays_within) {
  double least = 1.0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const photo_bytes found = view_of(coordinates(), {.crop = 0.4}, seed);
    // From the first to the last pixel's centre; each is within the photo, else its value would turn back.
    const auto across = [&](std::size_t x, std::size_t y, std::size_t c) {
      return static_cast<double>(found[(y * kWidth + x) * 3 + c]) / 10;
    };
    const double width = (across(kWidth - 1, 5, 0) - across(0, 5, 0)) * kWidth / (kWidth - 1);
    const double height = (across(5, kHeight - 1, 1) - across(5, 0, 1)) * kHeight / (kHeight - 1);
    // Of a border that is reached, half a pixel is seen mirrored: one pixel of 20 or 12 a side at most.
    const double area = width * height / (kWidth * kHeight);
    BOOST_TEST(area >= 0.4 * (1 - 1.0 / kWidth) * (1 - 1.0 / kHeight) - 0.02);
    BOOST_TEST(area <= 1.0);
    least = std::min(least, area);
  }
  BOOST_TEST(least < 0.5);
}

BOOST_AUTO_TEST_CASE(a_rotation_turns_about_the_middle) {
  const photo_bytes photo = coordinates();
  double most = 0.0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const photo_bytes found = view_of(photo, {.rotation = 10}, seed);
    // The four pixels about the middle move by less than a pixel, those four to the right of it up and down.
    const auto row = [&](std::size_t x) {
      return static_cast<double>(found[(5 * kWidth + x) * 3 + 1] + found[(6 * kWidth + x) * 3 + 1]) / 20;
    };
    BOOST_TEST(std::abs((row(9) + row(10)) / 2 - 5.5) <= 0.1);
    const double slope = (row(14) - row(5)) / 9;
    BOOST_TEST(std::abs(slope) <= std::sin(10 * std::numbers::pi / 180) + 0.02);
    most = std::max(most, std::abs(slope));
  }
  BOOST_TEST(most > std::sin(8 * std::numbers::pi / 180));
}

BOOST_AUTO_TEST_CASE(colours_move_by_their_part_at_most) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    // Of one colour only brightness is seen of a grey; contrast and saturation have nothing to act on.
    const photo_bytes grey = view_of(constant(100, 100, 100), {.colour = 0.2}, seed);
    BOOST_TEST(std::ranges::count(grey, grey[0]) == static_cast<std::ptrdiff_t>(grey.size()));
    BOOST_TEST(std::abs(grey[0] - 100) <= 21);
    const photo_bytes red = view_of(constant(150, 50, 50), {.colour = 0.2}, seed);
    const double spread = static_cast<double>(red[0]) - red[1];
    BOOST_TEST(spread >= 100 * 0.8 * 0.8 * 0.8 - 1);
    BOOST_TEST(spread <= 100 * 1.2 * 1.2 * 1.2 + 1);
  }
}

BOOST_AUTO_TEST_CASE(a_blur_is_at_most_binomial_and_keeps_what_is_even) {
  BOOST_TEST(view_of(constant(7, 80, 250), {.blur = 1.0}, 3) == constant(7, 80, 250));
  photo_bytes point(kHeight * kWidth * 3, 0);
  const std::size_t at = (5 * kWidth + 8) * 3;
  point[at] = 240;
  std::size_t blurred = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const photo_bytes found = view_of(point, {.blur = 0.5}, seed);
    blurred += found != point;
    // With weights e, 1 - 2 e, e the middle is (1 - 2 e)^2, its neighbours (1 - 2 e) e on every side alike.
    BOOST_TEST(found[at] >= 60);
    BOOST_TEST(found[at - 3] == found[at + 3]);
    BOOST_TEST(found[at - 3 * kWidth] == found[at + 3 * kWidth]);
    BOOST_TEST(found[at - 3] == found[at - 3 * kWidth]);
    BOOST_TEST(found[at - 6] == 0);
    const double e = (1 - std::sqrt(found[at] / 240.0)) / 2;
    BOOST_TEST(std::abs(found[at + 3] - 240 * e * (1 - 2 * e)) <= 2.0);
  }
  BOOST_TEST(blurred >= 8u);
  BOOST_TEST(blurred <= 32u);
}

BOOST_AUTO_TEST_CASE(one_switch_does_not_move_the_others) {
  const photo_bytes photo = constant(90, 120, 150);
  for (std::uint64_t seed = 0; seed < 10; ++seed)  // of one colour: crops and flips are not seen, colours are
    BOOST_TEST(view_of(photo, {.colour = 0.3}, seed) == view_of(photo, kEverything, seed));
}

BOOST_AUTO_TEST_CASE(any_size_has_views) {
  for (const auto& [height, width] : {std::pair<std::size_t, std::size_t>{1, 1}, {1, 5}, {7, 1}, {2, 2}}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const photo_bytes photo(height * width * 3, 77);
      photo_bytes out(photo.size());
      random_stream random(seed);
      imgsim::photo_augmenter({.crop = 0.1, .flip = 0.5, .rotation = 180, .blur = 1.0})(photo, height, width, out,
                                                                                        random);
      BOOST_TEST(out == photo);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_out_of_range_is_refused) {
  for (const augmentation& views :
       {augmentation{.crop = 0.0}, augmentation{.crop = 1.1}, augmentation{.flip = 2}, augmentation{.rotation = 181},
        augmentation{.colour = 1.0}, augmentation{.blur = -0.1}})
    BOOST_CHECK_THROW(imgsim::photo_augmenter{views}, imgsim::invalid_argument);
  photo_bytes out(3);
  random_stream random(0);
  BOOST_CHECK_THROW(imgsim::photo_augmenter({})(noise(0), kHeight, kWidth, out, random), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_CASE(text_comes_back) {
  BOOST_TEST(to_text(augmentation{}) == "off");
  BOOST_TEST((imgsim::parse_augmentation("off") == augmentation{}));
  BOOST_TEST(to_text(kEverything) == "crop=0.5,flip=0.5,rotation=10,colour=0.3,blur=0.5");
  BOOST_TEST((imgsim::parse_augmentation(to_text(kEverything)) == kEverything));
  BOOST_TEST((imgsim::parse_augmentation("flip=0.5") == augmentation{.flip = 0.5}));
  for (const char* text : {"", "on", "crop", "crop=", "crop=x", "crop=0", "flip=2", "crops=0.5", "colour=-1"})
    BOOST_CHECK_THROW(std::ignore = imgsim::parse_augmentation(text), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_mask_hides_whole_patches_under_the_mean) {
  const photo_bytes photo = noise(2);
  std::array<double, 3> mean{};
  for (std::size_t i = 0; i < photo.size(); ++i) mean[i % 3] += static_cast<double>(photo[i]) / (kHeight * kWidth);
  photo_bytes masked = photo, again = photo, other = photo;
  random_stream one(5), same(5), another(6);
  imgsim::mask_patches(masked, kHeight, kWidth, 0.25, one);
  imgsim::mask_patches(again, kHeight, kWidth, 0.25, same);
  imgsim::mask_patches(other, kHeight, kWidth, 0.25, another);
  BOOST_TEST(masked == again);
  BOOST_TEST(masked != other);
  std::set<std::size_t> hidden;
  for (std::size_t y = 0; y < kHeight; ++y) {
    for (std::size_t x = 0; x < kWidth; ++x) {
      const std::size_t at = (y * kWidth + x) * 3;
      if (std::equal(photo.begin() + static_cast<std::ptrdiff_t>(at),
                     photo.begin() + static_cast<std::ptrdiff_t>(at) + 3,
                     masked.begin() + static_cast<std::ptrdiff_t>(at)))
        continue;
      for (std::size_t c = 0; c < 3; ++c) BOOST_TEST(std::abs(masked[at + c] - mean[c]) <= 0.51);
      std::size_t row = 0, column = 0;  // of the 8 x 8 patches, whose borders are at floor(i * extent / 8)
      while ((row + 1) * kHeight / 8 <= y) ++row;
      while ((column + 1) * kWidth / 8 <= x) ++column;
      hidden.insert(row * 8 + column);
    }
  }
  BOOST_TEST(hidden.size() == 16u);
  photo_bytes whole = photo;
  imgsim::mask_patches(whole, kHeight, kWidth, 0.0, one);
  BOOST_TEST(whole == photo);
  BOOST_CHECK_THROW(imgsim::mask_patches(whole, kHeight, kWidth, 1.0, one), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
