// Manual pages in roff (the man macros), made from what --help prints.
#pragma once

#include <string>

#include "cli/catalogue.hpp"

namespace imgsim::app {

/// imgsim(1).
[[nodiscard]] std::string manual_page(const catalogue& all);
/// imgsim-NAME(1).
[[nodiscard]] std::string manual_page(const catalogue& all, const described_command& command);

}  // namespace imgsim::app
