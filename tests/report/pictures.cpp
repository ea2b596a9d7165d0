// Drawing: boxes, letters, grids.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <string>
#include <vector>

#include <imgsim/report/grid.hpp>

using namespace imgsim;

BOOST_AUTO_TEST_SUITE(report_pictures)

namespace {

rgb_image plain(std::size_t width, std::size_t height, colour ink) {
  return canvas(width, height, ink).image();
}

colour at(const rgb_image& image, std::size_t x, std::size_t y) {
  const std::uint8_t* pixel = &image.pixels[3 * (y * image.width + x)];
  return {pixel[0], pixel[1], pixel[2]};
}

constexpr colour kWhite{255, 255, 255}, kRed{200, 30, 30}, kBlue{20, 40, 220};

std::size_t inked(const rgb_image& image) {
  std::size_t count = 0;
  for (std::size_t y = 0; y < image.height; ++y)
    for (std::size_t x = 0; x < image.width; ++x) count += at(image, x, y) == kWhite ? 0 : 1;
  return count;
}

rgb_image drawn_text(const std::string& text, double size) {
  canvas picture(60, 60, kWhite);
  draw_text(picture, 10, 40, text, {.size = size});
  return picture.image();
}

}  // namespace

BOOST_AUTO_TEST_CASE(letterbox_keeps_the_shape) {
  BOOST_CHECK((letterbox(200, 100, {0, 0, 100, 100}) == pixel_box{0, 25, 100, 50}));
  BOOST_CHECK((letterbox(100, 200, {10, 20, 100, 100}) == pixel_box{35, 20, 50, 100}));
  BOOST_CHECK((letterbox(7, 7, {0, 0, 100, 100}) == pixel_box{0, 0, 100, 100}));
  BOOST_CHECK((letterbox(10000, 1, {0, 0, 100, 100}) == pixel_box{0, 49, 100, 1}));
  BOOST_CHECK_THROW((void)letterbox(0, 5, {0, 0, 100, 100}), invalid_argument);
}

BOOST_AUTO_TEST_CASE(drawing_is_clipped) {
  canvas picture(10, 10, kWhite);
  picture.fill({-5, -5, 8, 8}, kRed);
  picture.fill({8, 8, 100, 100}, kBlue);
  picture.frame({-1, -1, 12, 12}, 1, kRed);
  picture.blend(-1, 0, kRed, 1);
  picture.blend(10, 0, kRed, 1);
  picture.fit(plain(4, 4, kBlue).view(), {7, -2, 6, 6});
  BOOST_CHECK(at(picture.image(), 0, 0) == kRed);
  BOOST_CHECK(at(picture.image(), 3, 3) == kWhite);
  BOOST_CHECK(at(picture.image(), 9, 9) == kBlue);
  BOOST_CHECK(at(picture.image(), 9, 0) == kBlue);
  for (const std::string text : {"cut off", "\xff\xfe\n"}) {
    draw_text(picture, -4, 3, text, {.size = 30});
    draw_text(picture, 8, 30, text, {.size = 30});
  }
}

BOOST_AUTO_TEST_CASE(every_ascii_character_has_a_letter_of_its_own) {
  for (const double size : {14.0, 28.0}) {
    std::set<std::string> seen;  // pixels
    for (char character = ' '; character < 127; ++character) {
      BOOST_TEST_CONTEXT("character '" << character << "' at size " << size) {
        const rgb_image picture = drawn_text(std::string(1, character), size);
        BOOST_TEST(seen.emplace(picture.pixels.begin(), picture.pixels.end()).second);
        BOOST_TEST((inked(picture) > 0) == (character != ' '));
        // Ink stays between the line's top and foot, and within the letter's width.
        const auto right = static_cast<std::size_t>(10 + text_width(std::string(1, character), size) + 1);
        for (std::size_t y = 0; y < picture.height; ++y)
          for (std::size_t x = 0; x < picture.width; ++x)
            if (x < 8 || x > right || static_cast<double>(y) < 39 - size || static_cast<double>(y) > 41 + size / 4)
              BOOST_REQUIRE(at(picture, x, y) == kWhite);
      }
    }
    // All others share one box.
    const rgb_image box = drawn_text("\xc3\xa9", size);
    BOOST_TEST(inked(box) > 0u);
    BOOST_TEST(seen.emplace(box.pixels.begin(), box.pixels.end()).second);
    BOOST_CHECK(drawn_text("\xff", size).pixels == box.pixels);
    BOOST_CHECK(drawn_text("\n", size).pixels == box.pixels);
  }
}

BOOST_AUTO_TEST_CASE(text_is_fitted_to_a_width) {
  BOOST_TEST(fit_text("short", 14, 500) == "short");
  const std::string path = "animals/" + std::string(200, 'm') + "/cat.jpg";
  const std::string fitted = fit_text(path, 14, 160);
  BOOST_TEST(text_width(fitted, 14) <= 160.0);
  BOOST_TEST(text_width(fitted, 14) > 120.0);
  BOOST_TEST(fitted.substr(0, 4) == "anim");
  BOOST_TEST(fitted.substr(fitted.size() - 4) == ".jpg");
  BOOST_TEST(fit_text(path, 14, 0) == "");
  BOOST_TEST(fit_text("", 14, 0) == "");
  BOOST_TEST(text_width("", 14) == 0.0);
}

BOOST_AUTO_TEST_CASE(grid_has_the_query_above_and_matches_in_rows) {
  const rgb_image query = plain(40, 20, kRed), match = plain(30, 30, kBlue);
  std::vector<grid_match> matches(7, grid_match{match.view(), 0.5, "a/b.jpg"});
  matches[6].photo = {};
  const grid_options options{.columns = 3, .tile = 100, .query = 200, .score_name = "cosine similarity"};
  const rgb_image grid = draw_grid(query.view(), "query.jpg", matches, options);
  // Margin 28; query 200; heading 58; rows of 100 + caption 44 + gap 14; columns 100 + gap 14.
  BOOST_TEST(grid.width == 28u + 3 * 114 - 14 + 28);
  BOOST_TEST(grid.height == 28u + 200 + 58 + 3 * 158 - 14 + 28);
  BOOST_CHECK(at(grid, 0, 0) == palette::kPaper);
  const std::size_t middle = grid.width / 2;
  BOOST_CHECK(at(grid, middle, 28 + 100) == kRed);  // the wide query in the middle of its box
  BOOST_CHECK(at(grid, middle, 28 + 51) == kRed);
  BOOST_CHECK(at(grid, middle, 28 + 48) == palette::kAccent);  // framed
  BOOST_CHECK(at(grid, middle, 28 + 40) == palette::kPaper);
  const std::size_t tiles = 28 + 200 + 58;
  BOOST_CHECK(at(grid, 28, tiles) == kBlue);
  BOOST_CHECK(at(grid, 28 + 114 * 2 + 99, tiles + 158 + 99) == kBlue);
  BOOST_CHECK(at(grid, 28 + 114 * 2, tiles) == kBlue);  // the third column begins here
  BOOST_CHECK(at(grid, 28 + 114 * 2 - 1, tiles) == palette::kLine);
  BOOST_CHECK(at(grid, 28 + 114, tiles + 2 * 158 + 50) == palette::kPaper);  // the last row holds one
  BOOST_CHECK(at(grid, 28 + 50, tiles + 2 * 158 + 50) != kBlue);             // hatched: not readable
  BOOST_CHECK(at(grid, 28 + 50, tiles + 2 * 158 + 50) != palette::kPaper);
}

BOOST_AUTO_TEST_CASE(grid_edges) {
  const rgb_image query = plain(10, 10, kRed);
  const rgb_image empty = draw_grid(query.view(), "no matches", {});
  BOOST_TEST(empty.height == 28u + 320 + 58 + 28);
  const rgb_image missing = draw_grid({}, std::string(5000, '\xff'), {});
  BOOST_TEST(missing.width == empty.width);
  const std::vector<grid_match> one(1, grid_match{query.view(), -1.5, ""});
  BOOST_TEST(draw_grid(query.view(), "", one).width == 320u + 56);
  BOOST_CHECK_THROW((void)draw_grid(query.view(), "", one, {.columns = 0}), invalid_argument);
  BOOST_CHECK_THROW((void)draw_grid(query.view(), "", one, {.tile = 31}), invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
