// Text on a canvas, in the strokes of font.hpp: anti-aliased, at any size.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include <imgsim/report/canvas.hpp>
#include <imgsim/report/escape.hpp>
#include <imgsim/report/font.hpp>

namespace imgsim {

struct text_style {
  double size = 14;  // pixels from the top of a line to its foot; capitals take 20/28 of it
  colour ink{28, 30, 38};
  double pen = 2.3;  // thickness of the strokes in 1/28 of the size: 2.3 is regular, 3.4 bold
};

/// Pixels that `text` takes in one line. Bytes that are not well-formed UTF-8 count as one box each.
[[nodiscard]] inline double text_width(std::string_view text, double size) {
  double units = 0;
  detail::for_each_printable(text, [&](char32_t value) { units += glyph_of(value).width + kFontSpacing; });
  return units * size / kFontEm;
}

/// `text` if it is at most `width` pixels wide, else with its middle given up for an ellipsis.
[[nodiscard]] inline std::string fit_text(std::string_view text, double size, double width) {
  if (text_width(text, size) <= width) return printable_utf8(text);
  std::vector<char32_t> points;
  detail::for_each_printable(text, [&](char32_t value) { points.push_back(value); });
  std::string fitting;
  for (std::size_t kept = points.size(); kept-- > 0 && fitting.empty();) {
    std::string candidate;
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (i == kept / 2) detail::append_utf8(candidate, 0x2026);
      if (i < kept / 2 || i >= points.size() - (kept - kept / 2)) detail::append_utf8(candidate, points[i]);
    }
    if (text_width(candidate, size) <= width) fitting = candidate;
  }
  return fitting;
}

namespace detail {

struct stroke {
  double x0, y0, x1, y1;
};

/// The straight pieces of a glyph's path, in grid units.
inline std::vector<stroke> flatten_path(std::string_view path) {
  std::vector<stroke> strokes;
  const char* at = path.data();
  const char* const end = at + path.size();
  const auto number = [&] {
    double value = 0;
    while (at < end && *at == ' ') ++at;
    at = std::from_chars(at, end, value).ptr;
    return value;
  };
  double x = 0, y = 0;
  while (at < end) {
    const char command = *at++;
    if (command == 'M') {
      x = number();
      y = number();
    } else if (command == 'L') {
      const double to_x = number(), to_y = number();
      strokes.push_back({x, y, to_x, to_y});
      x = to_x;
      y = to_y;
    } else if (command == 'A') {
      const double cx = number(), cy = number(), rx = number(), ry = number(), from = number(), to = number();
      const int pieces = std::max(4, static_cast<int>(std::abs(to - from) / 12));
      for (int i = 0; i <= pieces; ++i) {
        const double angle = (from + (to - from) * i / pieces) * std::numbers::pi / 180;
        const double to_x = cx + rx * std::cos(angle), to_y = cy + ry * std::sin(angle);
        if (i > 0) strokes.push_back({x, y, to_x, to_y});
        x = to_x;
        y = to_y;
      }
    }
  }
  return strokes;
}

inline double distance_to(const stroke& s, double x, double y) {
  const double dx = s.x1 - s.x0, dy = s.y1 - s.y0, length = dx * dx + dy * dy;
  const double t = length > 0 ? std::clamp(((x - s.x0) * dx + (y - s.y0) * dy) / length, 0.0, 1.0) : 0.0;
  return std::hypot(x - s.x0 - t * dx, y - s.y0 - t * dy);
}

/// Draws a glyph whose leftmost stroke stands in the middle of pixel `left` and whose foot is row `baseline`.
inline void draw_glyph(canvas& picture, std::ptrdiff_t left, std::ptrdiff_t baseline, const glyph& drawn,
                       const text_style& style) {
  constexpr double kDotGrowth = 1.3;  // a dot of the pen's own size looks too faint
  const double unit = style.size / kFontEm, radius = std::max(style.pen * unit, 1.0) / 2;
  const std::vector<stroke> strokes = flatten_path(drawn.path);
  if (strokes.empty()) return;
  const auto reach = static_cast<std::ptrdiff_t>(std::ceil(kDotGrowth * radius + 1));
  const auto top = static_cast<std::ptrdiff_t>(std::ceil(23 * unit)) + reach;
  const auto foot = static_cast<std::ptrdiff_t>(std::ceil(kFontDescent * unit)) + reach;
  const auto right = static_cast<std::ptrdiff_t>(std::ceil(drawn.width * unit)) + reach;
  for (std::ptrdiff_t y = -foot; y <= top; ++y) {
    for (std::ptrdiff_t x = -reach; x <= right; ++x) {
      double coverage = 0;
      for (const stroke& s : strokes) {
        const bool dot = s.x0 == s.x1 && s.y0 == s.y1;
        const double distance = distance_to(s, static_cast<double>(x) / unit, static_cast<double>(y) / unit) * unit;
        coverage = std::max(coverage, (dot ? kDotGrowth * radius : radius) + 0.5 - distance);
      }
      if (coverage > 0) picture.blend(left + x, baseline - y, style.ink, std::min(coverage, 1.0));
    }
  }
}

}  // namespace detail

/// Draws one line of text whose first stroke begins at `x` and whose foot is row `baseline`. Letters stand on whole
/// pixels, which keeps small text crisp.
inline void draw_text(canvas& picture, double x, std::ptrdiff_t baseline, std::string_view text,
                      const text_style& style = {}) {
  const double unit = style.size / kFontEm;
  double pen = x + style.pen * unit / 2;
  detail::for_each_printable(text, [&](char32_t value) {
    const glyph& drawn = glyph_of(value);
    detail::draw_glyph(picture, std::lround(pen), baseline, drawn, style);
    pen += (drawn.width + kFontSpacing) * unit;
  });
}

/// Draws one line of text around `x`.
inline void draw_text_centred(canvas& picture, double x, std::ptrdiff_t baseline, std::string_view text,
                              const text_style& style = {}) {
  const double gap = kFontSpacing * style.size / kFontEm;
  draw_text(picture, x - (text_width(text, style.size) - gap) / 2, baseline, text, style);
}

}  // namespace imgsim
