// What is said of groups, and their contact sheet.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include <imgsim/report/contact_sheet.hpp>

using namespace imgsim;

BOOST_AUTO_TEST_SUITE(report_groups)

namespace {

rgb_image plain(std::size_t width, std::size_t height, colour ink) {
  return canvas(width, height, ink).image();
}

colour at(const rgb_image& image, std::size_t x, std::size_t y) {
  const std::uint8_t* pixel = &image.pixels[3 * (y * image.width + x)];
  return {pixel[0], pixel[1], pixel[2]};
}

}  // namespace

BOOST_AUTO_TEST_CASE(members_stand_by_distance_after_the_medoid) {
  const std::vector<std::size_t> medoids{0, 4, 6};
  const std::vector<std::uint32_t> labels{0, 1, 0, 1, 1, 1, 2};
  // Row 1 is a twin of medoid 4; rows 3 and 5 tie.
  const std::vector<float> distances{0, 0, 0.5f, 0.25f, 0, 0.25f, 0};
  const auto groups = summarise_groups(medoids, labels, distances);
  BOOST_TEST_REQUIRE(groups.size() == 3u);
  BOOST_TEST(groups[0].group == 1u);  // the largest first
  BOOST_TEST(groups[1].group == 0u);
  BOOST_TEST(groups[2].group == 2u);
  std::vector<std::size_t> rows;
  for (const grouped_photo& member : groups[0].members) rows.push_back(member.row);
  BOOST_TEST(rows == (std::vector<std::size_t>{4, 1, 3, 5}), boost::test_tools::per_element());
  BOOST_TEST(groups[0].medoid() == 4u);
  BOOST_TEST(groups[0].nearest().row == 1u);
  BOOST_TEST(groups[0].farthest().row == 5u);
  BOOST_TEST(groups[0].mean_distance == 0.125);
  BOOST_TEST(groups[2].nearest().row == 6u);
  BOOST_TEST(groups[2].farthest().row == 6u);
  BOOST_TEST(summarise_groups({}, {}, {}).empty());
  const auto without = summarise_groups(medoids, std::vector<std::uint32_t>{0, 1, 0, kNoGroup, 1, 1, 2}, distances);
  BOOST_TEST(without[0].size() == 3u);
  BOOST_TEST(without[0].farthest().row == 5u);
}

BOOST_AUTO_TEST_CASE(groups_that_contradict_themselves_are_refused) {
  const std::vector<std::size_t> medoids{0, 1};
  const std::vector<float> distances{0, 0};
  BOOST_CHECK_THROW((void)summarise_groups(medoids, std::vector<std::uint32_t>{0, 2}, distances), invalid_argument);
  BOOST_CHECK_THROW((void)summarise_groups(medoids, std::vector<std::uint32_t>{0, 0}, distances), invalid_argument);
  BOOST_CHECK_THROW((void)summarise_groups(medoids, std::vector<std::uint32_t>{0}, distances), invalid_argument);
  BOOST_CHECK_THROW((void)summarise_groups(std::vector<std::size_t>{9, 1}, std::vector<std::uint32_t>{0, 1}, distances),
                    invalid_argument);
}

BOOST_AUTO_TEST_CASE(contact_sheet_frames_the_medoid) {
  const std::vector<std::size_t> medoids{2};
  const std::vector<std::uint32_t> labels{0, 0, 0, 0, 0};
  const std::vector<float> distances{0.1f, 0.4f, 0, 0.2f, 0.3f};
  const auto groups = summarise_groups(medoids, labels, distances);
  std::vector<std::size_t> asked;
  const auto read = [&](std::size_t row) {
    asked.push_back(row);
    return row == 3 ? rgb_image{} : plain(64, 64, {static_cast<std::uint8_t>(40 * row), 200, 90});
  };
  const contact_sheet_options options{.columns = 4, .lines = 1, .thumbnail = 64};
  const rgb_image sheet = draw_contact_sheet(groups, read, options);
  BOOST_TEST(asked == (std::vector<std::size_t>{2, 0, 3, 1}), boost::test_tools::per_element());  // row 4 not shown
  // Margin 28, heading 30, thumbnails 64 + 8 apart; the width is the floor of 320 that keeps headings whole.
  BOOST_TEST(sheet.width == 320u + 56u);
  BOOST_TEST(sheet.height == 28u + 30u + 72u + 18u + 28u);
  BOOST_CHECK(at(sheet, 28, 58 + 30) == palette::kMedoid);
  BOOST_CHECK(at(sheet, 28 + 32, 58 + 32) == (colour{80, 200, 90}));
  BOOST_CHECK(at(sheet, 28 + 72, 58 + 1) == (colour{0, 200, 90}));
  BOOST_CHECK(at(sheet, 28 + 3 * 72 + 32, 58 + 32) == (colour{40, 200, 90}));  // the farthest
  BOOST_CHECK(at(sheet, 28 + 3 * 72, 58 + 32) != (colour{40, 200, 90}));       // in a frame
  BOOST_CHECK(at(sheet, 28 + 72, 58 + 32) == (colour{0, 200, 90}));
  asked.clear();
  (void)draw_contact_sheet(groups, read, {.columns = 5, .thumbnail = 64});
  BOOST_TEST(asked == (std::vector<std::size_t>{2, 0, 3, 4, 1}), boost::test_tools::per_element());
  BOOST_CHECK_THROW((void)draw_contact_sheet(groups, read, {.columns = 0}), invalid_argument);
  BOOST_CHECK_THROW((void)draw_contact_sheet(groups, read, {.thumbnail = 8}), invalid_argument);
  const rgb_image none = draw_contact_sheet({}, read, options);
  BOOST_TEST(none.height == 56u);
  const rgb_image counted = draw_contact_sheet(groups, read, {.columns = 4, .thumbnail = 64, .max_groups = 0});
  BOOST_TEST(counted.height == 56u + 30u);
}

BOOST_AUTO_TEST_CASE(contact_sheet_has_a_title_above_and_outliers_below) {
  const std::vector<float> distances{0, 0.1f, 0.9f, 0.8f, 0.7f, 0.6f, 0.5f};
  const auto groups =
      summarise_groups(std::vector<std::size_t>{0},
                       std::vector<std::uint32_t>{0, 0, kNoGroup, kNoGroup, kNoGroup, kNoGroup, kNoGroup}, distances);
  const std::vector<grouped_photo> outliers{{2, 0.9f}, {3, 0.8f}, {4, 0.7f}, {5, 0.6f}, {6, 0.5f}};
  std::vector<std::size_t> asked;
  const auto read = [&](std::size_t row) {
    asked.push_back(row);
    return plain(64, 64, {static_cast<std::uint8_t>(40 * row), 200, 90});
  };
  contact_sheet_options options{.outliers = outliers, .columns = 4, .thumbnail = 64};
  const rgb_image sheet = draw_contact_sheet(groups, read, options);
  BOOST_TEST(asked == (std::vector<std::size_t>{0, 1, 2, 3, 4, 5}), boost::test_tools::per_element());
  BOOST_TEST(sheet.height == 56u + 2 * (30u + 72u + 18u));
  const std::size_t second = 28 + 120 + 30;
  BOOST_CHECK(at(sheet, 28 + 32, second + 32) == (colour{80, 200, 90}));
  BOOST_CHECK(at(sheet, 28, second) == (colour{80, 200, 90}));            // no frame
  BOOST_CHECK(at(sheet, 28 + 3 * 72, second) == (colour{200, 200, 90}));  // nor at the last
  options.title = "7 photos in 1 group";
  const rgb_image titled = draw_contact_sheet(groups, read, options);
  BOOST_TEST(titled.height == sheet.height + 48u);
  BOOST_CHECK(at(titled, 28 + 32, 48 + second + 32) == (colour{80, 200, 90}));
}

BOOST_AUTO_TEST_SUITE_END()
