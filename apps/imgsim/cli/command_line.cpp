#include "cli/command_line.hpp"

#include <algorithm>

namespace imgsim::app {

command_line split_command_line(const std::vector<std::string>& arguments, const option_set& global) {
  command_line line;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (line.command) {
      line.rest.push_back(argument);
      continue;
    }
    if (argument.size() < 2 || argument.front() != '-') {
      line.command = argument;
      continue;
    }
    const auto equals = argument.find('=');
    const std::string typed = argument.substr(0, equals);
    const option* found = global.find(typed.substr(std::min(typed.find_first_not_of('-'), typed.size())));
    if (found == nullptr)
      throw usage_error(global.unknown_option(typed) + " (a command's own options stand behind its name)");
    line.rest.push_back(argument);
    if (!found->metavar.empty() && equals == std::string::npos && i + 1 < arguments.size())
      line.rest.push_back(arguments[++i]);
  }
  return line;
}

}  // namespace imgsim::app
