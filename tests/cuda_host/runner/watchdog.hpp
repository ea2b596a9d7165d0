// Ends a process whose kernel hangs: a loop in which one thread waits for another never lets that other run.
#pragma once

#include <string>

namespace imgsim::cuda_host {

/// While one lives, more than `seconds` of CPU time mean a hang: the kernel, block, thread and its last barrier are
/// written to stderr and the process exits with kHangExitCode. One at a time. ThreadSanitizer delivers no signal to a
/// loop without calls; there the time limit of the test has to do.
class watchdog {
 public:
  static constexpr int kHangExitCode = 77;

  watchdog(const std::string& kernel, unsigned seconds);
  ~watchdog();
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;
};

}  // namespace imgsim::cuda_host
