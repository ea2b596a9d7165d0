// The vendor libraries in use, for `imgsim info`.
#pragma once

#include <string>
#include <vector>

namespace imgsim::app {

struct library_version {
  std::string name;
  std::string version;  // of the library that is loaded, where it can be asked
};

[[nodiscard]] std::vector<library_version> library_versions();

}  // namespace imgsim::app
