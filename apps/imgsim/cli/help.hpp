// What --help and a bare `imgsim` print.
#pragma once

#include <memory>
#include <ostream>
#include <vector>

#include "cli/command.hpp"

namespace imgsim::app {

using command_list = std::vector<std::unique_ptr<command>>;

/// What to do first, the commands and the global options.
void print_overview(std::ostream& out, const command_list& commands);
/// Usage, paragraph, options with defaults, examples, exit codes. `options` is the command's own.
void print_help(std::ostream& out, const command& described, const option_set& options);

}  // namespace imgsim::app
