// One command of imgsim: describes its options, checks them, runs. A command is a file pair in commands/ and a line in
// commands/registry.cpp.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/option_set.hpp"
#include "cli/session.hpp"
#include "exit_code.hpp"

namespace imgsim::app {

struct command_help {
  std::string usage;                    // behind "imgsim NAME", e.g. "--index IDX PHOTO... [options]"
  std::string about;                    // one paragraph
  std::vector<std::string> examples;    // whole command lines
  std::vector<std::string> exit_codes;  // lines beyond, or in place of, the common ones
};

class command {
 public:
  command() = default;
  command(const command&) = delete;
  command& operator=(const command&) = delete;
  virtual ~command() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;
  /// One line for the list of commands.
  [[nodiscard]] virtual std::string_view summary() const = 0;
  [[nodiscard]] virtual command_help help() const = 0;
  virtual void describe(option_set& options) = 0;
  /// Checks what no single option can tell; throws usage_error. `options` says what was given.
  virtual void validate(const option_set&) {}
  virtual exit_code run(session& session) = 0;
  /// Whether it makes files that somebody asks for, and takes --dry-run.
  [[nodiscard]] virtual bool writes_files() const { return false; }
  /// Whether the config file counts: not where shells and manuals read what is printed.
  [[nodiscard]] virtual bool heeds_config() const { return true; }
  /// The exit code of a run that throws.
  [[nodiscard]] virtual exit_code on_failure() const { return exit_code::failed; }
};

using command_list = std::vector<std::unique_ptr<command>>;

}  // namespace imgsim::app
