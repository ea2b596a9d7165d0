// Pages: well-formed, whole in themselves, every name shown and none run.
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "report/markup.hpp"
#include "support/count_of.hpp"

#include <imgsim/report/html_sections.hpp>

using namespace imgsim;
using namespace imgsim_test;

namespace {

rgb_image plain(std::size_t width, std::size_t height) {
  return canvas(width, height, {200, 30, 30}).image();
}

const std::string kEvil = "<script>alert(\"1\")</script>\n\xff'.jpg";

photo_provider provider() {
  return {[](std::size_t row) { return row == 1 ? kEvil : "photo-" + std::to_string(row) + ".jpg"; },
          [](std::size_t row) { return row == 2 ? rgb_image{} : plain(64, 32); }};
}

void check_page(const std::string& html) {
  BOOST_TEST(markup_fault(html) == "");
  BOOST_TEST(!holds(html, "<script"));
  BOOST_TEST(!holds(html, "\xff"));
  BOOST_TEST(holds(html, "<meta charset=\"utf-8\">"));
  BOOST_TEST(holds(html, "name=\"viewport\""));
  BOOST_TEST(holds(html, "prefers-color-scheme: dark"));
  BOOST_TEST(count_of(html, "<img ") == count_of(html, "src=\"data:image/jpeg;base64,"));
  BOOST_TEST(count_of(html, "<img ") == count_of(html, " alt=\""));
  BOOST_TEST(count_of(html, "http") == count_of(html, "http://www.w3.org/2000/svg"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(report_html)

BOOST_AUTO_TEST_CASE(thumbnails_shrink_and_keep_their_shape) {
  const embedded_picture wide = embed_photo(plain(800, 400).view(), 200);
  BOOST_TEST(wide.width == 200u);
  BOOST_TEST(wide.height == 100u);
  const embedded_picture small = embed_photo(plain(30, 20).view(), 200);
  BOOST_TEST(small.width == 30u);
  BOOST_TEST(small.height == 20u);
  BOOST_TEST(embed_photo({}).width == 0u);
  BOOST_TEST(wide.data_uri.starts_with("data:image/jpeg;base64,/9j/"));  // a JPEG's first bytes
}

BOOST_AUTO_TEST_CASE(an_empty_page_is_a_page) {
  check_page(html_page("Nothing").html());
  BOOST_TEST(!holds(html_page("Nothing").html(), "<nav"));
}

BOOST_AUTO_TEST_CASE(long_names_are_broken_wherever_they_stand) {
  const std::string page = html_page("Nothing").html();
  const std::size_t body = page.find("body{");
  BOOST_TEST_REQUIRE(body != std::string::npos);
  BOOST_TEST(page.substr(body, page.find('}', body) - body).find("overflow-wrap:anywhere") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(all_parts_are_escaped) {
  html_page page(kEvil, kEvil);
  page.section(kEvil).heading(kEvil, kEvil).paragraph(kEvil).remark(kEvil);
  page.facts(std::vector<std::pair<std::string, std::string>>{{kEvil, kEvil}});
  text_table cells{{{kEvil}, {"n", alignment::right}}, {}};
  cells.add_row({kEvil, "1"});
  page.table(cells).section("second");
  line_plot plot{.title = kEvil};
  page.plot(plot);
  const photo_card card{.picture = embed_photo(plain(8, 8).view()), .path = kEvil, .badge = kEvil, .caption = kEvil};
  page.photo(card).cards(std::vector<photo_card>{card}, card_size::small);
  const std::string html = page.html();
  check_page(html);
  BOOST_TEST(count_of(html, "<section ") == 2u);
  BOOST_TEST(count_of(html, "<nav") == 1u);
  // title, h1, summary, nav, h2, h3 and its note, p, remark, dt, dd, th, td, plot's title twice, two cards of five.
  BOOST_TEST(count_of(html, "&lt;script&gt;") == 25u);
}

BOOST_AUTO_TEST_CASE(long_text_of_a_table_keeps_a_width_that_can_be_read) {
  const std::string path = "holidays/the lake/august.jpg";
  html_page page("Photos");
  text_table cells{{{"path"}, {"n", alignment::right}}, {}};
  cells.add_row({path, "1"});
  cells.add_row({"a.jpg", "12345678901234567890"});
  const std::string html = page.table(cells).html();
  BOOST_TEST(holds(html, "<td class=\"long\">" + path + "</td><td class=\"right\">1</td>"));
  BOOST_TEST(holds(html, "<td>a.jpg</td><td class=\"right\">12345678901234567890</td>"));
  BOOST_TEST(holds(html, "td{overflow-wrap:normal}\ntd.long{overflow-wrap:anywhere;min-width:18ch}"));
}

BOOST_AUTO_TEST_CASE(a_query_shows_rank_path_and_score) {
  html_page page("Similar photos");
  const std::vector<match> matches{{3, 0.98765f}, {1, 0.5f}, {2, -0.25f}};
  const rgb_image query = plain(600, 300);
  add_query(page, query.view(), "query.jpg", matches, "cosine", provider());
  const std::string html = page.html();
  check_page(html);
  BOOST_TEST(holds(html, "query.jpg (cosine)</h2>"));
  BOOST_TEST(holds(html,
                   "<span class=\"badge\">1</span><span>0.988</span></span><bdi class=\"path\" "
                   "title=\"photo-3.jpg\">photo-3.jpg</bdi>"));
  BOOST_TEST(holds(html, "-0.250"));
  BOOST_TEST(count_of(html, "photo not readable") == 1u);
  BOOST_TEST(holds(html, "width=\"480\" height=\"240\" alt=\"query.jpg\""));
}

BOOST_AUTO_TEST_CASE(a_long_name_is_shortened_below_its_photo_and_whole_in_its_title) {
  html_page page("Names");
  const std::string name = "folder/" + std::string(200, 'n') + "/end.jpg";
  photo_card card;
  card.path = name;
  page.photo(card);
  const std::string html = page.html();
  BOOST_TEST(count_of(html, name) == 1u);
  BOOST_TEST(holds(html, "<bdi class=\"path\" title=\"" + name + "\">folder/nnn"));
  BOOST_TEST(holds(html, "n/end.jpg</bdi>"));
}

BOOST_AUTO_TEST_CASE(groups_state_what_is_not_shown) {
  std::vector<std::uint32_t> labels(12, 0);
  labels[10] = 1;
  labels[11] = 2;
  std::vector<float> distances(12);
  std::iota(distances.begin(), distances.end(), 0.0f);
  distances[10] = distances[11] = 0;
  const std::vector<std::size_t> medoids{0, 10, 11};
  const auto groups = summarise_groups(medoids, labels, distances);
  html_page page("Groups");
  page.section("Groups");
  add_groups(page, groups, provider(), {.members = 3, .max_groups = 2});
  const std::string html = page.html();
  check_page(html);
  BOOST_TEST(count_of(html, "class=\"framed\"") == 2u);
  BOOST_TEST(holds(html, "10 photos, mean distance 4.500"));
  BOOST_TEST(count_of(html, "&lt;script&gt;") ==
             3u);                                 // the nearest member, row 1, stands once: alt text, title and caption
  BOOST_TEST(holds(html, "and 4 more between"));  // 10 less medoid, nearest, farthest and 3 others
  BOOST_TEST(holds(html, "and 1 more group, not shown"));
  BOOST_TEST(holds(html, "<span class=\"badge\">farthest</span><span>9.000</span>"));
}

BOOST_AUTO_TEST_CASE(outliers_are_shown_with_their_distances_and_counted) {
  std::vector<grouped_photo> outliers;
  for (std::size_t row = 0; row < 5; ++row) outliers.push_back({row, 9.0f - static_cast<float>(row)});
  html_page page("Groups");
  page.section("Outliers");
  add_outliers(page, outliers, provider(), {.members = 3});
  const std::string html = page.html();
  check_page(html);
  BOOST_TEST(holds(html, "<span>9.000</span>"));
  BOOST_TEST(holds(html, "<span>7.000</span>"));
  BOOST_TEST(!holds(html, "6.000"));
  BOOST_TEST(holds(html, "and 2 more<"));
}

BOOST_AUTO_TEST_CASE(training_shows_plot_table_and_reconstructions) {
  std::vector<epoch_record> history(3);
  for (std::size_t i = 0; i < 3; ++i) history[i] = {i + 1, 1.0 / static_cast<double>(i + 1), std::nan(""), 1e-3, 2.5};
  html_page page("Training");
  page.section("Loss");
  add_training(page, history);
  const rgb_image photo = plain(16, 16);
  add_reconstructions(page, std::vector<reconstruction>{{photo.view(), photo.view(), kEvil}});
  const std::string html = page.html();
  check_page(html);
  BOOST_TEST(count_of(html, "<polyline") == 1u);  // no validation, no second line
  BOOST_TEST(holds(html, "<td class=\"right\">0.33333</td><td class=\"right\"></td><td class=\"right\">0.001</td>"));
  BOOST_TEST(holds(html, "reconstruction"));
  BOOST_TEST(!holds(html, "nan"));
  history[1].validation_loss = 0.5;
  BOOST_TEST(loss_history_plot(history).series.size() == 2u);
}

BOOST_AUTO_TEST_CASE(the_curve_marks_the_chosen_k) {
  choose_k_result choice;
  for (std::size_t k = 2; k < 9; ++k) {
    k_choice step;
    step.k = k;
    step.cost = 10.0 / static_cast<double>(k);
    step.medoid_silhouette = 0.1 * static_cast<double>(k);
    choice.curve.push_back(step);
  }
  choice.recommended_k = 4;
  choice.verdict = "no clear elbow";
  const line_plot plot = choose_k_plot(choice);
  BOOST_TEST_REQUIRE(plot.marks.size() == 1u);
  BOOST_TEST(plot.marks[0].x == 4.0);
  BOOST_TEST(plot.marks[0].label == "K = 4, no clear elbow");
  BOOST_TEST_REQUIRE(plot.series.size() == 2u);
  BOOST_TEST(plot.series[0].y[0] == 5.0);
  BOOST_TEST(plot.series[1].y[0] == 0.2);
  BOOST_TEST(plot.series[1].on_right);
  choice.clear = true;
  BOOST_TEST(choose_k_plot(choice).marks.at(0).label == "K = 4");
  choice.recommended_k = 0;
  BOOST_TEST(choose_k_plot(choice).marks.empty());
}

BOOST_AUTO_TEST_SUITE_END()
