// The one place that holds the version: CMakeLists.txt reads it from here.
#pragma once

#define IMGSIM_VERSION_MAJOR 0
#define IMGSIM_VERSION_MINOR 1
#define IMGSIM_VERSION_PATCH 0

namespace imgsim {

inline constexpr const char* version = "0.1.0";

}  // namespace imgsim
