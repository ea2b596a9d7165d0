// imgsim choose-k: the within-cluster error for each K, and which K to take.
#pragma once

#include <optional>

#include "cli/command.hpp"
#include "pipeline/sweep.hpp"

namespace imgsim::app {

class choose_k_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "choose-k"; }
  [[nodiscard]] std::string_view summary() const override { return "which number of groups to take"; }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  void validate(const option_set& options) override;
  [[nodiscard]] bool writes_files() const override { return true; }
  exit_code run(session& session) override;

 private:
  std::filesystem::path index_;
  sweep_request request_;
  std::optional<std::filesystem::path> out_;
};

}  // namespace imgsim::app
