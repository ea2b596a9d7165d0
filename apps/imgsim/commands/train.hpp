// imgsim train: trains an autoencoder on a folder of photos.
#pragma once

#include <optional>

#include "cli/command.hpp"

#include <imgsim/model/architecture.hpp>
#include <imgsim/model/schedule.hpp>

namespace imgsim::app {

class train_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "train"; }
  [[nodiscard]] std::string_view summary() const override { return "trains a model on a folder of photos"; }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  void validate(const option_set& options) override;
  [[nodiscard]] bool writes_files() const override { return true; }
  exit_code run(session& session) override;

 private:
  [[nodiscard]] architecture choose_architecture() const;
  /// With what the options change of its training.
  [[nodiscard]] architecture choose_training() const;

  std::filesystem::path images_;
  std::filesystem::path model_;
  std::string preset_ = "default";
  std::optional<std::size_t> size_;
  std::optional<std::size_t> latent_;
  std::size_t epochs_ = 0;
  std::size_t batch_ = 0;
  double learning_rate_ = 0;
  std::optional<learning_rate_schedule> schedule_;
  std::optional<augmentation> augment_;
  std::optional<double> mask_;
  std::optional<double> invariance_;
  std::optional<double> ema_;
  std::size_t patience_ = 0;
  double minutes_ = 0;
  std::string precision_ = "float32";
  double validation_ = 0.2;
  bool resume_ = false;
  std::optional<std::filesystem::path> report_;
};

}  // namespace imgsim::app
