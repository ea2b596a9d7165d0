// Where in the kernels something happened.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace imgsim::cuda_host {

/// A line of source. The names are string literals, so comparing and copying are cheap.
struct place {
  const char* file = "";
  std::uint32_t line = 0;

  /// As a default argument: the line of the call.
  static constexpr place current(const char* file = __builtin_FILE(), std::uint32_t line = __builtin_LINE()) noexcept {
    return {file, line};
  }

  friend bool operator==(const place& left, const place& right) noexcept {
    return left.line == right.line && (left.file == right.file || std::strcmp(left.file, right.file) == 0);
  }

  /// "kernel.cuh:12"
  [[nodiscard]] std::string text() const {
    const char* slash = std::strrchr(file, '/');
    return std::string(slash == nullptr ? file : slash + 1) + ":" + std::to_string(line);
  }
};

}  // namespace imgsim::cuda_host
