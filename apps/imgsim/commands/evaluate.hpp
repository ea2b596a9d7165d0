// imgsim evaluate: how often the nearest photos carry the same label, beside simple baselines.
#pragma once

#include <optional>

#include "cli/command.hpp"

namespace imgsim::app {

class evaluate_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "evaluate"; }
  [[nodiscard]] std::string_view summary() const override {
    return "quality of the neighbours, by label or of variants, beside baselines";
  }
  [[nodiscard]] bool writes_files() const override { return true; }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  void validate(const option_set& options) override;
  exit_code run(session& session) override;

 private:
  std::filesystem::path index_;
  std::string labels_ = "folder";
  std::string metric_ = "cosine";
  std::size_t n_ = 10;
  bool no_baselines_ = false;
  bool variants_ = false;
  std::optional<std::filesystem::path> report_;
};

}  // namespace imgsim::app
