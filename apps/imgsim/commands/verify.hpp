// imgsim verify: checks every checksum and cross-reference of an index or a model.
#pragma once

#include <optional>

#include "cli/command.hpp"

namespace imgsim::app {

class verify_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "verify"; }
  [[nodiscard]] std::string_view summary() const override {
    return "checks every checksum and cross-reference of an index or a model";
  }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  void validate(const option_set& options) override;
  exit_code run(session& session) override;

 private:
  std::optional<std::filesystem::path> index_;
  std::vector<std::string> paths_;
};

}  // namespace imgsim::app
