#include "device/module.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

#include <imgsim/core/error.hpp>

namespace imgsim::app {

const char* chosen_module(const module_name& name) {
  const char* const chosen = std::getenv(name.variable);
  return chosen != nullptr && *chosen != '\0' ? chosen : nullptr;
}

std::filesystem::path module_path(const module_name& name) {
  if (const char* const chosen = chosen_module(name)) return chosen;
  std::error_code failure;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", failure);
  return (program.parent_path() / IMGSIM_MODULE_FOLDER / name.file).lexically_normal();
}

void expect_module(const module_name& name) {
  const std::filesystem::path path = module_path(name);
  std::error_code failure;
  if (!std::filesystem::exists(path, failure))
    throw error("this build of imgsim has no " + std::string(name.backend) + " backend (there is no " + path.string() +
                ")");
}

const void* load_module(const module_name& name) {
  expect_module(name);
  const std::filesystem::path path = module_path(name);
  const std::string backend = name.backend;
  // Absolute, or it would be looked for in the folders of libraries.
  void* const library = dlopen(std::filesystem::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw error("the " + backend + " backend cannot be loaded: " + std::string(dlerror()));
  const auto entry = reinterpret_cast<const void* (*)()>(dlsym(library, name.entry));
  if (entry == nullptr) throw error(path.string() + " is no " + backend + " backend of imgsim");
  const void* const module = entry();
  const auto& identity = *static_cast<const module_identity*>(module);
  if (std::string_view(identity.interface) != IMGSIM_INTERFACE_HASH ||
      std::string_view(identity.compiler) != __VERSION__)
    throw error(path.string() + " is of another build than this program: build both together");
  return module;
}

}  // namespace imgsim::app
