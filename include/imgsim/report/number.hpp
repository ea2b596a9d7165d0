// Numbers as text, the same in every locale.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>

namespace imgsim {

/// "0.934" for (0.9341, 3); "nan", "inf" and "-inf" where there is no number; never "-0.000".
[[nodiscard]] inline std::string fixed_text(double value, int digits) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 400> buffer{};  // the largest double has 309 digits before the point
  const auto end = std::to_chars(buffer.begin(), buffer.end(), value, std::chars_format::fixed, digits);
  std::string text(buffer.data(), end.ptr);
  if (text.front() == '-' && text.find_first_not_of("-0.") == std::string::npos) text.erase(0, 1);
  return text;
}

namespace detail {

/// A number of 0 to `most`, rounded, but never to one of them that it is not.
[[nodiscard]] inline std::string rounded_inside(double value, double most, int digits) {
  const std::string text = fixed_text(value, digits), zero = fixed_text(0, digits);
  const double step = std::pow(10.0, -digits);
  if (value < most && text == fixed_text(most, digits)) return ">" + fixed_text(most - step, digits);
  return value > 0 && text == zero ? "<" + fixed_text(step, digits) : text;
}

}  // namespace detail

/// A probability, rounded, but never to a certainty that it is not: "0.9341", and ">0.9999" for 0.99999.
[[nodiscard]] inline std::string probability_text(double value, int digits) {
  return detail::rounded_inside(value, 1, digits);
}

/// The same for a glance, with a decimal near its ends: "93 %", "1.2 %", "99.8 %", and ">99.9 %" for 0.99999.
[[nodiscard]] inline std::string percent_text(double value) {
  const double percent = 100 * value;
  return detail::rounded_inside(percent, 100, percent < 10 || percent >= 99 ? 1 : 0) + " %";
}

/// The shortest text within `digits` significant digits: "1200", "0.05", "1.5e-07".
[[nodiscard]] inline std::string general_text(double value, int digits = 6) {
  if (!std::isfinite(value)) return fixed_text(value, 0);
  if (value == 0) return "0";
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.begin(), buffer.end(), value, std::chars_format::general, digits);
  return {buffer.data(), end.ptr};
}

/// "4,738".
[[nodiscard]] inline std::string count_text(std::size_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

/// "1 photo", "2 photos".
[[nodiscard]] inline std::string count_text(std::size_t count, const std::string& one) {
  return count_text(count) + " " + one + (count == 1 ? "" : "s");
}

}  // namespace imgsim
