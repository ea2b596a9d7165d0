// Line plots as SVG that stands alone: no fonts, scripts or files from elsewhere, readable on light and dark grounds.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/report/escape.hpp>
#include <imgsim/report/number.hpp>
#include <imgsim/report/plot_axis.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim {

/// A line through points (x[i], y[i]) in their order. A point that is not finite (or not positive on a logarithmic
/// axis) leaves a gap; a point between two gaps is a dot.
struct plot_series {
  std::string name = {};
  std::vector<double> x = {}, y = {};
  bool dots = false;      // a dot on every point
  bool on_right = false;  // its y is that of the axis on the right
};

/// A dashed upright line with its meaning: "K = 12".
struct plot_mark {
  double x = 0;
  std::string label = {};
};

struct line_plot {
  std::string title = {}, x_label = {}, y_label = {};
  std::string right_label = {};  // of the axis on the right, where a series has its y there
  std::vector<plot_series> series = {};
  std::vector<plot_mark> marks = {};
  bool log_x = false, log_y = false;  // of the axes at the bottom and on the left
  bool whole_x = false;               // ticks at whole x only: epochs, K
  std::size_t width = 720, height = 420;
};

namespace detail {

inline constexpr std::size_t kPlotColours = 6;

/// Colours of the series on light and on dark ground (each at least 3:1 against it), told apart by dashes as well.
inline constexpr std::string_view kPlotStyle =
    ".imgsim-plot{font:13px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}"
    ".imgsim-plot .ground{fill:#fff}.imgsim-plot text{fill:#4a4e5c}.imgsim-plot .title{fill:#1c1e26;font-size:16px;"
    "font-weight:600}.imgsim-plot .grid{stroke:#e4e6ec}.imgsim-plot .axis{stroke:#8b90a0}"
    ".imgsim-plot .mark{stroke:#b4232c;stroke-dasharray:5 4}.imgsim-plot .mark-label{fill:#b4232c;font-weight:600}"
    ".imgsim-plot .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}"
    ".imgsim-plot .s0{stroke:#2563cd}.imgsim-plot .s1{stroke:#c2570c}.imgsim-plot .s2{stroke:#15803d}"
    ".imgsim-plot .s3{stroke:#7c3aed}.imgsim-plot .s4{stroke:#be185d}.imgsim-plot .s5{stroke:#0e7490}"
    ".imgsim-plot .line.s1{stroke-dasharray:7 4}.imgsim-plot .line.s2{stroke-dasharray:2 4}"
    ".imgsim-plot .line.s3{stroke-dasharray:9 4 2 4}.imgsim-plot .line.s4{stroke-dasharray:12 5}"
    ".imgsim-plot .line.s5{stroke-dasharray:4 3}"
    ".imgsim-plot .d0{fill:#2563cd}.imgsim-plot .d1{fill:#c2570c}.imgsim-plot .d2{fill:#15803d}"
    ".imgsim-plot .d3{fill:#7c3aed}.imgsim-plot .d4{fill:#be185d}.imgsim-plot .d5{fill:#0e7490}"
    "@media(prefers-color-scheme:dark){.imgsim-plot .ground{fill:#1b1d24}.imgsim-plot text{fill:#b6bac8}"
    ".imgsim-plot .title{fill:#f0f1f5}.imgsim-plot .grid{stroke:#30333e}.imgsim-plot .axis{stroke:#767b8c}"
    ".imgsim-plot .mark{stroke:#ff7b82}.imgsim-plot .mark-label{fill:#ff7b82}"
    ".imgsim-plot .s0{stroke:#7cacff}.imgsim-plot .s1{stroke:#ff9f55}.imgsim-plot .s2{stroke:#5fd38a}"
    ".imgsim-plot .s3{stroke:#b99bff}.imgsim-plot .s4{stroke:#ff85b8}.imgsim-plot .s5{stroke:#5ccfe6}"
    ".imgsim-plot .d0{fill:#7cacff}.imgsim-plot .d1{fill:#ff9f55}.imgsim-plot .d2{fill:#5fd38a}"
    ".imgsim-plot .d3{fill:#b99bff}.imgsim-plot .d4{fill:#ff85b8}.imgsim-plot .d5{fill:#5ccfe6}}";

/// Writes SVG elements with numbers cut to a tenth of a pixel.
class svg_writer {
 public:
  explicit svg_writer(std::string& out) : out_(out) {}

  void line(std::string_view style, double x0, double y0, double x1, double y1) {
    append("<line class=\"", style, "\" x1=\"", at(x0), "\" y1=\"", at(y0), "\" x2=\"", at(x1), "\" y2=\"", at(y1),
           "\"/>\n");
  }
  void dot(std::size_t series, double x, double y) {
    append("<circle class=\"d", std::to_string(series % kPlotColours), "\" cx=\"", at(x), "\" cy=\"", at(y),
           "\" r=\"3\"/>\n");
  }
  void text(std::string_view style, std::string_view anchor, double x, double y, std::string_view content,
            std::string_view more = {}) {
    append("<text class=\"", style, "\" text-anchor=\"", anchor, "\" x=\"", at(x), "\" y=\"", at(y), "\"", more, ">",
           escape_markup(content), "</text>\n");
  }
  template <class... Parts>
  void append(const Parts&... parts) {
    (out_.append(parts), ...);
  }
  [[nodiscard]] static std::string at(double pixels) { return fixed_text(pixels, 1); }

 private:
  std::string& out_;
};

/// Roughly how wide the page's font sets `text` at 13 pixels.
inline double estimated_width(std::string_view text) {
  return 7.2 * static_cast<double>(terminal_width(text));
}

/// Draws the runs of a series between its gaps.
template <class PlaceX, class PlaceY>
void draw_series(svg_writer& svg, std::size_t number, const plot_series& series, const plot_axis& x_axis,
                 const plot_axis& y_axis, PlaceX&& place_x, PlaceY&& place_y) {
  const std::size_t count = series.x.size();
  const auto shown = [&](std::size_t i) { return x_axis.shows(series.x[i]) && y_axis.shows(series.y[i]); };
  for (std::size_t begin = 0; begin < count;) {
    std::size_t end = begin;
    while (end < count && shown(end)) ++end;
    if (end - begin > 1) {
      svg.append("<polyline class=\"line s", std::to_string(number % kPlotColours), "\" points=\"");
      for (std::size_t i = begin; i < end; ++i)
        svg.append(i > begin ? " " : "", svg_writer::at(place_x(series.x[i])), ",",
                   svg_writer::at(place_y(series.y[i])));
      svg.append("\"/>\n");
    }
    if (series.dots || end - begin == 1)
      for (std::size_t i = begin; i < end; ++i) svg.dot(number, place_x(series.x[i]), place_y(series.y[i]));
    begin = end + 1;
  }
}

}  // namespace detail

/// The plot as an SVG document (also valid inside HTML). Throws invalid_argument where a series has not as many x as y,
/// or the plot is under 240 x 160 pixels.
[[nodiscard]] inline std::string render_svg(const line_plot& plot) {
  IMGSIM_EXPECTS(plot.width >= 240 && plot.height >= 160, "a plot of ", plot.width, " x ", plot.height,
                 " is too small: it takes 240 x 160");
  std::vector<double> xs, ys, right_ys;
  const auto is_log = [&](const plot_series& series) { return plot.log_y && !series.on_right; };
  for (const plot_series& series : plot.series) {
    IMGSIM_EXPECTS(series.x.size() == series.y.size(), "series '", series.name, "' has ", series.x.size(), " x and ",
                   series.y.size(), " y");
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      // A point that one axis cannot show must not stretch the other.
      const bool shown = std::isfinite(series.x[i]) && std::isfinite(series.y[i]) && (!plot.log_x || series.x[i] > 0) &&
                         (!is_log(series) || series.y[i] > 0);
      if (!shown) continue;
      xs.push_back(series.x[i]);
      (series.on_right ? right_ys : ys).push_back(series.y[i]);
    }
  }
  for (const plot_mark& mark : plot.marks) xs.push_back(mark.x);
  const auto width = static_cast<double>(plot.width), height = static_cast<double>(plot.height);
  const plot_axis x_axis(xs, plot.log_x, std::max<std::size_t>(plot.width / 90, 2), plot.whole_x);
  const plot_axis y_axis(ys, plot.log_y, std::max<std::size_t>(plot.height / 60, 2));
  const plot_axis right_axis(right_ys, false, std::max<std::size_t>(plot.height / 60, 2));
  const bool has_right = !right_ys.empty();

  const auto room_for = [](const plot_axis& axis, const std::string& label) {
    double ticks = 0;
    for (const axis_tick& tick : axis.ticks()) ticks = std::max(ticks, detail::estimated_width(tick.label));
    return 22 + ticks + (label.empty() ? 0 : 22);
  };
  const double left = room_for(y_axis, plot.y_label);
  const double right = width - (has_right ? room_for(right_axis, plot.right_label) : 24);
  const double bottom = height - (plot.x_label.empty() ? 34 : 54);
  const bool legend = plot.series.size() > 1;

  std::string out;
  detail::svg_writer svg(out);
  const std::string size = std::to_string(plot.width) + " " + std::to_string(plot.height);
  svg.append("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"imgsim-plot\" role=\"img\" viewBox=\"0 0 ", size,
             "\" width=\"", std::to_string(plot.width), "\" height=\"", std::to_string(plot.height), "\">\n<title>",
             escape_markup(plot.title), "</title>\n<style>", detail::kPlotStyle, "</style>\n",
             "<rect class=\"ground\" width=\"100%\" height=\"100%\" rx=\"6\"/>\n");
  double top = 16;
  if (!plot.title.empty()) svg.text("title", "start", left, top += 14, plot.title);
  if (legend) {
    double x = left;
    top += 22;
    for (std::size_t s = 0; s < plot.series.size(); ++s) {
      const double entry = 32 + detail::estimated_width(plot.series[s].name) + 18;
      if (x > left && x + entry > right) {
        x = left;
        top += 20;
      }
      svg.line("line s" + std::to_string(s % detail::kPlotColours), x, top - 4, x + 24, top - 4);
      svg.text("name", "start", x + 32, top, plot.series[s].name);
      x += entry;
    }
  }
  top += 8 + 18 * static_cast<double>(std::max<std::size_t>(plot.marks.size(), 1));
  top = std::min(top, bottom - 40);

  const auto place_x = [&](double x) { return left + x_axis.place(x) * (right - left); };
  const auto place_on = [&](const plot_axis& axis) {
    return [&, bottom, top](double y) { return bottom - axis.place(y) * (bottom - top); };
  };
  const auto place_y = place_on(y_axis), place_right = place_on(right_axis);
  for (const axis_tick& tick : y_axis.ticks()) {
    svg.line("grid", left, place_y(tick.value), right, place_y(tick.value));
    svg.text("tick", "end", left - 8, place_y(tick.value) + 4.5, tick.label);
  }
  if (has_right) {
    for (const axis_tick& tick : right_axis.ticks()) {
      svg.line("axis", right, place_right(tick.value), right + 5, place_right(tick.value));
      svg.text("tick", "start", right + 8, place_right(tick.value) + 4.5, tick.label);
    }
    svg.line("axis", right, top, right, bottom);
  }
  for (const axis_tick& tick : x_axis.ticks()) {
    svg.line("axis", place_x(tick.value), bottom, place_x(tick.value), bottom + 5);
    svg.text("tick", "middle", place_x(tick.value), bottom + 20, tick.label);
  }
  svg.line("axis", left, bottom, right, bottom);
  if (!plot.x_label.empty()) svg.text("label", "middle", (left + right) / 2, bottom + 42, plot.x_label);
  const auto upright = [&](double x, const std::string& label) {
    if (label.empty()) return;
    const double middle = (top + bottom) / 2;
    svg.text("label", "middle", x, middle, label,
             " transform=\"rotate(-90 " + detail::svg_writer::at(x) + " " + detail::svg_writer::at(middle) + ")\"");
  };
  upright(20, plot.y_label);
  if (has_right) upright(width - 10, plot.right_label);
  double mark_label = top - 6 - 18 * (static_cast<double>(plot.marks.size()) - 1);
  for (const plot_mark& mark : plot.marks) {
    if (x_axis.shows(mark.x)) {
      const double x = place_x(mark.x);
      const bool before = x + detail::estimated_width(mark.label) > right;
      svg.line("mark", x, mark_label + 4, x, bottom);
      svg.text("mark-label", before ? "end" : "start", before ? x - 4 : x + 4, mark_label, mark.label);
    }
    mark_label += 18;
  }
  for (std::size_t s = 0; s < plot.series.size(); ++s) {
    const plot_series& series = plot.series[s];
    if (series.on_right)
      detail::draw_series(svg, s, series, x_axis, right_axis, place_x, place_right);
    else
      detail::draw_series(svg, s, series, x_axis, y_axis, place_x, place_y);
  }
  if (ys.empty() && right_ys.empty())
    svg.text("label", "middle", (left + right) / 2, (top + bottom) / 2, "no values to show");
  out += "</svg>\n";
  return out;
}

}  // namespace imgsim
