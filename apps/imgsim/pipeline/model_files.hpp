// Models, checkpoints and architectures as files. The library's functions of these kinds are instantiated here once,
// since reading an architecture is slow to compile.
#pragma once

#include <filesystem>

#include <imgsim/model/architecture.hpp>
#include <imgsim/model/model_file.hpp>

namespace imgsim::app {

/// Throws io_error.
[[nodiscard]] model_file load_model(const std::filesystem::path& path);

/// Throws io_error, invalid_argument.
void save_model(const std::filesystem::path& path, const model_file& model);

/// The network that a checkpoint is of. Throws io_error.
[[nodiscard]] architecture load_checkpoint_architecture(const std::filesystem::path& path);

/// An architecture in a JSON file. Throws io_error, which names the field at fault.
[[nodiscard]] architecture load_architecture(const std::filesystem::path& path);

}  // namespace imgsim::app
