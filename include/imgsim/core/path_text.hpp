// File names in JSON. A path is bytes, a JSON string is Unicode: bytes that are not UTF-8 are written in an escape that
// no path can hold by itself, so that every path comes back byte for byte and ordinary ones are written as they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace imgsim {

namespace detail {

/// Bytes of the well-formed UTF-8 sequence that begins at text[at] (Unicode 15, table 3-7); 0 where there is none.
[[nodiscard]] constexpr std::size_t utf8_sequence_length(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(at);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (length > text.size() - at) return 0;
  const std::uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const std::uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (byte(at + 1) < low || byte(at + 1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

[[nodiscard]] constexpr int lower_hex_value(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

}  // namespace detail

/// A path as text for a JSON string. Each byte that is not part of well-formed UTF-8 becomes U+0000 and two lower-case
/// hexadecimal digits (no path holds a zero byte, so nothing else needs escaping): "caf\xe9.jpg" is written
/// "caf\u0000e9.jpg". In Python: re.sub(b'\0(..)', lambda m: bytes([int(m[1], 16)]), text.encode()).
[[nodiscard]] inline std::string path_to_text(std::string_view path) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(path.size());
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t length = path[at] == '\0' ? 0 : detail::utf8_sequence_length(path, at);
    if (length == 0) {
      const auto byte = static_cast<std::uint8_t>(path[at++]);
      text += {'\0', digits[byte >> 4], digits[byte & 15]};
    } else {
      text.append(path, at, length);
      at += length;
    }
  }
  return text;
}

/// The inverse of path_to_text; nothing where `text` holds a U+0000 without its two digits.
[[nodiscard]] inline std::optional<std::string> path_from_text(std::string_view text) {
  std::string path;
  path.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\0') {
      path.push_back(text[at]);
      continue;
    }
    if (text.size() - at < 3) return std::nullopt;
    const int high = detail::lower_hex_value(text[at + 1]);
    const int low = detail::lower_hex_value(text[at + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    path.push_back(static_cast<char>(high * 16 + low));
    at += 2;
  }
  return path;
}

}  // namespace imgsim
