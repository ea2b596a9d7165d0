// Variables of the environment.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace imgsim::app {

/// "" where it is not set.
[[nodiscard]] inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// A folder of the user's: what `variable` names, or `in_home` below HOME; nullopt where neither is an absolute path
/// (XDG Base Directory Specification).
[[nodiscard]] inline std::optional<std::filesystem::path> user_folder(const char* variable, const char* in_home) {
  if (std::filesystem::path named = environment(variable); named.is_absolute()) return named;
  if (const std::filesystem::path home = environment("HOME"); home.is_absolute()) return home / in_home;
  return std::nullopt;
}

}  // namespace imgsim::app
