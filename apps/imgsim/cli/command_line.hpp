// Finds the command among the arguments: global options may stand before it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/option_set.hpp"

namespace imgsim::app {

struct command_line {
  std::optional<std::string> command;  // nullopt: only global options
  std::vector<std::string> rest;       // everything else, in order
};

/// Splits `arguments` (without the program's name). An option before the command must be one of `global`. Throws
/// usage_error.
[[nodiscard]] command_line split_command_line(const std::vector<std::string>& arguments, const option_set& global);

}  // namespace imgsim::app
