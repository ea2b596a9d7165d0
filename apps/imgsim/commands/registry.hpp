// Every command, in the order of the help text.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace imgsim::app {

[[nodiscard]] command_list all_commands();
[[nodiscard]] std::vector<std::string> command_names();

}  // namespace imgsim::app
