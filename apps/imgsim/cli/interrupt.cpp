#include "cli/interrupt.hpp"

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

constexpr char kStop = 's';
constexpr char kEnd = 'e';

void on_signal(int) {
  const int saved = errno;
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
  // Back to the default after the first: a second Ctrl-C ends a run that does not stop by itself.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction before{};
    sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);  // nohup and & ask to ignore it
  }
}

interrupt_watch::~interrupt_watch() {
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction now{};
    sigaction(number, nullptr, &now);
    if (now.sa_handler == on_signal) std::signal(number, SIG_DFL);
  }
  [[maybe_unused]] const auto written = write(g_pipe[1], &kEnd, 1);
  reader_.join();
  close(g_pipe[0]);
  close(g_pipe[1]);
}

}  // namespace imgsim::app
