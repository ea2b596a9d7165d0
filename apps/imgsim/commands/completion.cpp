#include "commands/completion.hpp"

#include <iostream>

#include "cli/completion.hpp"
#include "cli/text.hpp"
#include "commands/registry.hpp"

namespace imgsim::app {

command_help completion_command::help() const {
  return {.usage = any_of_text(completed_shells()),
          .about =
              "Prints a script that lets the shell complete commands, options, values and files at Tab. An installed "
              "imgsim has it in place for all three shells; without an installation, the lines below do it.",
          .examples = {"source <(imgsim completion bash)                # in ~/.bashrc",
                       "imgsim completion zsh > ~/.zfunc/_imgsim        # a folder of fpath",
                       "imgsim completion fish > ~/.config/fish/completions/imgsim.fish"},
          .exit_codes = {"0  done", "2  wrong usage"}};
}

void completion_command::describe(option_set& options) {
  options.positional({.metavar = "SHELL", .target = &shells_, .least = 1, .most = 1, .offered = completed_shells()});
}

void completion_command::validate(const option_set&) {
  expect_choice(shells_.front(), completed_shells());
}

exit_code completion_command::run(session& session) {
  const command_list commands = all_commands();
  const std::string script = completion_script(shells_.front(), catalogue_of(commands));
  if (session.wants_json()) {
    session.print({{"shell", shells_.front()}, {"script", script}});
  } else {
    std::cout << script;
  }
  return session.finish();
}

}  // namespace imgsim::app
