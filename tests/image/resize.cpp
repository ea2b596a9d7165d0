#include <imgsim/image/resize.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>
#include <imgsim/image/image.hpp>

#include "image/pillow_bilinear.hpp"
#include "reference/resize_bilinear.hpp"

namespace {

using imgsim::rgb_image;
using imgsim::view;

rgb_image blank(std::size_t width, std::size_t height) {
  return {width, height, std::vector<std::uint8_t>(width * height * 3)};
}

/// The same as in make_pillow_bilinear.py.
rgb_image formula_picture(std::size_t width, std::size_t height) {
  rgb_image picture = blank(width, height);
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        const std::size_t stripe = (x / 3 + y / 2) % 4;
        const std::size_t level = y * y * 31 + x * x * 17 + x * y * 7 + c * 83 + (x ^ y) * 5;
        picture.view()(y, x, c) = stripe == 0 ? 255 : stripe == 1 ? 0 : static_cast<std::uint8_t>(level % 256);
      }
    }
  }
  return picture;
}

rgb_image noise(std::size_t width, std::size_t height, std::uint64_t seed) {
  rgb_image picture = blank(width, height);
  imgsim::random_stream random(seed);
  for (std::uint8_t& level : picture.pixels) level = static_cast<std::uint8_t>(random.below(256));
  return picture;
}

std::uint64_t fnv1a(const std::vector<std::uint8_t>& bytes) {
  std::uint64_t value = 0xcbf29ce484222325u;
  for (const std::uint8_t byte : bytes) value = (value ^ byte) * 0x100000001b3u;
  return value;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(resizing)

BOOST_AUTO_TEST_CASE(equals_pillow_bit_for_bit) {
  imgsim::bilinear_resizer resizer;
  for (const imgsim_test::pillow_case& recorded : imgsim_test::kPillowBilinear) {
    BOOST_TEST_CONTEXT(recorded.in_width << " x " << recorded.in_height << " to " << recorded.out_width << " x "
                                         << recorded.out_height) {
      const rgb_image in = formula_picture(recorded.in_width, recorded.in_height);
      rgb_image out = blank(recorded.out_width, recorded.out_height);
      resizer(in.view(), out.view());
      if (!recorded.pixels.empty()) BOOST_TEST(out.pixels == recorded.pixels, boost::test_tools::per_element());
      BOOST_TEST(fnv1a(out.pixels) == recorded.hash);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_instruction_set_gives_the_same_pixels) {
  const rgb_image in = noise(1031, 67, 5);
  rgb_image expected = blank(391, 38);
  resize_bilinear(in.view(), expected.view());

  imgsim::detail::resize_weights across, down;
  across.set(in.width, expected.width);
  down.set(in.height, expected.height);
  for (const imgsim::simd_level level : imgsim::kSimdLevels) {
    if (!imgsim::is_supported(level)) continue;
    BOOST_TEST_CONTEXT(imgsim::name_of(level)) {
      rgb_image out = blank(expected.width, expected.height);
      std::vector<std::uint8_t> bytes(256 * 16), narrowed((in.height + 4) * (out.width * 3 + 1));
      std::vector<std::int32_t> lanes(256 * 16), sums(256 * 16);
      imgsim::detail::resize(
          {in.pixels.data(), in.height, in.width, in.width * 3, out.pixels.data(), out.height, out.width, out.width * 3,
           &across, &down, bytes.data(), lanes.data(), sums.data(), narrowed.data()},
          level);
      BOOST_TEST(out.pixels == expected.pixels);
    }
  }
}

// Against the definition, within 1 level: the rows' result is rounded (1/2) before the columns' is (1/2), and weights
// are rounded to 2^-22, which adds less than 255 * (taps) * 2^-23.
BOOST_AUTO_TEST_CASE(follows_the_definition_for_odd_shapes) {
  constexpr std::array<std::array<std::size_t, 4>, 15> kShapes{{{1, 1, 1, 1},
                                                                {1, 1, 4, 7},
                                                                {2, 1, 1, 1},
                                                                {1, 50, 3, 3},
                                                                {50, 1, 3, 3},
                                                                {17, 31, 17, 31},
                                                                {17, 31, 16, 32},
                                                                {16, 16, 47, 3},
                                                                {65, 33, 64, 34},
                                                                {129, 5, 1, 1},
                                                                {3, 5, 43, 22},
                                                                {90, 60, 11, 65},
                                                                {1200, 2, 2, 2},
                                                                {3, 2, 700, 2},
                                                                {2, 1200, 2, 3}}};
  std::uint64_t seed = 0;
  for (const auto& [in_width, in_height, out_width, out_height] : kShapes) {
    const rgb_image in = noise(in_width, in_height, ++seed);
    rgb_image out = blank(out_width, out_height);
    resize_bilinear(in.view(), out.view());
    double worst = 0.0;
    for (std::size_t y = 0; y < out_height; ++y)
      for (std::size_t x = 0; x < out_width; ++x)
        for (std::size_t c = 0; c < 3; ++c)
          worst = std::max(worst, std::abs(out.view()(y, x, c) -
                                           imgsim_reference::resized_pixel(in.view(), out_height, out_width, y, x, c)));
    BOOST_TEST(worst <= 1.0 + 255.0 * 1200 * 0x1.0p-23, in_width << " x " << in_height << ": " << worst);
  }
}

BOOST_AUTO_TEST_CASE(one_colour_stays_that_colour) {
  for (const int level : {0, 1, 127, 254, 255}) {
    rgb_image in = blank(301, 77), out = blank(64, 90);
    std::ranges::fill(in.pixels, static_cast<std::uint8_t>(level));
    resize_bilinear(in.view(), out.view());
    BOOST_TEST(std::ranges::all_of(out.pixels, [&](std::uint8_t p) { return p == level; }));
  }
}

BOOST_AUTO_TEST_CASE(strided_rows_are_read_and_written_in_place) {
  const rgb_image in = noise(20, 12, 1);
  rgb_image dense = blank(9, 8);
  resize_bilinear(in.view(), dense.view());

  rgb_image wide_in = noise(27, 12, 2), wide_out = noise(14, 8, 3);
  const rgb_image before = wide_out;
  const view<std::uint8_t, 3> part_in(wide_in.pixels.data() + 3 * 4, {12, 20, 3}, {27 * 3, 3, 1});
  const view<std::uint8_t, 3> part_out(wide_out.pixels.data() + 3 * 2, {8, 9, 3}, {14 * 3, 3, 1});
  for (std::size_t y = 0; y < 12; ++y)
    for (std::size_t x = 0; x < 20; ++x)
      for (std::size_t c = 0; c < 3; ++c) part_in(y, x, c) = in.view()(y, x, c);
  resize_bilinear(part_in, part_out);
  for (std::size_t y = 0; y < 8; ++y) {
    for (std::size_t x = 0; x < 14; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        const bool inside = x >= 2 && x < 11;
        BOOST_TEST(wide_out.view()(y, x, c) == (inside ? dense.view()(y, x - 2, c) : before.view()(y, x, c)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(shapes_that_make_no_sense_are_refused) {
  rgb_image some = blank(4, 4);
  const rgb_image none = blank(0, 4);
  BOOST_CHECK_THROW(resize_bilinear(none.view(), some.view()), imgsim::invalid_argument);
  rgb_image nothing_wanted = blank(0, 0);
  BOOST_CHECK_NO_THROW(resize_bilinear(some.view(), nothing_wanted.view()));
  const view<const std::uint8_t, 3> grey(some.pixels.data(), {4, 4, 1});
  BOOST_CHECK_THROW(resize_bilinear(grey, some.view()), imgsim::invalid_argument);
  const view<std::uint8_t, 3> sparse(some.pixels.data(), {2, 2, 3}, {24, 6, 1});
  BOOST_CHECK_THROW(resize_bilinear(some.view(), sparse), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
