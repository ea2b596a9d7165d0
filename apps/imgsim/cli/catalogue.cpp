#include "cli/catalogue.hpp"

#include <algorithm>

namespace imgsim::app {

void describe_own(command& command, option_set& options, global_options& global) {
  command.describe(options);
  if (command.writes_files())
    options.flag("dry-run", global.dry_run, "check everything and say which files would be written; write none");
  else
    options.without("dry-run", "takes no --dry-run: it writes no results to files");
}

std::vector<std::string> catalogue::names() const {
  std::vector<std::string> all;
  for (const described_command& command : commands) all.push_back(command.name);
  return all;
}

const described_command* catalogue::find(std::string_view name) const {
  const auto found = std::ranges::find(commands, name, &described_command::name);
  return found == commands.end() ? nullptr : &*found;
}

catalogue catalogue_of(const command_list& commands) {
  catalogue all;
  global_options unused;
  describe(all.global, unused);
  for (const auto& command : commands) {
    described_command& described = all.commands.emplace_back(
        std::string(command->name()), std::string(command->summary()), command->help(), option_set{});
    describe_own(*command, described.options, unused);
  }
  return all;
}

}  // namespace imgsim::app
