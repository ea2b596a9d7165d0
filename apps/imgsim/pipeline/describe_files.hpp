// A model or an index in words and as JSON, for `imgsim info FILE`.
#pragma once

#include <filesystem>
#include <string>

#include "cli/session.hpp"

namespace imgsim::app {

/// Throws io_error where it cannot be read.
[[nodiscard]] json model_json(const std::filesystem::path& path);
[[nodiscard]] json index_json(const std::filesystem::path& path);

/// The same for people: one line a field, "name: value".
[[nodiscard]] std::string described(const json& document);

}  // namespace imgsim::app
