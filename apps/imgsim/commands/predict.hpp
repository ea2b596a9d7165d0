// imgsim predict: which group of the last clustering a new photo belongs to.
#pragma once

#include "cli/command.hpp"
#include "pipeline/fetch_url.hpp"

namespace imgsim::app {

class predict_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "predict"; }
  [[nodiscard]] std::string_view summary() const override { return "which group a new photo belongs to"; }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  void validate(const option_set& options) override;
  exit_code run(session& session) override;

 private:
  std::filesystem::path index_;
  std::vector<std::string> photos_;
  fetch_limits limits_;
};

}  // namespace imgsim::app
