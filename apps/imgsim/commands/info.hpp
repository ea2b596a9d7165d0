// imgsim info [FILE]: devices and versions, or a model or an index in words.
#pragma once

#include "cli/command.hpp"

namespace imgsim::app {

class info_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "info"; }
  [[nodiscard]] std::string_view summary() const override {
    return "devices and versions, or a model or an index in words";
  }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  exit_code run(session& session) override;

 private:
  std::vector<std::string> paths_;
};

}  // namespace imgsim::app
