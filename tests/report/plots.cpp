// Axes and plots.
#include <boost/test/unit_test.hpp>
#include <limits>
#include <string>
#include <vector>

#include "report/markup.hpp"
#include "support/count_of.hpp"

#include <imgsim/report/svg_plot.hpp>

using namespace imgsim;
using namespace imgsim_test;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();

std::string labels(const plot_axis& axis) {
  std::string text;
  for (const axis_tick& tick : axis.ticks()) text += (text.empty() ? "" : " ") + tick.label;
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(report_plots)

BOOST_AUTO_TEST_CASE(ticks_are_round_numbers) {
  const auto linear = [](std::vector<double> values, std::size_t wanted, bool whole = false) {
    return labels(plot_axis(values, false, wanted, whole));
  };
  BOOST_TEST(linear({0, 10}, 5) == "0 2 4 6 8 10");
  BOOST_TEST(linear({0.03, 0.97}, 5) == "0.0 0.2 0.4 0.6 0.8 1.0");
  BOOST_TEST(linear({-1, 1}, 4) == "-1.0 -0.5 0.0 0.5 1.0");
  BOOST_TEST(linear({1, 3}, 8, true) == "1 2 3");
  BOOST_TEST(linear({5, 5}, 4, true) == "4 5 6");
  BOOST_TEST(linear({}, 5) == "0.0 0.2 0.4 0.6 0.8 1.0");
  BOOST_TEST(linear({kNan, kInf, 0, 4, -kInf}, 4) == "0 1 2 3 4");
  BOOST_TEST(linear({0, 3e9}, 3) == "0 1e+09 2e+09 3e+09");
  BOOST_TEST(labels(plot_axis(std::vector<double>{1, 1000}, true, 6)) == "1 2 5 10 20 50 100 200 500 1000");
  BOOST_TEST(labels(plot_axis(std::vector<double>{1, 1e8}, true, 4)) == "1 100 10000 1e+06 1e+08");
  BOOST_TEST(labels(plot_axis(std::vector<double>{0, -5}, true, 4)) == "1 2 5 10");
}

BOOST_AUTO_TEST_CASE(places_run_from_end_to_end) {
  for (const std::vector<double>& values :
       {std::vector<double>{3, 17}, {-2, -1}, {1e-9, 2e-9}, {1e15, 1e15 + 1}, {7}}) {
    const plot_axis axis(values, false, 5);
    BOOST_TEST(axis.place(axis.low()) == 0.0);
    BOOST_TEST(axis.place(axis.high()) == 1.0);
    BOOST_TEST(axis.ticks().size() >= 2u);
    BOOST_TEST(axis.ticks().size() < 40u);
    for (const double value : values) BOOST_TEST((axis.place(value) >= 0 && axis.place(value) <= 1));
  }
  const plot_axis decades(std::vector<double>{1, 100}, true, 5);
  BOOST_TEST(decades.place(10) == 0.5, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(plots_are_well_formed_and_escaped) {
  line_plot plot{.title = "<b>\"loss\" & 'more'</b>\n", .x_label = "a<b", .y_label = "\xff"};
  plot.series = {{"<script>", {1, 2, 3}, {3, 2, 1}}, {"two", {1, 2, 3}, {1, 1, 1}, true}};
  plot.marks = {{2, "K < 3"}, {3, "&"}};
  const std::string svg = render_svg(plot);
  BOOST_TEST(markup_fault(svg) == "");
  BOOST_TEST(!holds(svg, "<script"));
  BOOST_TEST(!holds(svg, "<b>"));
  BOOST_TEST(holds(svg, "&lt;script&gt;"));
  BOOST_TEST(holds(svg, "prefers-color-scheme:dark"));
  BOOST_TEST(count_of(svg, "http") == 1u);  // the name of the namespace
  BOOST_TEST(count_of(svg, "<polyline") == 2u);
  BOOST_TEST(count_of(svg, "<circle") == 3u);
  BOOST_TEST(count_of(svg, "class=\"mark\"") == 2u);
}

BOOST_AUTO_TEST_CASE(points_stand_where_their_values_are) {
  line_plot plot;
  plot.series = {{"", {0, 10}, {0, 10}}};
  plot.width = 400;
  plot.height = 300;
  // Labels of two digits: 22 + 2 * 7.2 on the left, 24 on the right; 34 below, 16 + 8 + 18 above.
  BOOST_TEST(holds(render_svg(plot), "points=\"36.4,266.0 376.0,42.0\""));
}

BOOST_AUTO_TEST_CASE(a_series_on_the_right_has_an_axis_of_its_own) {
  line_plot plot{.right_label = "share"};
  plot.width = 400;
  plot.height = 300;
  plot.log_y = true;
  plot.series = {{"", {0, 10}, {1, 10}}, {"", {0, 10}, {0, 0.5}, false, true}};
  const std::string svg = render_svg(plot);
  BOOST_TEST(markup_fault(svg) == "");
  BOOST_TEST(count_of(svg, ">share<") == 1u);
  BOOST_TEST(count_of(svg, ">0.5<") == 1u);  // its highest tick
  // From the lower left corner to the upper right one, both: 0 has a place on an axis that is not logarithmic. On the
  // right, 22 + 3 * 7.2 for its labels and 22 for its name; above, 22 for the names of the series.
  const std::string corner = "334.4,64.0\"";
  BOOST_TEST(count_of(svg, corner) == 2u, svg);
  plot.series.pop_back();
  BOOST_TEST(!holds(render_svg(plot), "share"));
}

BOOST_AUTO_TEST_CASE(gaps_break_the_line) {
  line_plot plot;
  plot.series = {{"", {1, 2, 3, 4, 5, 6, 7}, {1, 2, kNan, 4, kInf, 6, 7}}};
  std::string svg = render_svg(plot);
  BOOST_TEST(count_of(svg, "<polyline") == 2u);
  BOOST_TEST(count_of(svg, "<circle") == 1u);  // alone between two gaps
  BOOST_TEST(!holds(svg, "nan"));
  BOOST_TEST(!holds(svg, "inf"));
  plot.log_y = true;
  plot.series[0].y = {1, 0, 10, -1, 5, 6, 7};
  svg = render_svg(plot);
  BOOST_TEST(count_of(svg, "<polyline") == 1u);
  BOOST_TEST(count_of(svg, "<circle") == 2u);
}

BOOST_AUTO_TEST_CASE(few_points_and_none) {
  line_plot plot;
  BOOST_TEST(holds(render_svg(plot), "no values to show"));
  plot.series = {{"empty", {}, {}}};
  BOOST_TEST(holds(render_svg(plot), "no values to show"));
  plot.series = {{"not a number", {1}, {kNan}}};
  plot.marks = {{kNan, "nowhere"}};
  BOOST_TEST(holds(render_svg(plot), "no values to show"));
  BOOST_TEST(!holds(render_svg(plot), "nowhere"));
  plot.series = {{"one", {3}, {0.25}}};
  const std::string svg = render_svg(plot);
  BOOST_TEST(count_of(svg, "<circle") == 1u);
  BOOST_TEST(!holds(svg, "no values"));
  BOOST_TEST(!holds(svg, "nan"));
  for (const double same : {0.0, 1e-320, 1e300, -5.0}) {
    plot.series = {{"constant", {1, 2, 3}, {same, same, same}}};
    BOOST_TEST(!holds(render_svg(plot), "nan"));
    BOOST_TEST(markup_fault(render_svg(plot)) == "");
  }
  plot.series = {{"uneven", {1, 2}, {1}}};
  BOOST_CHECK_THROW((void)render_svg(plot), invalid_argument);
  plot.series.clear();
  plot.width = 100;
  BOOST_CHECK_THROW((void)render_svg(plot), invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
