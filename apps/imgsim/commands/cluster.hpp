// imgsim cluster: the photos of an index in K groups around medoids.
#pragma once

#include <optional>

#include "cli/command.hpp"
#include "pipeline/grouping.hpp"
#include "pipeline/partition.hpp"

namespace imgsim::app {

class cluster_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "cluster"; }
  [[nodiscard]] std::string_view summary() const override {
    return "groups around medoids; on request one folder a group";
  }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  void validate(const option_set& options) override;
  [[nodiscard]] bool writes_files() const override { return true; }
  exit_code run(session& session) override;

 private:
  void partition(session& session, const photo_index& index, const grouping_result& result) const;
  void note_choice(const session& session, const grouping_result& result) const;
  void print(const session& session, const grouping_result& result) const;

  std::filesystem::path index_;
  grouping_request request_;
  std::string method_ = "k-medoids";
  std::string initialisation_ = "k-means++";
  std::optional<std::size_t> max_swaps_;
  std::optional<std::filesystem::path> out_;
  std::optional<partition_kind> partition_;
};

}  // namespace imgsim::app
