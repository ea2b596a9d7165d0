#include "cuda_host/runner/watchdog.hpp"

#include <sys/time.h>
#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <array>
#include <cstdio>

#include "cuda_host/runner/block.hpp"

namespace imgsim::cuda_host {
namespace {

std::array<char, 200> watched_kernel{};  // read by a signal handler: no std::string

void set_timer(unsigned seconds) {
  itimerval timer{};
  timer.it_value.tv_sec = seconds;
  setitimer(ITIMER_PROF, &timer, nullptr);  // CPU time: a busy machine is no hang
}

void report_hang(int) {
  std::array<char, 600> text{};
  int length = 0;
  if (const block_run* block = running_block(); block != nullptr) {
    const place last = block->last_place();
    length =
        std::snprintf(text.data(), text.size(),
                      "cuda_host: %s hangs: block (%u, %u, %u) thread number %u does not reach a barrier or its end; "
                      "its last was at %s:%u\n",
                      watched_kernel.data(), block->index().x, block->index().y, block->index().z,
                      block->running_thread(), last.file, last.line);
  } else {
    length = std::snprintf(text.data(), text.size(), "cuda_host: %s hangs\n", watched_kernel.data());
  }
  const auto bytes = static_cast<std::size_t>(std::clamp(length, 0, static_cast<int>(text.size()) - 1));
  if (write(STDERR_FILENO, text.data(), bytes) < 0) _exit(1);
  _exit(watchdog::kHangExitCode);
}

}  // namespace

watchdog::watchdog(const std::string& kernel, unsigned seconds) {
  watched_kernel.fill(0);
  std::copy_n(kernel.data(), std::min(kernel.size(), watched_kernel.size() - 1), watched_kernel.data());
  struct sigaction action{};
  action.sa_handler = &report_hang;
  sigaction(SIGPROF, &action, nullptr);
  set_timer(seconds);
}

watchdog::~watchdog() {
  set_timer(0);
}

}  // namespace imgsim::cuda_host
