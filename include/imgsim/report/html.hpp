// Pages that stand alone: one HTML file with its style, plots and thumbnails inside, and no script. A page is built of
// sections; html_sections.hpp holds those that imgsim's reports share.
//
//   html_page page("Similar photos", "10 matches each");
//   page.section("cat.jpg").photo(query).cards(matches);
//   write_file("report.html", page.html());
//
// Every text given is shown as text: names are raw bytes and may hold markup, quotes, newlines or broken UTF-8.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <imgsim/core/base64.hpp>
#include <imgsim/core/version.hpp>
#include <imgsim/image/encode.hpp>
#include <imgsim/report/escape.hpp>
#include <imgsim/report/html_style.hpp>
#include <imgsim/report/svg_plot.hpp>
#include <imgsim/report/table.hpp>
#include <imgsim/report/thumbnail.hpp>

namespace imgsim {

/// A JPEG thumbnail for a page; width 0 stands for a photo that could not be read.
struct embedded_picture {
  std::string data_uri;
  std::size_t width = 0, height = 0;
};

/// Shrinks `photo` [H, W, 3] to at most `longest_side` pixels a side (it never enlarges) and embeds it.
[[nodiscard]] inline embedded_picture embed_photo(view<const std::uint8_t, 3> photo, std::size_t longest_side = 240,
                                                  int quality = 82) {
  if (photo.empty()) return {};
  const rgb_image thumbnail = make_thumbnail(photo, longest_side);
  const std::vector<std::byte> jpeg = encode_jpeg(thumbnail.view(), quality);
  return {"data:image/jpeg;base64," + base64_text(jpeg), thumbnail.width, thumbnail.height};
}

struct photo_card {
  embedded_picture picture = {};
  std::string path = {};     // shown below the photo, and read aloud in its place
  std::string badge = {};    // "1", "medoid"; may be empty
  std::string caption = {};  // "0.934"; may be empty
  bool framed = false;       // stands out: a medoid
};

enum class card_size { normal, small };

/// Builds a page from top to bottom; every call appends.
class html_page {
 public:
  explicit html_page(std::string_view title, std::string_view summary = {})
      : title_(escape_markup(title)), summary_(escape_markup(summary)) {}

  /// Begins a section; it lasts to the next one. Pages of several sections get a list of links to them.
  html_page& section(std::string_view heading) {
    close_section();
    headings_.push_back(escape_markup(heading));
    const std::string id = "section-" + std::to_string(headings_.size());
    append("<section aria-labelledby=\"", id, "\">\n<h2 id=\"", id, "\">", headings_.back(), "</h2>\n");
    return *this;
  }

  html_page& heading(std::string_view text, std::string_view note = {}) {
    append("<h3>", escape_markup(text));
    if (!note.empty()) append(" <span class=\"note\">", escape_markup(note), "</span>");
    append("</h3>\n");
    return *this;
  }

  html_page& paragraph(std::string_view text) {
    append("<p>", escape_markup(text), "</p>\n");
    return *this;
  }

  /// A remark in a quieter colour: "and 23 more photos".
  html_page& remark(std::string_view text) {
    append("<p class=\"muted\">", escape_markup(text), "</p>\n");
    return *this;
  }

  /// Names with their values: settings, sizes, times.
  html_page& facts(std::span<const std::pair<std::string, std::string>> facts) {
    append("<dl class=\"facts\">\n");
    for (const auto& [name, value] : facts)
      append("<div><dt>", escape_markup(name), "</dt><dd>", escape_markup(value), "</dd></div>\n");
    append("</dl>\n");
    return *this;
  }

  static constexpr std::size_t kShortCell = 18;  // bytes, whose words are not broken; longer text is as wide at least

  html_page& table(const text_table& shown) {
    append("<div class=\"table\" tabindex=\"0\"><table>\n<thead><tr>");
    const auto style = [&](std::size_t c) {
      return shown.columns[c].align == alignment::right ? " class=\"right\"" : "";
    };
    for (std::size_t c = 0; c < shown.columns.size(); ++c)
      append("<th scope=\"col\"", style(c), ">", escape_markup(shown.columns[c].title), "</th>");
    append("</tr></thead>\n<tbody>\n");
    for (const auto& row : shown.rows) {
      append("<tr>");
      for (std::size_t c = 0; c < row.size(); ++c) {
        // A path may be broken anywhere: between columns of numbers it would come to a letter a line.
        const bool is_long = shown.columns[c].align != alignment::right && row[c].size() > kShortCell;
        append("<td", is_long ? " class=\"long\"" : style(c), ">", escape_markup(row[c]), "</td>");
      }
      append("</tr>\n");
    }
    append("</tbody></table></div>\n");
    return *this;
  }

  html_page& plot(const line_plot& shown) {
    append("<div class=\"plot\">", render_svg(shown), "</div>\n");
    return *this;
  }

  /// One photo, large and alone.
  html_page& photo(const photo_card& card) {
    add_figure(card, "large");
    return *this;
  }

  html_page& cards(std::span<const photo_card> cards, card_size size = card_size::normal) {
    append("<ul class=\"cards", size == card_size::small ? " small" : "", "\">\n");
    for (const photo_card& card : cards) {
      append("<li>");
      add_figure(card, card.framed ? "framed" : "");
      append("</li>\n");
    }
    append("</ul>\n");
    return *this;
  }

  /// The whole document, UTF-8.
  [[nodiscard]] std::string html() const {
    std::string document =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
        "<meta name=\"generator\" content=\"imgsim\">\n<title>" +
        title_ + "</title>\n<style>" + std::string(detail::kPageColours) + std::string(detail::kPageStyle) +
        "</style>\n</head>\n<body>\n<div class=\"wrap\">\n<header>\n<h1>" + title_ + "</h1>\n";
    if (!summary_.empty()) document += "<p class=\"muted\">" + summary_ + "</p>\n";
    if (headings_.size() > 1) {
      document += "<nav aria-label=\"Sections\"><ul>\n";
      for (std::size_t i = 0; i < headings_.size(); ++i)
        document += "<li><a href=\"#section-" + std::to_string(i + 1) + "\">" + headings_[i] + "</a></li>\n";
      document += "</ul></nav>\n";
    }
    document += "</header>\n<main>\n" + body_ + (headings_.empty() ? "" : "</section>\n");
    return document + "</main>\n<footer>imgsim " + version + "</footer>\n</div>\n</body>\n</html>\n";
  }

 private:
  template <class... Parts>
  void append(const Parts&... parts) {
    ((body_ += parts), ...);
  }

  void close_section() {
    if (!headings_.empty()) append("</section>\n");
  }

  static constexpr std::size_t kPathWidth = 60;  // of a tile: three lines or so; the whole path is its title

  void add_figure(const photo_card& card, std::string_view style) {
    const std::string path = escape_markup(card.path);
    append("<figure");
    if (!style.empty()) append(" class=\"", style, "\"");
    append(">");
    if (card.picture.width == 0)
      append("<div class=\"missing\">photo not readable</div>");
    else
      append("<img src=\"", card.picture.data_uri, "\" width=\"", std::to_string(card.picture.width), "\" height=\"",
             std::to_string(card.picture.height), "\" alt=\"", path, "\">");
    append("<figcaption>");
    if (!card.badge.empty() || !card.caption.empty())
      append("<span class=\"top\"><span class=\"badge\">", escape_markup(card.badge), "</span><span>",
             escape_markup(card.caption), "</span></span>");
    if (!card.path.empty())
      append("<bdi class=\"path\" title=\"", path, "\">", escape_markup(shorten(card.path, kPathWidth)), "</bdi>");
    append("</figcaption></figure>");
  }

  std::string title_, summary_, body_;
  std::vector<std::string> headings_;
};

}  // namespace imgsim
