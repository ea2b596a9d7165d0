// imgsim compare: the similarity of two photos, or with --threshold a yes or no by exit code.
#pragma once

#include <optional>

#include "cli/command.hpp"
#include "pipeline/fetch_url.hpp"
#include "pipeline/probability_options.hpp"

namespace imgsim::app {

class compare_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "compare"; }
  [[nodiscard]] std::string_view summary() const override { return "the similarity of two photos"; }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  void validate(const option_set& options) override;
  exit_code run(session& session) override;
  /// With --threshold 1 means "below", so that failures are 2, as with cmp and grep.
  [[nodiscard]] exit_code on_failure() const override {
    return threshold_ ? exit_code::wrong_usage : exit_code::failed;
  }

 private:
  std::filesystem::path model_;
  std::vector<std::string> photos_;
  std::string metric_ = "cosine";
  std::optional<double> threshold_;
  probability_options probability_;
  fetch_limits limits_;
};

}  // namespace imgsim::app
