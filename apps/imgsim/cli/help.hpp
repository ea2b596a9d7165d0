// What --help and a bare `imgsim` print.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace imgsim::app {

/// What imgsim is, in one sentence.
[[nodiscard]] std::string what_it_is();
/// Command lines to begin with: one on pictures of its own, and the steps on a folder of photos.
struct first_lines {
  std::vector<std::string> demo, steps;
};
[[nodiscard]] first_lines lines_to_begin_with();
/// The exit codes of most commands, a line each.
[[nodiscard]] const std::vector<std::string>& common_exit_codes();
/// "-n, --number N".
[[nodiscard]] std::string usage_of(const option& described);
/// What it does, with its default or that it is required.
[[nodiscard]] std::string help_of(const option& described);

/// What to do first, the commands and the global options, for a terminal so wide; 0: there is none.
void print_overview(std::ostream& out, const command_list& commands, std::size_t columns);
/// Usage, paragraph, options with defaults, examples, exit codes. `options` is the command's own.
void print_help(std::ostream& out, const command& described, const option_set& options, std::size_t columns);

}  // namespace imgsim::app
