// The CUDA backend as a module: a shared library beside the command, so that the command itself starts, and works on
// the CPU, where there is no CUDA at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace imgsim::app {

class compute;

/// What the module offers. It speaks in the classes of the command, so it must have been built with it: the first two
/// members are compared before the others are used.
struct cuda_module {
  const char* interface;  // IMGSIM_INTERFACE_HASH: of the headers that both include
  const char* compiler;   // __VERSION__
  /// The names of the CUDA devices, by their numbers. Throws error with the reason where there is none.
  std::vector<std::string> (*device_names)();
  /// `threads` host threads, 0 for one per hardware thread. Throws error with the reason where there is no such device.
  std::unique_ptr<compute> (*open)(std::size_t ordinal, std::size_t threads);
};

/// The module's one exported function, by this name: a const cuda_module*.
using cuda_module_entry = const cuda_module* (*)();
inline constexpr const char* kCudaModuleEntry = "imgsim_cuda_module";

/// Where the module is looked for: IMGSIM_CUDA_MODULE of the environment, or its place beside this program.
[[nodiscard]] std::filesystem::path cuda_module_path();

/// Loads the module, which then stays; the one beside this program only where there is an NVIDIA driver. Throws error
/// with the reason in one line.
[[nodiscard]] const cuda_module& load_cuda_module();

}  // namespace imgsim::app
