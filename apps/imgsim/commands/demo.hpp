// imgsim demo: the whole journey, ending with a page to open.
#pragma once

#include <optional>

#include "cli/command.hpp"

namespace imgsim::app {

class demo_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "demo"; }
  [[nodiscard]] std::string_view summary() const override {
    return "the whole journey on a rendered sample set, or on your photos";
  }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  [[nodiscard]] bool writes_files() const override { return true; }
  exit_code run(session& session) override;

 private:
  /// Pictures of a set of another count would stay beside the new ones.
  void refuse_other_pictures(const std::filesystem::path& folder) const;
  exit_code dry_run(session& session) const;

  std::filesystem::path out_ = "imgsim-demo";
  std::optional<std::filesystem::path> photos_;
  std::optional<std::size_t> epochs_;
  std::size_t count_ = 720;
};

}  // namespace imgsim::app
