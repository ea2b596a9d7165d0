// imgsim: finds the command, has it read its options, runs it, and turns every failure into one sentence and an exit
// code.
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "cli/catalogue.hpp"
#include "cli/command_line.hpp"
#include "cli/config.hpp"
#include "cli/help.hpp"
#include "cli/suggest.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"
#include "commands/registry.hpp"
#include "device/compute.hpp"
#include "device/mpi_module.hpp"
#include "device/open_compute.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/core/version.hpp>
#include <imgsim/report/escape.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

int to_shell(exit_code code) {
  return static_cast<int>(code);
}

/// Results that did not reach their reader are no success: a full disk behind `> file` must not go unnoticed.
int after_output(exit_code code) {
  std::cout.flush();
  if (std::cout) return to_shell(code);
  std::cerr << "imgsim: cannot write to standard output; is the disk full?\n";
  return to_shell(exit_code::failed);
}

int refuse(const std::string& who, const std::string& message, const std::string& try_this,
           const std::string& configured = {}) {
  std::cerr << who << ": " << printable_utf8(message) << configured << "\nTry: " << try_this << '\n';
  return to_shell(exit_code::wrong_usage);
}

command& find_command(const command_list& commands, const std::string& name) {
  for (const auto& c : commands) {
    if (c->name() == name) return *c;
  }
  std::string message = "unknown command " + in_quotes(name);
  if (const auto near = closest(name, command_names())) message += "; did you mean " + *near + "?";
  throw usage_error(message);
}

/// Sets what the config file says of options that were not given, and returns a line about them for a refusal.
std::string apply_config(option_set& options, const command& chosen, const global_options& global) {
  if (!chosen.heeds_config()) return {};
  const std::optional<std::filesystem::path> file = config_file_of(global);
  if (!file) return {};
  const command_list commands = all_commands();
  const std::vector<std::string> set = configure(options, *file, std::string(chosen.name()), catalogue_of(commands));
  return set.empty() ? "" : "\nSet in " + printable_utf8(file->string()) + ": " + all_of_text(set);
}

/// What is wrong with a file, and one beside it that may have been meant: on a line of its own, as the first may end
/// with a command to copy.
std::string with_suggestion(const io_error& failure) {
  std::string message = printable_utf8(failure.what());
  const bool may_be_missing = failure.code() == 0 || failure.code() == ENOENT || failure.code() == ENOTDIR;
  if (!may_be_missing) return message;
  const auto* missing = dynamic_cast<const missing_input*>(&failure);
  if (const auto near = near_file(failure.path(), missing == nullptr ? input_kind::file : missing->kind()))
    message += "\nDid you mean " + printable_utf8(near->string()) + "?";
  return message;
}

/// So that whoever typed mpirun knows what it was good for.
void tell_exchange(const session& session, const rank_team& team) {
  const exchanged_bytes exchanged = team.exchanged();
  const std::string ranks = std::to_string(team.size()) + " ranks";
  session.note(exchanged.sent + exchanged.received == 0
                   ? ranks + ": the first had nothing to share with the others"
                   : ranks + " shared the work; the first sent " + bytes_text(exchanged.sent) + " and received " +
                         bytes_text(exchanged.received));
}

int run_command(command& chosen, const std::vector<std::string>& tokens, rank_team* team) {
  const std::string who = "imgsim " + std::string(chosen.name());
  option_set own;
  global_options global;
  describe_own(chosen, own, global);
  std::string configured;
  std::vector<std::string> arguments;
  try {
    option_set all;
    describe_own(chosen, all, global);
    describe(all, global);
    all.parse(tokens);
    if (global.help) {
      print_help(std::cout, chosen, own, terminal_columns(STDOUT_FILENO));
      return after_output(exit_code::done);
    }
    if (global.version) {
      std::cout << "imgsim " << version << '\n';
      return after_output(exit_code::done);
    }
    configured = apply_config(all, chosen, global);
    all.check_required();
    chosen.validate(all);
    arguments = all.configured();
    arguments.insert(arguments.end(), tokens.begin(), tokens.end());
  } catch (const usage_error& e) {
    return refuse(who, e.what(), who + " --help", configured);
  }

  session session(global, std::string(chosen.name()), arguments, team);
  try {
    const exit_code code = chosen.run(session);
    if (team != nullptr) tell_exchange(session, *team);
    return after_output(code);
  } catch (const usage_error& e) {
    return refuse(who, e.what(), who + " --help", configured);
  } catch (const io_error& failure) {
    std::cerr << who << ": " << with_suggestion(failure) << '\n';
  } catch (const std::bad_alloc&) {
    std::cerr << who << ": not enough memory; a smaller --batch or fewer photos may fit\n";
  } catch (const std::filesystem::filesystem_error& e) {
    std::cerr << who << ": " << printable_utf8(e.path1().string()) << ": " << e.code().message() << '\n';
  } catch (const std::exception& e) {
    std::cerr << who << ": " << printable_utf8(e.what()) << '\n';
  }
  return to_shell(chosen.on_failure());
}

int run(std::vector<std::string> arguments, rank_team* team) {
  const command_list commands = all_commands();
  try {
    global_options global;
    option_set options;
    describe(options, global);
    command_line line = split_command_line(arguments, options);
    if (line.command == "help") {
      if (line.rest.empty() || line.rest.front().starts_with('-')) {
        line.command.reset();
        line.rest.insert(line.rest.begin(), "--help");
      } else {
        line.command = line.rest.front();
        line.rest = {"--help"};
      }
    }
    if (line.command) return run_command(find_command(commands, *line.command), line.rest, team);
    options.parse(line.rest);
    if (global.version) {
      std::cout << "imgsim " << version << '\n';
    } else {
      print_overview(std::cout, commands, terminal_columns(STDOUT_FILENO));
    }
    return after_output(exit_code::done);
  } catch (const usage_error& e) {
    return refuse("imgsim", e.what(), "imgsim --help");
  }
}

/// As one of the ranks that mpirun started, of which the first runs the command and the others help.
int run_as_rank(const launched_rank& launched, const std::vector<std::string>& arguments) {
  // mpirun hands a Ctrl-C on to all: the first stops in order, and then lets the others go.
  if (launched.rank != 0)
    for (const int number : {SIGINT, SIGTERM}) std::signal(number, SIG_IGN);
  setenv("NO_COLOR", "1", 0);  // mpirun gives the first a terminal for its output, wherever that goes
  std::unique_ptr<rank_team> team;
  try {
    team = load_mpi_module().join(launched, arguments);
  } catch (const error& reason) {
    if (launched.rank != 0) return to_shell(exit_code::done);  // mpirun would end the first before it has told why
    std::cerr << "imgsim: as one of " << launched.size << " ranks: " << printable_utf8(reason.what()) << '\n';
    return to_shell(exit_code::failed);
  }
  if (team->rank() == 0) return run(arguments, team.get());
  team->serve(&open_cpu);
  return to_shell(exit_code::done);
}

}  // namespace

}  // namespace imgsim::app

int main(int argc, char** argv) {
  // A file that may not grow beyond a limit (ulimit -f) is a failed write with its reason, not the end of the process.
  std::signal(SIGXFSZ, SIG_IGN);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (const auto launched = imgsim::app::find_launched_rank()) return imgsim::app::run_as_rank(*launched, arguments);
  return imgsim::app::run(arguments, nullptr);
}
