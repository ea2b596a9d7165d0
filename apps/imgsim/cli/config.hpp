// Options from a file (TOML), for those that the command line does not give.
//
//   threads = 4                # a global option
//   [query]
//   index = "~/photos.idx"     # an option of imgsim query
//   metric = ["cosine", "euclidean"]
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/catalogue.hpp"

namespace imgsim::app {

/// The file of --config, of IMGSIM_CONFIG (empty: none), or config.toml in the user's folder where it is there.
[[nodiscard]] std::optional<std::filesystem::path> config_file_of(const global_options& given);

/// Sets the options that were not given: those of `command`'s table, then those at the top of the file. The whole file
/// is checked, other commands' tables too. Returns the options that were set, with their dashes. Throws usage_error
/// with file and line.
std::vector<std::string> configure(option_set& options, const std::filesystem::path& file, const std::string& command,
                                   const catalogue& all);

}  // namespace imgsim::app
