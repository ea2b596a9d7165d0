// Work in a process of its own, for libraries that a hostile file can break.
#pragma once

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>

namespace imgsim {

/// What a child process may take; 0: as much as there is.
struct child_limits {
  std::size_t cpu_seconds = 0;
  std::size_t memory_bytes = 0;  ///< beside what the parent has at the time
};

/// A child process ended before it had done its work.
class child_ended : public error {
 public:
  /// `status` as waitpid() gives it.
  explicit child_ended(int status)
      : error(WIFSIGNALED(status) ? std::string("a child process was ended by a signal: ") + strsignal(WTERMSIG(status))
                                  : "a child process ended with exit status " + std::to_string(WEXITSTATUS(status))),
        signal_(WIFSIGNALED(status) ? WTERMSIG(status) : 0) {}

  /// What ended it; 0: it exited.
  [[nodiscard]] int signal() const noexcept { return signal_; }

 private:
  int signal_;
};

namespace detail {

/// What the messages call the pipe between the two.
inline constexpr const char* kChildPipe = "the pipe of a child process";

/// The soft limit lies below the hard one, at which SIGXCPU would become SIGKILL.
inline void limit_to(__rlimit_resource_t resource, std::size_t amount) noexcept {
  const rlimit limit{amount, amount + 1};
  setrlimit(resource, &limit);
}

/// Bytes of addresses that this process has taken; 0 where the system does not say.
[[nodiscard]] inline std::size_t address_space() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// What runs in the child; never returns. Exit status 0: all was written.
template <class Work>
[[noreturn]] void be_child(const unique_descriptor& to, pid_t parent, const child_limits& limits, Work& work) noexcept {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a parent that is killed leaves nothing behind
  if (getppid() != parent) _exit(1);
  // What the parent does about signals, or keeps from itself, is not the child's business.
  for (int signal = 1; signal < NSIG; ++signal) std::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  limit_to(RLIMIT_CORE, 0);
  if (limits.cpu_seconds > 0) limit_to(RLIMIT_CPU, limits.cpu_seconds);
  try {
    if (const std::size_t taken = address_space(); limits.memory_bytes > 0 && taken > 0)
      limit_to(RLIMIT_AS, taken + limits.memory_bytes);
    write_all(to, work(), kChildPipe);
  } catch (...) {
    _exit(1);
  }
  _exit(0);
}

[[nodiscard]] inline std::vector<std::byte> read_to_end(const unique_descriptor& from) {
  constexpr std::size_t kPiece = std::size_t{1} << 16;
  std::vector<std::byte> bytes;
  std::size_t done = 0;
  do {
    bytes.resize(done + std::max(kPiece, done));
    done += read_some(from, std::span(bytes).subspan(done), kChildPipe);
  } while (done == bytes.size());
  bytes.resize(done);
  return bytes;
}

}  // namespace detail

/// The bytes that `work()` returns, made in a child process: whatever becomes of the memory there, this process keeps
/// its own. The child is a copy of the calling thread alone: `work` must not wait for another thread, nor use a library
/// that is busy in one. Its exceptions end it, as do Ctrl-C, the end of this process, and (by SIGXCPU) the limit of its
/// time; beyond that of its memory, allocations fail. Throws child_ended where it ended before all was written, error
/// where there can be no child, or none whose end is told (SIGCHLD ignored).
template <class Work>
[[nodiscard]] std::vector<std::byte> in_child_process(Work&& work, const child_limits& limits = {}) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw error("there can be no child process: " + detail::system_reason());
  const unique_descriptor from(ends[0]);
  unique_descriptor to(ends[1]);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw error("there can be no child process: " + detail::system_reason());
  if (child == 0) detail::be_child(to, parent, limits, work);
  {
    const unique_descriptor closed = std::move(to);
  }  // the child's copy alone keeps the pipe open
  int status = 0;
  const auto wait = [&] { return detail::uninterrupted([&] { return waitpid(child, &status, 0); }) == child; };
  std::vector<std::byte> bytes;
  try {
    bytes = detail::read_to_end(from);
  } catch (...) {
    kill(child, SIGKILL);
    wait();
    throw;
  }
  // A program that ignores SIGCHLD, or waits for every child, takes the status away.
  if (!wait()) throw error("how a child process ended cannot be told: " + detail::system_reason());
  if (status != 0) throw child_ended(status);
  return bytes;
}

}  // namespace imgsim
