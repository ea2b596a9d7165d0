// imgsim graph: a graph of neighbours, kept in the index for query --approximate.
#pragma once

#include "cli/command.hpp"
#include "pipeline/neighbour_graph.hpp"

namespace imgsim::app {

class graph_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "graph"; }
  [[nodiscard]] std::string_view summary() const override {
    return "a graph of neighbours in the index, for queries that look at few photos";
  }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  [[nodiscard]] bool writes_files() const override { return true; }
  exit_code run(session& session) override;

 private:
  void print(const graph_result& result) const;

  std::filesystem::path index_;
  graph_request request_;
};

}  // namespace imgsim::app
