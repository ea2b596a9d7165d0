// imgsim import-keras: Keras weights of a supported architecture as a model.
#pragma once

#include "cli/command.hpp"

namespace imgsim::app {

class import_keras_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "import-keras"; }
  [[nodiscard]] std::string_view summary() const override { return "Keras weights (.h5) as a model of imgsim"; }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  [[nodiscard]] bool writes_files() const override { return true; }
  exit_code run(session& session) override;

 private:
  std::vector<std::string> files_;
  std::filesystem::path model_;
};

}  // namespace imgsim::app
