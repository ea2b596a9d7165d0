// Variables of the environment.
#pragma once

#include <cstdlib>
#include <string>

namespace imgsim::app {

/// "" where it is not set.
[[nodiscard]] inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace imgsim::app
