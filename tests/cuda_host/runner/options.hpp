// How kernels are run. Set before the first launch; read from the environment by default.
#pragma once

#include <cstddef>
#include <cstdint>

namespace imgsim::cuda_host {

struct runner_options {
  /// Chooses the order of blocks and, at every step, the thread that runs next (IMGSIM_CUDA_HOST_SEED, 1).
  std::uint64_t seed;
  /// OS threads that run blocks side by side (IMGSIM_CUDA_HOST_WORKERS, 1). One is enough for ThreadSanitizer to see a
  /// race between blocks; more let one happen.
  unsigned workers;
  /// CPU time after which a kernel counts as hung: the process reports it and ends (IMGSIM_CUDA_HOST_WATCHDOG, 120).
  unsigned watchdog_seconds;
  /// The stack of a CUDA thread.
  std::size_t stack_bytes;

  runner_options();
};

runner_options& options();

}  // namespace imgsim::cuda_host
