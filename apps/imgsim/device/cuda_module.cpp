#include "device/cuda_module.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <string_view>

#include <imgsim/core/error.hpp>

namespace imgsim::app {

namespace {

const char* chosen_module() {
  const char* const chosen = std::getenv("IMGSIM_CUDA_MODULE");
  return chosen != nullptr && *chosen != '\0' ? chosen : nullptr;
}

/// The module's libraries are half a gigabyte: without a driver there is no need to map them to learn that.
void expect_driver() {
  void* const driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver == nullptr) throw error("there is no NVIDIA driver (" + std::string(dlerror()) + ")");
  dlclose(driver);
}

}  // namespace

std::filesystem::path cuda_module_path() {
  if (const char* const chosen = chosen_module()) return chosen;
  std::error_code failure;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", failure);
  return (program.parent_path() / IMGSIM_MODULE_FOLDER / "imgsim_cuda.so").lexically_normal();
}

const cuda_module& load_cuda_module() {
  const std::filesystem::path path = cuda_module_path();
  std::error_code failure;
  if (!std::filesystem::exists(path, failure))
    throw error("this build of imgsim has no CUDA backend (there is no " + path.string() + ")");
  if (chosen_module() == nullptr) expect_driver();
  // Absolute, or it would be looked for in the folders of libraries.
  void* const library = dlopen(std::filesystem::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw error("the CUDA backend cannot be loaded: " + std::string(dlerror()));
  const auto entry = reinterpret_cast<cuda_module_entry>(dlsym(library, kCudaModuleEntry));
  if (entry == nullptr) throw error(path.string() + " is no CUDA backend of imgsim");
  const cuda_module& module = *entry();
  if (std::string_view(module.interface) != IMGSIM_INTERFACE_HASH || std::string_view(module.compiler) != __VERSION__)
    throw error(path.string() + " is of another build than this program: build both together");
  return module;
}

}  // namespace imgsim::app
