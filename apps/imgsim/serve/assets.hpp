// The files of the page, built into the program.
#pragma once

#include <span>
#include <string_view>

namespace imgsim::app {

struct asset {
  std::string_view name;   // "app.js"
  std::string_view bytes;  // of the file
};

/// Those of serve/assets, made into a source file by serve/embed_assets.cmake.
[[nodiscard]] std::span<const asset> assets();

}  // namespace imgsim::app
