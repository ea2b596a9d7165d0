// Formats: what decodes, and to which pixels.
#include <imgsim/image/decode.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <turbojpeg.h>

#include <boost/test/unit_test.hpp>

#include <imgsim/image/encode.hpp>

#include "image/decode_support.hpp"
#include "image/made_files.hpp"
#include "support/test_data.hpp"

namespace {

using namespace imgsim_test;
using imgsim::decode_image;
using imgsim::rgb_image;

std::uint8_t over_white(double level, double alpha) {
  return static_cast<std::uint8_t>(std::lround((level * alpha + 255.0 * (255.0 - alpha)) / 255.0));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(decoding)

BOOST_AUTO_TEST_CASE(each_bad_photo_is_refused_with_its_reason_and_each_good_one_decodes, *needs_data("bad")) {
  const std::map<std::string, std::string> kReasons = {
      {"1x1.png", "too small"},
      {"1x5000.jpg", "too small"},
      {"bad_crc.png", "the PNG is damaged"},
      {"bomb_10000x10000.png", "--max-pixels"},
      {"bomb_claims_60000x60000.png", "--max-pixels"},
      {"bomb_claims_65500x65500.jpg", "--max-pixels"},
      {"empty.jpg", "the file is empty"},
      {"html404.jpg", "a web page"},
      {"jpeg_garbage_after_soi.jpg", "the JPEG is damaged: it holds no picture"},
      {"text.jpg", "no JPEG, PNG or WebP"},
      {"truncated.png", "the PNG is damaged: the file ends too early"},
      {"truncated_half.jpg", "the JPEG is damaged: Premature end"},
      {"zero_dims.jpg", "the JPEG is damaged"},
  };
  std::size_t refused = 0;
  const std::string printed = standard_error_of([&] {
    for (const auto& entry : std::filesystem::directory_iterator(data_folder() / "bad")) {
      const std::string name = entry.path().filename();
      BOOST_TEST_CONTEXT(name) {
        const auto expected = kReasons.find(name);
        try {
          const rgb_image image = imgsim::read_image(entry.path());
          BOOST_TEST((expected == kReasons.end()));
          BOOST_TEST(image.pixels.size() == image.width * image.height * 3);
        } catch (const imgsim::io_error& failure) {
          ++refused;
          BOOST_REQUIRE((expected != kReasons.end()));
          BOOST_TEST(contains(failure.reason(), expected->second), failure.reason());
          BOOST_TEST(!contains(failure.reason(), "\n"));
          BOOST_TEST(!contains(failure.reason(), name));
          BOOST_TEST(contains(failure.what(), name));
        }
      }
    }
  });
  BOOST_TEST(refused == kReasons.size());
  BOOST_TEST(printed == "");
}

BOOST_AUTO_TEST_CASE(one_photo_in_eight_formats_looks_the_same, *needs_data("bad")) {
  const std::filesystem::path folder = data_folder() / "bad";
  const rgb_image original = imgsim::read_image(folder / "png_renamed_ok.jpg");
  // Inks, chroma subsampling and compression change pixels; a mistake in colours or orientation changes them all.
  for (const char* name : {"progressive_ok.jpg", "webp_renamed.jpg", "cmyk.jpg"}) {
    const rgb_image image = imgsim::read_image(folder / name);
    BOOST_REQUIRE_EQUAL(image.pixels.size(), original.pixels.size());
    double sum = 0.0;
    for (std::size_t i = 0; i < image.pixels.size(); ++i) sum += std::abs(image.pixels[i] - original.pixels[i]);
    BOOST_TEST(sum / static_cast<double>(image.pixels.size()) < 8.0, name);
  }
}

BOOST_AUTO_TEST_CASE(the_same_bytes_with_another_orientation_are_the_same_pixels_turned, *needs_data("bad")) {
  const std::filesystem::path folder = data_folder() / "bad";
  const rgb_image stored = imgsim::read_image(folder / "exif_orientation_1_ok.jpg");
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const rgb_image upright =
        imgsim::read_image(folder / ("exif_orientation_" + std::to_string(orientation) + "_ok.jpg"));
    BOOST_TEST(largest_difference(stored_as(upright, orientation), stored) == 0);
  }
}

BOOST_AUTO_TEST_CASE(every_orientation_comes_out_upright) {
  const rgb_image upright = gradient(80, 48);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    BOOST_TEST_CONTEXT("orientation " << orientation) {
      const rgb_image stored = stored_as(upright, orientation);
      for (const bool big_endian : {false, true}) {
        const bytes tiff = tiff_with_orientation(orientation, big_endian);
        BOOST_TEST(largest_difference(decode_image(make_png(stored, tiff)), upright) == 0);
        const bytes webp = extended_webp(stored.width, stored.height, webp_exif,
                                         {webp_content(make_webp(stored)), webp_chunk("EXIF", tiff)});
        BOOST_TEST(largest_difference(decode_image(webp), upright) == 0);
        const bytes jpeg = with_jpeg_exif(imgsim::encode_jpeg(stored.view(), 100), tiff);
        BOOST_TEST(largest_difference(decode_image(jpeg), upright) <= 6);  // half-size chroma at the edges
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_orientation_that_makes_no_sense_is_ignored) {
  const rgb_image image = gradient(12, 8);
  for (const int orientation : {0, 9, 65535})
    BOOST_TEST(largest_difference(decode_image(make_png(image, tiff_with_orientation(orientation, true))), image) == 0);
  const bytes tiff = tiff_with_orientation(6, true);
  for (std::size_t size = 1; size < 20; ++size) {  // cut before the value
    const bytes cut(tiff.begin(), tiff.begin() + static_cast<std::ptrdiff_t>(size));
    const bytes jpeg = with_jpeg_exif(imgsim::encode_jpeg(image.view(), 100), cut);
    BOOST_TEST(decode_image(jpeg).width == 12U);
  }
}

BOOST_AUTO_TEST_CASE(grey_png_of_every_depth_is_spread_to_eight_bits) {
  for (const bool interlaced : {false, true}) {
    for (const int depth : {1, 2, 4, 8, 16}) {
      const std::size_t width = 13, height = 9;
      const unsigned top = (1u << depth) - 1;
      std::vector<std::vector<png_byte>> rows;
      rgb_image expected{width, height, {}};
      for (std::size_t y = 0; y < height; ++y) {
        std::vector<png_byte> row((width * static_cast<std::size_t>(depth) + 7) / 8);
        for (std::size_t x = 0; x < width; ++x) {
          const auto value = static_cast<unsigned>((x * 5003 + y * 7919) % (top + 1));
          for (std::size_t bit = 0; bit < static_cast<std::size_t>(depth); ++bit) {
            const std::size_t at = x * static_cast<std::size_t>(depth) + bit;
            if ((value >> (static_cast<std::size_t>(depth) - 1 - bit) & 1u) != 0)
              row[at / 8] = static_cast<png_byte>(row[at / 8] | 0x80u >> at % 8);
          }
          const auto level = static_cast<std::uint8_t>(std::lround(255.0 * value / top));
          expected.pixels.insert(expected.pixels.end(), 3, level);
        }
        rows.push_back(row);
      }
      const bytes file = make_png({.width = width,
                                   .height = height,
                                   .colour_type = PNG_COLOR_TYPE_GRAY,
                                   .bit_depth = depth,
                                   .interlaced = interlaced},
                                  rows);
      BOOST_TEST(largest_difference(decode_image(file), expected) == 0, depth << " bits");
    }
  }
}

BOOST_AUTO_TEST_CASE(transparency_is_laid_over_white) {
  const std::size_t width = 16, height = 16;
  const rgb_image colours = gradient(width, height);
  std::vector<std::uint8_t> rgba;
  std::vector<std::vector<png_byte>> rows8(height), rows16(height), grey_alpha(height);
  rgb_image expected{width, height, {}}, expected_grey{width, height, {}};
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      const auto alpha = static_cast<std::uint8_t>(y * width + x);  // 0 to 255
      for (std::size_t c = 0; c < 3; ++c) {
        const std::uint8_t level = colours.view()(y, x, c);
        rgba.push_back(level);
        rows8[y].push_back(level);
        rows16[y].insert(rows16[y].end(), 2, level);  // 257 * level
        expected.pixels.push_back(over_white(level, alpha));
        expected_grey.pixels.push_back(over_white(colours.view()(y, x, 0), alpha));
      }
      rgba.push_back(alpha);
      rows8[y].push_back(alpha);
      rows16[y].insert(rows16[y].end(), 2, alpha);
      grey_alpha[y].push_back(colours.view()(y, x, 0));
      grey_alpha[y].push_back(alpha);
    }
  }
  for (const bool interlaced : {false, true}) {
    const auto png = [&](int colour_type, int depth, const std::vector<std::vector<png_byte>>& rows) {
      return decode_image(make_png({width, height, colour_type, depth, interlaced}, rows));
    };
    BOOST_TEST(largest_difference(png(PNG_COLOR_TYPE_RGB_ALPHA, 8, rows8), expected) == 0);
    BOOST_TEST(largest_difference(png(PNG_COLOR_TYPE_RGB_ALPHA, 16, rows16), expected) == 0);
    BOOST_TEST(largest_difference(png(PNG_COLOR_TYPE_GRAY_ALPHA, 8, grey_alpha), expected_grey) == 0);
  }
  // An encoder may replace the colour below full transparency; expected is white there whatever it was.
  BOOST_TEST(largest_difference(decode_image(make_webp(width, height, rgba)), expected) == 0);
}

BOOST_AUTO_TEST_CASE(a_palette_and_a_transparent_colour_are_looked_up) {
  const std::vector<png_color> palette = {{10, 20, 30}, {200, 100, 50}, {0, 255, 0}};
  const std::vector<std::vector<png_byte>> rows = {{0, 1, 2}, {2, 1, 0}};
  const auto colour = [&](std::size_t i, double alpha) {
    return std::vector<std::uint8_t>{over_white(palette[i].red, alpha), over_white(palette[i].green, alpha),
                                     over_white(palette[i].blue, alpha)};
  };
  const auto picture = [&](double first, double second) {
    rgb_image image{3, 2, {}};
    for (const std::vector<png_byte>& row : rows)
      for (const png_byte i : row)
        for (const std::uint8_t level : colour(i, i == 0 ? first : i == 1 ? second : 255.0))
          image.pixels.push_back(level);
    return image;
  };
  const bytes opaque = make_png(
      {.width = 3, .height = 2, .colour_type = PNG_COLOR_TYPE_PALETTE, .bit_depth = 8, .palette = palette}, rows);
  BOOST_TEST(largest_difference(decode_image(opaque), picture(255, 255)) == 0);
  const bytes translucent = make_png({.width = 3,
                                      .height = 2,
                                      .colour_type = PNG_COLOR_TYPE_PALETTE,
                                      .bit_depth = 8,
                                      .palette = palette,
                                      .palette_alpha = {0, 77}},
                                     rows);
  BOOST_TEST(largest_difference(decode_image(translucent), picture(0, 77)) == 0);

  const bytes keyed = make_png({.width = 2,
                                .height = 2,
                                .colour_type = PNG_COLOR_TYPE_GRAY,
                                .bit_depth = 8,
                                .has_transparent_colour = true,
                                .transparent_colour = {.index = 0, .red = 0, .green = 0, .blue = 0, .gray = 40}},
                               {{40, 41}, {0, 40}});
  const rgb_image expected{2, 2, {255, 255, 255, 41, 41, 41, 0, 0, 0, 255, 255, 255}};
  BOOST_TEST(largest_difference(decode_image(keyed), expected) == 0);
}

BOOST_AUTO_TEST_CASE(four_inks_become_three_colours) {
  const std::size_t side = 32;
  const rgb_image light = gradient(side, side);
  std::vector<std::uint8_t> inks;
  rgb_image expected{side, side, {}};
  for (std::size_t i = 0; i < side * side; ++i) {
    const auto black = static_cast<std::uint8_t>(255 - i % side);
    for (std::size_t c = 0; c < 3; ++c) {
      inks.push_back(light.pixels[3 * i + c]);
      expected.pixels.push_back(static_cast<std::uint8_t>(std::lround(light.pixels[3 * i + c] * black / 255.0)));
    }
    inks.push_back(black);
  }
  unsigned char* data = nullptr;
  unsigned long size = 0;
  tjhandle handle = tjInitCompress();
  BOOST_REQUIRE(tjCompress2(handle, inks.data(), side, 0, side, TJPF_CMYK, &data, &size, TJSAMP_444, 100, 0) == 0);
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  const bytes file(begin, begin + size);
  tjFree(data);
  tjDestroy(handle);
  BOOST_TEST(largest_difference(decode_image(file), expected) <= 4);  // two roundings a conversion
}

BOOST_AUTO_TEST_CASE(the_first_frame_of_an_animation_is_taken) {
  const rgb_image frame = gradient(10, 6), other = gradient(4, 4);
  const auto framed = [](std::size_t left, std::size_t top, const rgb_image& image) {
    bytes content;
    for (const std::size_t number : {left / 2, top / 2, image.width - 1, image.height - 1, std::size_t{100}})
      append_number(content, number, 3, false);
    content.push_back(std::byte{0});
    append(content, webp_content(make_webp(image)));
    return webp_chunk("ANMF", content);
  };
  const bytes settings = webp_chunk("ANIM", bytes(6));
  const bytes file = extended_webp(16, 12, webp_animated, {settings, framed(4, 2, frame), framed(0, 0, other)});
  rgb_image expected{16, 12, std::vector<std::uint8_t>(16 * 12 * 3, 255)};
  for (std::size_t y = 0; y < frame.height; ++y)
    for (std::size_t x = 0; x < frame.width; ++x)
      for (std::size_t c = 0; c < 3; ++c) expected.view()(y + 2, x + 4, c) = frame.view()(y, x, c);
  BOOST_TEST(largest_difference(decode_image(file), expected) == 0);

  const bytes outside = extended_webp(16, 12, webp_animated, {settings, framed(8, 2, frame)});
  BOOST_TEST(contains(refusal(outside), "does not fit its canvas"));
  BOOST_TEST(contains(refusal(extended_webp(16, 12, webp_animated, {settings})), "the WebP"));
  BOOST_TEST(
      contains(refusal(extended_webp(16000, 16000, webp_animated, {settings, framed(0, 0, frame)})), "--max-pixels"));
}

BOOST_AUTO_TEST_SUITE_END()
