#include "device/cpu_features.hpp"

#include "device/machine_memory.hpp"

#include <fstream>
#include <sstream>
#include <thread>

#include <sys/utsname.h>

namespace imgsim::app {

cpu_description describe_cpu() {
  cpu_description cpu;
  utsname machine{};
  if (uname(&machine) == 0) cpu.model = machine.machine;
  std::string flags;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (colon == std::string::npos) continue;
    if (line.starts_with("model name")) cpu.model = line.substr(colon + 2);
    if (line.starts_with("flags") || line.starts_with("Features")) flags = line.substr(colon + 2);
    if (!flags.empty() && line.starts_with("processor")) break;  // the next core says the same
  }
  // x86-64 and aarch64 names as the kernel writes them.
  const std::vector<std::string> relevant{"sse4_2",      "avx2",        "fma",      "f16c",     "avx512f",
                                          "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_tile", "asimd",
                                          "asimddp",     "sve",         "sve2",     "bf16"};
  std::istringstream words(flags);
  for (std::string word; words >> word;) {
    for (const std::string& name : relevant) {
      if (word == name) cpu.features.push_back(word);
    }
  }
  cpu.hardware_threads = std::max(1u, std::thread::hardware_concurrency());
  cpu.memory_bytes = machine_memory_bytes();
  return cpu;
}

}  // namespace imgsim::app
