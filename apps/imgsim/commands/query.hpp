// imgsim query: the photos of an index most like the given ones.
#pragma once

#include <optional>
#include <span>

#include "cli/command.hpp"
#include "cli/terminal_picture.hpp"
#include "pipeline/fetch_url.hpp"
#include "pipeline/match_list.hpp"
#include "pipeline/probability_options.hpp"
#include "pipeline/query_pictures.hpp"

namespace imgsim::app {

class query_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "query"; }
  [[nodiscard]] std::string_view summary() const override { return "the photos of an index most like the given ones"; }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  void validate(const option_set& options) override;
  [[nodiscard]] bool writes_files() const override { return true; }
  exit_code run(session& session) override;

 private:
  std::vector<answered_query> answer_photos(session& session, const photo_index& index,
                                            std::span<const nearest_search> searches) const;
  std::vector<answered_query> answer_ids(session& session, const photo_index& index,
                                         std::span<const nearest_search> searches) const;
  void prepare_grids(session& session, std::size_t queries) const;
  void draw(const session& session, const photo_index& index, std::span<const answered_query> answers) const;

  std::filesystem::path index_;
  std::vector<std::string> photos_;
  std::vector<std::string> ids_;
  std::vector<std::string> metrics_{"cosine"};
  std::size_t n_ = 10;
  bool approximate_ = false;
  std::optional<std::size_t> breadth_;
  probability_options probability_;
  std::optional<picture_protocol> thumbnails_;
  std::optional<std::filesystem::path> grid_;
  std::optional<std::filesystem::path> report_;
  fetch_limits limits_;
};

}  // namespace imgsim::app
