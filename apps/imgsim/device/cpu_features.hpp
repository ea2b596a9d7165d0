// What this machine's CPU is and can do, for `imgsim info`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace imgsim::app {

struct cpu_description {
  std::string model;                  // "AMD EPYC ...", or the architecture's name
  std::vector<std::string> features;  // instruction sets that the kernels or oneDNN use
  unsigned hardware_threads = 0;
  std::uint64_t memory_bytes = 0;
};

[[nodiscard]] cpu_description describe_cpu();

}  // namespace imgsim::app
