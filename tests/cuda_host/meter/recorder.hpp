// The accesses of the block that is running, as the compiler's instrumentation reports them.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda_host/meter/traffic.hpp"

namespace imgsim::cuda_host {

struct recorded_access {
  std::uintptr_t site = 0;  // the return address: within the instruction after the access
  std::uintptr_t address = 0;
  std::uint16_t thread = 0;
  std::uint8_t bytes = 0;
  access_kind kind = access_kind::read;
};

/// Nothing, where no meter watches or no kernel runs.
void record_access(const void* address, unsigned bytes, access_kind kind, const void* site) noexcept;

/// Where record_access writes to on this OS thread; null for nowhere.
void record_accesses_to(std::vector<recorded_access>* accesses) noexcept;

}  // namespace imgsim::cuda_host
