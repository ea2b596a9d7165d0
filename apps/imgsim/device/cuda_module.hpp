// The CUDA backend's module (module.hpp).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "device/module.hpp"

namespace imgsim::app {

class compute;

/// What the module offers.
struct cuda_module {
  module_identity identity;
  /// The names of the CUDA devices, by their numbers. Throws error with the reason where there is none.
  std::vector<std::string> (*device_names)();
  /// `threads` host threads, 0 for one per hardware thread. Throws error with the reason where there is no such device.
  std::unique_ptr<compute> (*open)(std::size_t ordinal, std::size_t threads);
};

inline constexpr module_name kCudaModule{
    .backend = "CUDA", .file = "imgsim_cuda.so", .variable = "IMGSIM_CUDA_MODULE", .entry = "imgsim_cuda_module"};

/// Loads the module, which then stays; the one beside this program only where there is an NVIDIA driver. Throws error
/// with the reason in one line.
[[nodiscard]] const cuda_module& load_cuda_module();

}  // namespace imgsim::app
