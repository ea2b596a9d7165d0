// The options that every command takes, before or after its name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "cli/option_set.hpp"
#include "cli/terminal.hpp"
#include "device/device_choice.hpp"

namespace imgsim::app {

struct global_options {
  device_choice device;
  std::size_t threads = 0;  // 0: one per hardware thread
  std::size_t seed = 0;
  std::size_t max_pixels = std::size_t{64} << 20;
  bool deterministic = false;
  std::optional<std::filesystem::path> config;  // none: that of the environment, or of the user's folder
  colour_choice colour = colour_choice::automatic;
  bool json = false;
  bool quiet = false;
  bool dry_run = false;  // an option of the commands that write files
  bool help = false;
  bool version = false;
};

void describe(option_set& options, global_options& target);

}  // namespace imgsim::app
