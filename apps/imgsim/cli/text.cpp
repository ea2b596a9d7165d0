#include "cli/text.hpp"

#include <array>
#include <cmath>
#include <iomanip>
#include <sstream>

#include <imgsim/report/escape.hpp>
#include <imgsim/report/number.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

std::string in_quotes(std::string_view text) {
  return "'" + printable_utf8(text) + "'";
}

namespace {

std::string joined(const std::vector<std::string>& items, const char* before_last) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += i + 1 == items.size() ? before_last : ", ";
    text += items[i];
  }
  return text;
}

}  // namespace

std::string any_of_text(const std::vector<std::string>& items) {
  return joined(items, " or ");
}

std::string all_of_text(const std::vector<std::string>& items) {
  return joined(items, " and ");
}

std::string duration_text(double seconds) {
  if (seconds < 1) return fixed_text(seconds, 2) + " s";
  if (seconds < 59.95) return fixed_text(seconds, 1) + " s";
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  std::ostringstream text;
  text << std::setfill('0');
  if (whole >= 3600) {
    text << whole / 3600 << ':' << std::setw(2) << whole / 60 % 60;
  } else {
    text << whole / 60;
  }
  text << ':' << std::setw(2) << whole % 60;
  return text.str();
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fixed_text(value, unit == 0 ? 0 : 1) + " " + kUnits.at(unit);
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::istringstream words{std::string(text)};
  std::string result;
  std::size_t column = 0;
  for (std::string word; words >> word;) {
    const std::size_t length = terminal_width(word);
    if (column > 0 && column + 1 + length > width) {
      result += "\n" + std::string(indent, ' ');
      column = 0;
    } else if (column > 0) {
      result += ' ';
      ++column;
    }
    result += word;
    column += length;
  }
  return result;
}

std::string shell_word(std::string_view argument) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string_view::npos) return std::string(argument);
  if (printable_utf8(argument) == argument) {
    std::string word = "'";
    for (const char c : argument) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return word + "'";
  }
  // Of three octal digits each, so that what follows is no part of them.
  std::string word = "$'";
  for (const char c : argument) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\'' || c == '\\') {
      word += {'\\', c};
    } else if (byte >= 0x20 && byte < 0x7f) {
      word += c;
    } else {
      word += {'\\', static_cast<char>('0' + (byte >> 6)), static_cast<char>('0' + ((byte >> 3) & 7)),
               static_cast<char>('0' + (byte & 7))};
    }
  }
  return word + "'";
}

}  // namespace imgsim::app
