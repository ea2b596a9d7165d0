// Whether photos are laid over each other as they should: known shifts and scales, mirrorings, other photos.
#include <imgsim/image/aligned_difference.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numbers>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>
#include <imgsim/image/image.hpp>

using namespace imgsim;

namespace {

/// A scene that can be looked at through any window: waves of many directions and colours, in units of its sides, the
/// lower for the finer ones, as in photos.
class scene {
 public:
  explicit scene(std::uint64_t seed) {
    random_stream random(seed);
    for (wave& w : waves_)
      w = {random.uniform(-40, 40), random.uniform(-40, 40), random.uniform(0, 2 * std::numbers::pi),
           static_cast<std::size_t>(random.below(3)), 0};
    for (wave& w : waves_) w.height = 300 / (5 + std::hypot(w.across, w.down));
  }

  /// `place` takes a place of the thumbnail, in units of its sides, to one of the scene.
  [[nodiscard]] rgb_image seen(const std::function<std::array<double, 2>(double, double)>& place, double gain = 1,
                               double bias = 0) const {
    rgb_image image{.width = kAlignedSide, .height = kAlignedSide, .pixels = {}};
    for (std::size_t y = 0; y < kAlignedSide; ++y) {
      for (std::size_t x = 0; x < kAlignedSide; ++x) {
        const auto [u, v] =
            place((static_cast<double>(x) + 0.5) / kAlignedSide, (static_cast<double>(y) + 0.5) / kAlignedSide);
        std::array<double, 3> levels{128, 128, 128};
        for (const wave& w : waves_) levels[w.channel] += w.height * std::cos(w.across * u + w.down * v + w.phase);
        for (const double level : levels)
          image.pixels.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(gain * level + bias, 0.0, 255.0))));
      }
    }
    return image;
  }
  [[nodiscard]] rgb_image whole(double gain = 1, double bias = 0) const {
    return seen([](double u, double v) { return std::array{u, v}; }, gain, bias);
  }

 private:
  struct wave {
    double across, down, phase;
    std::size_t channel;
    double height;
  };
  std::array<wave, 40> waves_{};
};

photo_alignment align(const rgb_image& a, const rgb_image& b) {
  return photo_alignment::of(alignable_photo(a.view()), alignable_photo(b.view()));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(aligned_difference)

BOOST_AUTO_TEST_CASE(a_photo_lies_over_itself_whatever_its_brightness) {
  const scene s(1);
  BOOST_TEST(align(s.whole(), s.whole()).difference() < 1e-5);
  BOOST_TEST(align(s.whole(), s.whole(0.6, 30)).difference() < 1e-2);  // rounded to other levels
  BOOST_TEST(!align(s.whole(), s.whole()).mirrored);
}

BOOST_AUTO_TEST_CASE(crops_at_any_place_are_found_both_ways_round) {
  random_stream random(3);
  for (std::uint64_t seed = 10; seed < 30; ++seed) {
    const scene s(seed);
    const double across = random.uniform(0.82, 1), down = random.uniform(0.82, 1);
    const double x = random.uniform(0, 1 - across), y = random.uniform(0, 1 - down);
    const bool is_mirrored = seed % 2 == 0;
    const rgb_image crop =
        s.seen([&](double u, double v) { return std::array{x + across * (is_mirrored ? 1 - u : u), y + down * v}; });
    const photo_alignment found = align(crop, s.whole());
    BOOST_TEST_CONTEXT("seed " << seed << ", " << across << " x " << down << " at " << x << ", " << y) {
      BOOST_TEST(found.difference() < 0.02);
      BOOST_TEST(found.mirrored == is_mirrored);
      BOOST_TEST(align(s.whole(), crop).difference() < 0.02);
    }
  }
}

BOOST_AUTO_TEST_CASE(other_photos_differ) {
  for (std::uint64_t seed = 40; seed < 60; ++seed)
    BOOST_TEST(align(scene(seed).whole(), scene(seed + 100).whole()).difference() > 0.4);
}

BOOST_AUTO_TEST_CASE(the_same_shapes_in_other_colours_differ) {
  const rgb_image photo = scene(5).whole();
  rgb_image turned = photo;
  for (std::size_t i = 0; i < turned.pixels.size(); i += 3) std::swap(turned.pixels[i], turned.pixels[i + 2]);
  BOOST_TEST(align(photo, turned).difference() > 0.2);
}

BOOST_AUTO_TEST_CASE(even_pictures_lie_over_nothing) {
  rgb_image grey{.width = kAlignedSide, .height = kAlignedSide, .pixels = {}};
  grey.pixels.assign(kAlignedSide * kAlignedSide * 3, 90);
  BOOST_TEST(align(grey, grey).difference() == 1.0);
  BOOST_TEST(align(grey, scene(6).whole()).difference() == 1.0);
}

BOOST_AUTO_TEST_CASE(thumbnails_of_another_size_are_refused) {
  rgb_image small{.width = 20, .height = kAlignedSide, .pixels = {}};
  small.pixels.resize(20 * kAlignedSide * 3);
  BOOST_CHECK_THROW(alignable_photo{small.view()}, invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
