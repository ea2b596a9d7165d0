// Bytes as text (RFC 4648), and back.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace imgsim {

namespace detail {

inline constexpr std::string_view kBase64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace detail

/// RFC 4648, with padding.
[[nodiscard]] inline std::string base64_text(std::span<const std::byte> bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = (group << 8) | (i < count ? std::to_integer<std::uint32_t>(bytes[at + i]) : 0);
    for (std::size_t i = 0; i < 4; ++i) text += i <= count ? detail::kBase64Digits[(group >> (18 - 6 * i)) & 63] : '=';
  }
  return text;
}

/// What base64_text() made `text` of; nothing where it made no such text.
[[nodiscard]] inline std::optional<std::vector<std::byte>> base64_bytes(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string_view digits = text;
  for (int i = 0; i < 2 && digits.ends_with('='); ++i) digits.remove_suffix(1);
  std::vector<std::byte> bytes;
  bytes.reserve(digits.size() / 4 * 3 + 2);
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const std::size_t digit = detail::kBase64Digits.find(digits[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    group = (group << 6) | static_cast<std::uint32_t>(digit);
    if (i % 4 != 0) bytes.push_back(static_cast<std::byte>(group >> (6 - 2 * (i % 4)) & 0xff));
  }
  // Bits that say nothing are zero, so that one text stands for one run of bytes.
  const std::uint32_t spare = digits.size() % 4 == 2 ? group & 15 : digits.size() % 4 == 3 ? group & 3 : 0;
  if (digits.size() % 4 == 1 || spare != 0) return std::nullopt;
  return bytes;
}

}  // namespace imgsim
