// Scripts that let a shell complete command lines of imgsim: commands, options, the values that have names, and files
// where an option takes one.
#pragma once

#include <string>
#include <vector>

#include "cli/catalogue.hpp"

namespace imgsim::app {

/// "bash", "fish", "zsh".
[[nodiscard]] const std::vector<std::string>& completed_shells();
/// The script of one of completed_shells().
[[nodiscard]] std::string completion_script(const std::string& shell, const catalogue& all);

}  // namespace imgsim::app
