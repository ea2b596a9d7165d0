// Names and messages made fit to print: file names are raw bytes, and a report must show them, never run them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <imgsim/core/path_text.hpp>

namespace imgsim {

namespace detail {

struct code_point {
  char32_t value;      // kBadCodePoint where the bytes are not well-formed UTF-8
  std::size_t length;  // bytes taken, at least 1
};

inline constexpr char32_t kBadCodePoint = 0xfffd;

/// Reads the code point that begins at text[at]; a byte that is not part of well-formed UTF-8 counts as one.
inline code_point read_code_point(std::string_view text, std::size_t at) noexcept {
  const std::size_t length = utf8_sequence_length(text, at);
  if (length == 0) return {kBadCodePoint, 1};
  char32_t value = static_cast<std::uint8_t>(text[at]);
  if (length > 1) value &= 0x7fu >> length;
  for (std::size_t i = 1; i < length; ++i) value = (value << 6) | (static_cast<std::uint8_t>(text[at + i]) & 0x3fu);
  return {value, length};
}

inline void append_utf8(std::string& text, char32_t value) {
  const auto push = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (value < 0x80) {
    push(value);
  } else if (value < 0x800) {
    push(0xc0 | (value >> 6));
    push(0x80 | (value & 0x3f));
  } else if (value < 0x10000) {
    push(0xe0 | (value >> 12));
    push(0x80 | ((value >> 6) & 0x3f));
    push(0x80 | (value & 0x3f));
  } else {
    push(0xf0 | (value >> 18));
    push(0x80 | ((value >> 12) & 0x3f));
    push(0x80 | ((value >> 6) & 0x3f));
    push(0x80 | (value & 0x3f));
  }
}

/// Control characters become their pictures (a newline is shown as U+240A); characters that reorder the text around
/// them, and those that XML forbids, become the replacement character.
constexpr char32_t printable_code_point(char32_t value) noexcept {
  if (value < 0x20) return 0x2400 + value;
  if (value == 0x7f) return 0x2421;
  const bool c1_control = value >= 0x80 && value < 0xa0;
  const bool reorders = (value >= 0x202a && value <= 0x202e) || (value >= 0x2066 && value <= 0x2069);
  const bool separates = value == 0x2028 || value == 0x2029;
  const bool no_character = (value & 0xfffe) == 0xfffe;
  return c1_control || reorders || separates || no_character ? kBadCodePoint : value;
}

/// Calls use(code point) for each printable code point of `text`.
template <class Use>
void for_each_printable(std::string_view text, Use&& use) {
  for (std::size_t at = 0; at < text.size();) {
    const code_point read = read_code_point(text, at);
    use(printable_code_point(read.value));
    at += read.length;
  }
}

}  // namespace detail

/// One line of well-formed UTF-8 for any bytes: safe on a terminal and in a document.
[[nodiscard]] inline std::string printable_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  detail::for_each_printable(bytes, [&](char32_t value) { detail::append_utf8(text, value); });
  return text;
}

/// printable_utf8 with the five characters that mean something in HTML and XML escaped; safe as text and between
/// quotes of an attribute.
[[nodiscard]] inline std::string escape_markup(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  detail::for_each_printable(bytes, [&](char32_t value) {
    switch (value) {
      case '&':
        text += "&amp;";
        break;
      case '<':
        text += "&lt;";
        break;
      case '>':
        text += "&gt;";
        break;
      case '"':
        text += "&quot;";
        break;
      case '\'':
        text += "&#39;";
        break;
      default:
        detail::append_utf8(text, value);
    }
  });
  return text;
}

}  // namespace imgsim
