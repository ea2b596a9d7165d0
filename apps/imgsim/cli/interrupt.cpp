#include "cli/interrupt.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace imgsim::app {

namespace {

// A handler may only call async-signal-safe functions, and request_stop() runs callbacks: the handler writes a byte
// into this pipe and a thread requests the stop.
int g_pipe[2] = {-1, -1};

constexpr std::array<int, 2> kSignals{SIGINT, SIGTERM};
std::array<struct sigaction, kSignals.size()> g_before;  // what else a signal does

constexpr char kStop = 's';
constexpr char kEnd = 'e';

// Only the first is heeded: the second ends a run that does not stop by itself.
void on_signal(int number) {
  const int saved = errno;
  for (std::size_t i = 0; i < kSignals.size(); ++i)
    if (kSignals[i] == number) sigaction(number, &g_before[i], nullptr);
  [[maybe_unused]] const auto written = write(g_pipe[1], &kStop, 1);
  errno = saved;
}

}  // namespace

interrupt_watch::interrupt_watch() {
  if (pipe2(g_pipe, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  reader_ = std::thread([this] {
    for (char message = 0; message != kEnd;) {
      if (read(g_pipe[0], &message, 1) == 1 && message == kStop) source_.request_stop();
    }
  });
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &g_before[i]);
    if (g_before[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);  // nohup and & ask to ignore it
  }
}

interrupt_watch::~interrupt_watch() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    struct sigaction now{};
    sigaction(kSignals[i], nullptr, &now);
    if (now.sa_handler == on_signal) sigaction(kSignals[i], &g_before[i], nullptr);
  }
  [[maybe_unused]] const auto written = write(g_pipe[1], &kEnd, 1);
  reader_.join();
  close(g_pipe[0]);
  close(g_pipe[1]);
}

}  // namespace imgsim::app
