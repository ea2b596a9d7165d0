// imgsim index: encodes a folder of photos, or brings an index of it up to date.
#pragma once

#include <optional>

#include "cli/command.hpp"

namespace imgsim::app {

class index_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "index"; }
  [[nodiscard]] std::string_view summary() const override {
    return "encodes a folder; again: adds, updates and drops what changed";
  }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  [[nodiscard]] bool writes_files() const override { return true; }
  exit_code run(session& session) override;

 private:
  std::filesystem::path index_;
  std::optional<std::filesystem::path> images_;
  std::optional<std::filesystem::path> model_;
  bool replace_ = false;
};

}  // namespace imgsim::app
