#include <imgsim/image/encode.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

#include <boost/test/unit_test.hpp>

#include "image/decode_support.hpp"
#include "image/made_files.hpp"

namespace {

using namespace imgsim_test;
using imgsim::decode_image;
using imgsim::encode_jpeg;
using imgsim::encode_png;
using imgsim::rgb_image;
using imgsim::view;

}  // namespace

BOOST_AUTO_TEST_SUITE(encoding)

BOOST_AUTO_TEST_CASE(png_keeps_every_pixel) {
  for (const auto& [width, height] : {std::pair{2, 2}, {2, 300}, {301, 2}, {57, 31}}) {
    const rgb_image image = gradient(static_cast<std::size_t>(width), static_cast<std::size_t>(height));
    BOOST_TEST(largest_difference(decode_image(encode_png(image.view())), image) == 0);
    BOOST_TEST((encode_png(image.view()) == encode_png(image.view())));
  }
}

BOOST_AUTO_TEST_CASE(jpeg_is_close_and_closer_at_a_higher_quality) {
  const rgb_image image = gradient(61, 47);
  BOOST_TEST(largest_difference(decode_image(encode_jpeg(image.view(), 95)), image) <= 12);
  BOOST_TEST(encode_jpeg(image.view(), 95).size() > encode_jpeg(image.view(), 30).size());
}

BOOST_AUTO_TEST_CASE(a_part_of_a_larger_picture_is_encoded_from_its_place) {
  const rgb_image whole = gradient(40, 30);
  const view<const std::uint8_t, 3> part(whole.pixels.data() + 3 * (5 * 40 + 7), {9, 11, 3}, {40 * 3, 3, 1});
  rgb_image dense = gradient(11, 9);
  for (std::size_t y = 0; y < 9; ++y)
    for (std::size_t x = 0; x < 11; ++x)
      for (std::size_t c = 0; c < 3; ++c) dense.view()(y, x, c) = part(y, x, c);
  BOOST_TEST(largest_difference(decode_image(encode_png(part)), dense) == 0);
  BOOST_TEST((encode_jpeg(part) == encode_jpeg(dense.view())));
}

BOOST_AUTO_TEST_CASE(pictures_that_cannot_be_encoded_are_refused) {
  const rgb_image image = gradient(8, 8);
  const view<const std::uint8_t, 3> grey(image.pixels.data(), {8, 8, 1}), none(image.pixels.data(), {0, 8, 3});
  for (const auto& wrong : {grey, none}) {
    BOOST_CHECK_THROW(static_cast<void>(encode_png(wrong)), imgsim::invalid_argument);
    BOOST_CHECK_THROW(static_cast<void>(encode_jpeg(wrong)), imgsim::invalid_argument);
  }
  for (const int quality : {0, 101})
    BOOST_CHECK_THROW(static_cast<void>(encode_jpeg(image.view(), quality)), imgsim::invalid_argument);
  const rgb_image wide = gradient(65501, 1);
  BOOST_CHECK_THROW(static_cast<void>(encode_jpeg(wide.view())), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
