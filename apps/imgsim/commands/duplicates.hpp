// imgsim duplicates: groups of photos of an index that are one photo, at a stated precision.
#pragma once

#include <optional>

#include "cli/command.hpp"
#include "cli/terminal_picture.hpp"
#include "pipeline/duplicates.hpp"

namespace imgsim::app {

class duplicates_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "duplicates"; }
  [[nodiscard]] std::string_view summary() const override { return "the same and near-identical photos of an index"; }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  [[nodiscard]] bool writes_files() const override { return true; }
  exit_code run(session& session) override;

 private:
  void print(const session& session, const photo_index& index, const duplicate_report& report) const;

  std::filesystem::path index_;
  double precision_ = 0.99;
  std::optional<std::filesystem::path> report_;
  std::optional<picture_protocol> thumbnails_;
};

}  // namespace imgsim::app
