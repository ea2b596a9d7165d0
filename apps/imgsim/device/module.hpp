// A backend as a module: a shared library beside the command, so that the command itself starts, and works on the CPU
// of one process, where a backend's libraries are not there.
//
// A module has one exported function, which returns a structure of functions. It speaks in the classes of the command,
// so it must have been built with it: the structure begins with a module_identity, which is compared before anything
// else is used.
#pragma once

#include <filesystem>

namespace imgsim::app {

struct module_identity {
  const char* interface;  // IMGSIM_INTERFACE_HASH: of the headers that both include
  const char* compiler;   // __VERSION__
};

/// Where a module is, and what it is called.
struct module_name {
  const char* backend;   // for messages: "CUDA"
  const char* file;      // beside this program
  const char* variable;  // of the environment, which names another file
  const char* entry;     // its exported function
};

/// The file that the environment names; null where it names none.
[[nodiscard]] const char* chosen_module(const module_name& name);

/// Where the module is looked for: what the environment names, or its place beside this program.
[[nodiscard]] std::filesystem::path module_path(const module_name& name);

/// Throws error with the reason, in one line, where there is no such file.
void expect_module(const module_name& name);

/// Loads the module, which then stays, and returns what its function does. Throws error with the reason in one line.
[[nodiscard]] const void* load_module(const module_name& name);

}  // namespace imgsim::app
