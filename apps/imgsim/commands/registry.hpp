// Every command, in the order of the help text.
#pragma once

#include "cli/help.hpp"

namespace imgsim::app {

[[nodiscard]] command_list all_commands();

}  // namespace imgsim::app
