// imgsim neighbors: the N nearest photos of every photo, kept in the index for the cached mode of query.
#pragma once

#include <optional>

#include "cli/command.hpp"

#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim::app {

class neighbors_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "neighbors"; }
  [[nodiscard]] std::string_view summary() const override { return "every photo's nearest photos, kept in the index"; }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  [[nodiscard]] bool writes_files() const override { return true; }
  exit_code run(session& session) override;

 private:
  void write_matrix(session& session, const photo_index& index) const;
  void write_sorted(const photo_index& index, const top_n_result& found) const;

  std::filesystem::path index_;
  std::string metric_ = "cosine";
  std::size_t n_ = 10;
  std::optional<std::filesystem::path> matrix_;
  std::optional<std::filesystem::path> export_;
};

}  // namespace imgsim::app
