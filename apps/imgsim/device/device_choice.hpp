// --device auto|cpu|cuda[:N]
#pragma once

#include <cstddef>
#include <string>

namespace imgsim::app {

enum class device_kind { automatic, cpu, cuda };

struct device_choice {
  device_kind kind = device_kind::automatic;
  std::size_t ordinal = 0;  // which CUDA device
};

/// Throws usage_error with the reason.
[[nodiscard]] device_choice parse_device(const std::string& text);

}  // namespace imgsim::app
