// Every command with its options, as data: help, manual pages and shell completion are made from it, and main() reads
// the same options.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"
#include "cli/global_options.hpp"

namespace imgsim::app {

/// The options of `command`: its own, and --dry-run where it writes files.
void describe_own(command& command, option_set& options, global_options& global);

struct described_command {
  std::string name;
  std::string summary;
  command_help help;
  option_set options;  // its own, to be read about, not to be parsed with
};

struct catalogue {
  option_set global;
  std::vector<described_command> commands;

  [[nodiscard]] std::vector<std::string> names() const;
  /// Null where there is no such command.
  [[nodiscard]] const described_command* find(std::string_view name) const;
};

[[nodiscard]] catalogue catalogue_of(const command_list& commands);

}  // namespace imgsim::app
