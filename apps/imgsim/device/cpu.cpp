// The CPU's instance of compute; cpu_<stage>.cpp hold its parts.
#include "device/compute_on.hpp"
#include "device/open_compute.hpp"

#include <imgsim/cpu/context.hpp>

namespace imgsim::app {

std::unique_ptr<compute> open_cpu(std::size_t threads) {
  return std::make_unique<compute_on<cpu_context>>(cpu_context(threads));
}

}  // namespace imgsim::app
