// A table of text, and its three forms: aligned columns for a terminal, CSV, and (html.hpp) HTML.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/report/escape.hpp>

namespace imgsim {

enum class alignment { left, right };

struct table_column {
  std::string title;
  alignment align = alignment::left;
};

/// Rows of cells under named columns. Every row has one cell a column.
struct text_table {
  std::vector<table_column> columns;
  std::vector<std::vector<std::string>> rows;

  void add_row(std::vector<std::string> cells) {
    IMGSIM_EXPECTS(cells.size() == columns.size(), "a row of ", cells.size(), " cells in a table of ", columns.size(),
                   " columns");
    rows.push_back(std::move(cells));
  }
};

/// Columns of a terminal that one code point takes: 0 for a combining mark, 2 for a wide (East Asian, emoji) character.
[[nodiscard]] constexpr std::size_t terminal_width(char32_t value) noexcept {
  const auto within = [value](char32_t low, char32_t high) { return value >= low && value <= high; };
  if (within(0x300, 0x36f) || within(0x200b, 0x200f) || within(0xfe00, 0xfe0f)) return 0;
  const bool wide = within(0x1100, 0x115f) || within(0x2e80, 0x303e) || within(0x3041, 0xa4cf) ||
                    within(0xac00, 0xd7a3) || within(0xf900, 0xfaff) || within(0xfe30, 0xfe6f) ||
                    within(0xff00, 0xff60) || within(0xffe0, 0xffe6) || within(0x1f300, 0x1faff) ||
                    within(0x20000, 0x3fffd);
  return wide ? 2 : 1;
}

[[nodiscard]] inline std::size_t terminal_width(std::string_view text) {
  std::size_t width = 0;
  detail::for_each_printable(text, [&](char32_t value) { width += terminal_width(value); });
  return width;
}

/// `text` printable and at most `width` columns wide: its middle gives way to an ellipsis, since both the folder and
/// the end of a path tell photos apart.
[[nodiscard]] inline std::string shorten(std::string_view text, std::size_t width) {
  if (terminal_width(text) <= width) return printable_utf8(text);
  if (width == 0) return {};
  std::vector<char32_t> points;
  detail::for_each_printable(text, [&](char32_t value) { points.push_back(value); });
  std::string head, tail;
  std::size_t used = 1, begin = 0, end = points.size();
  for (bool from_end = true; begin < end; from_end = !from_end) {
    const char32_t value = from_end ? points[end - 1] : points[begin];
    if (used + terminal_width(value) > width) break;
    used += terminal_width(value);
    if (from_end) {
      std::string character;
      detail::append_utf8(character, value);
      tail.insert(0, character);
      --end;
    } else {
      detail::append_utf8(head, value);
      ++begin;
    }
  }
  return head + "\xe2\x80\xa6" + tail;
}

/// Aligned columns two spaces apart, a heading, a rule, and a line for each row, each ended by a newline. Cells are
/// made printable. `width_limit` > 0 narrows the widest left-aligned columns (not below 8) until a line fits.
[[nodiscard]] inline std::string to_text(const text_table& shown, std::size_t width_limit = 0) {
  constexpr std::size_t kGap = 2, kNarrowest = 8;
  const std::size_t columns = shown.columns.size();
  std::vector<std::size_t> widths(columns);
  std::size_t total = columns > 1 ? kGap * (columns - 1) : 0;
  for (std::size_t c = 0; c < columns; ++c) {
    widths[c] = terminal_width(shown.columns[c].title);
    for (const auto& row : shown.rows) widths[c] = std::max(widths[c], terminal_width(row[c]));
    total += widths[c];
  }
  while (width_limit > 0 && total > width_limit) {
    std::size_t widest = columns;
    for (std::size_t c = 0; c < columns; ++c) {
      const bool may_narrow = shown.columns[c].align == alignment::left && widths[c] > kNarrowest;
      if (may_narrow && (widest == columns || widths[c] > widths[widest])) widest = c;
    }
    if (widest == columns) break;
    --widths[widest];
    --total;
  }
  std::string text;
  const auto add_line = [&](auto&& cell) {
    std::string line;
    for (std::size_t c = 0; c < columns; ++c) {
      const std::string shortened = shorten(cell(c), widths[c]);
      const std::string padding(widths[c] - terminal_width(shortened), ' ');
      if (c > 0) line += std::string(kGap, ' ');
      line += shown.columns[c].align == alignment::right ? padding + shortened : shortened + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add_line([&](std::size_t c) -> const std::string& { return shown.columns[c].title; });
  std::vector<std::string> rules(columns);
  for (std::size_t c = 0; c < columns; ++c) rules[c] = std::string(widths[c], '-');
  add_line([&](std::size_t c) -> const std::string& { return rules[c]; });
  for (const auto& row : shown.rows) add_line([&](std::size_t c) -> const std::string& { return row[c]; });
  return text;
}

/// One line of CSV (RFC 4180), ended by a newline; bytes are kept as they are.
[[nodiscard]] inline std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    if (c > 0) line += ',';
    const std::string& cell = cells[c];
    const bool quoted = cell.find_first_of(",\"\r\n") != std::string::npos || (cell.empty() && cells.size() == 1);
    if (!quoted) {
      line += cell;
      continue;
    }
    line += '"';
    for (const char character : cell) line += character == '"' ? std::string("\"\"") : std::string(1, character);
    line += '"';
  }
  return line + "\n";
}

[[nodiscard]] inline std::string to_csv(const text_table& shown) {
  std::vector<std::string> titles;
  for (const table_column& column : shown.columns) titles.push_back(column.title);
  std::string text = csv_line(titles);
  for (const auto& row : shown.rows) text += csv_line(row);
  return text;
}

}  // namespace imgsim
