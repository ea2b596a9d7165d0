// imgsim completion SHELL: the script that lets a shell complete command lines of imgsim.
#pragma once

#include "cli/command.hpp"

namespace imgsim::app {

class completion_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "completion"; }
  [[nodiscard]] std::string_view summary() const override { return "a script for Tab in bash, zsh or fish"; }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  void validate(const option_set& options) override;
  [[nodiscard]] bool heeds_config() const override { return false; }
  exit_code run(session& session) override;

 private:
  std::vector<std::string> shells_;
};

}  // namespace imgsim::app
