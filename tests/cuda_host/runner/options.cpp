#include "cuda_host/runner/options.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace imgsim::cuda_host {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

// The sanitizers' red zones make frames larger.
#if defined(IMGSIM_CUDA_HOST_ASAN)
constexpr std::size_t kStackBytes = 256 << 10;
#else
constexpr std::size_t kStackBytes = 64 << 10;
#endif

}  // namespace

runner_options::runner_options()
    : seed(number_from_environment("IMGSIM_CUDA_HOST_SEED", 1)),
      workers(
          static_cast<unsigned>(std::max<std::uint64_t>(number_from_environment("IMGSIM_CUDA_HOST_WORKERS", 1), 1))),
      watchdog_seconds(static_cast<unsigned>(number_from_environment("IMGSIM_CUDA_HOST_WATCHDOG", 120))),
      stack_bytes(kStackBytes) {}

runner_options& options() {
  static runner_options instance;
  return instance;
}

}  // namespace imgsim::cuda_host
