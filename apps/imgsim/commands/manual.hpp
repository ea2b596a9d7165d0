// imgsim manual [COMMAND]: manual pages, from the source that --help prints.
#pragma once

#include <filesystem>
#include <optional>

#include "cli/command.hpp"

namespace imgsim::app {

class manual_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "manual"; }
  [[nodiscard]] std::string_view summary() const override { return "the manual page of imgsim or of a command"; }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  void validate(const option_set& options) override;
  [[nodiscard]] bool writes_files() const override { return true; }
  [[nodiscard]] bool heeds_config() const override { return false; }
  exit_code run(session& session) override;

 private:
  std::vector<std::string> names_;
  std::optional<std::filesystem::path> out_;
};

}  // namespace imgsim::app
