// imgsim watch: an index that follows its folder.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "pipeline/update_index.hpp"

namespace imgsim::app {

class watch_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "watch"; }
  [[nodiscard]] std::string_view summary() const override {
    return "keeps an index up to date while photos come and go";
  }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  [[nodiscard]] bool writes_files() const override { return true; }
  exit_code run(session& session) override;

 private:
  /// Of all updates together.
  struct totals {
    std::size_t updates = 0, photos = 0, added = 0, changed = 0, renamed = 0, removed = 0;
    std::set<std::pair<std::string, std::string>> skipped;  // of the last update: path and reason, as text
  };

  void count(session& session, const index_outcome& outcome, const json& skipped, totals& so_far) const;

  std::vector<std::string> folder_;
  std::filesystem::path index_;
  std::optional<std::filesystem::path> model_;
  double settle_ = 2;
  std::optional<double> every_;
};

}  // namespace imgsim::app
