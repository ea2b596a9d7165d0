#include "commands/registry.hpp"

#include "commands/info.hpp"

namespace imgsim::app {

command_list all_commands() {
  command_list commands;
  commands.push_back(std::make_unique<info_command>());
  return commands;
}

}  // namespace imgsim::app
