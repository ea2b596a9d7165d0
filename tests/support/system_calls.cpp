#include "support/system_calls.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>

namespace {

struct fault_state {
  bool armed = false;
  imgsim_test::system_fault::kind what{};
  std::size_t at = 0;
  int error = 0;
  const char* reached = nullptr;
  std::size_t calls = 0;
  bool interrupt = false;
};
fault_state state;

void mark_reached() {
  if (state.reached == nullptr) return;
  syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, state.reached, O_WRONLY | O_CREAT, 0600));
  state.reached = nullptr;
}

/// Whether the call is to fail; errno is set then.
bool refuses() {
  using kind = imgsim_test::system_fault::kind;
  if (!state.armed || (state.what != kind::kill && state.what != kind::fail)) return false;
  if (state.calls++ < state.at) return false;
  if (state.what == kind::kill) _exit(imgsim_test::system_fault::kKilled);
  mark_reached();
  errno = state.error;
  return true;
}

/// Pipes and terminals have no faults: a program talks to itself and to people over them.
bool is_of_a_file(int descriptor) {
  struct stat status{};
  return fstat(descriptor, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

/// Whether a transfer is to be interrupted; `count` becomes short.
bool interrupts(std::size_t& count) {
  if (!state.armed || state.what != imgsim_test::system_fault::kind::short_calls) return false;
  mark_reached();
  count = std::min<std::size_t>(count, 3);
  state.interrupt = !state.interrupt;
  if (state.interrupt) errno = EINTR;
  return state.interrupt;
}

}  // namespace

namespace imgsim_test {

system_fault::system_fault(kind what, std::size_t at, int error, const char* reached) {
  state = {.armed = true, .what = what, .at = at, .error = error, .reached = reached};
}
system_fault::~system_fault() {
  state.armed = false;
}

}  // namespace imgsim_test

extern "C" {

ssize_t read(int file, void* buffer, size_t count) {
  if (state.armed && is_of_a_file(file) && interrupts(count)) return -1;
  return syscall(SYS_read, file, buffer, count);
}

ssize_t write(int file, const void* buffer, size_t count) {
  if (state.armed && is_of_a_file(file) && (refuses() || interrupts(count))) return -1;
  return syscall(SYS_write, file, buffer, count);
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
  const bool creates = unnamed || (flags & O_CREAT) != 0;
  const mode_t mode = creates ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (unnamed && state.armed && state.what == imgsim_test::system_fault::kind::no_unnamed) {
    errno = EOPNOTSUPP;
    return -1;
  }
  if (creates && refuses()) return -1;
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

int fsync(int file) {
  if (refuses()) return -1;
  return state.armed ? 0 : static_cast<int>(syscall(SYS_fsync, file));
}

int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  if (state.armed && state.what == imgsim_test::system_fault::kind::no_link) {
    errno = EXDEV;
    return -1;
  }
  if (refuses()) return -1;
  return static_cast<int>(syscall(SYS_linkat, from_folder, from, to_folder, to, flags));
}

int rename(const char* from, const char* to) noexcept {
  if (refuses()) return -1;
  return static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int link(const char* from, const char* to) noexcept {
  return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int symlink(const char* from, const char* to) noexcept {
  if (refuses()) return -1;
  return static_cast<int>(syscall(SYS_symlinkat, from, AT_FDCWD, to));
}

int mkdir(const char* path, mode_t mode) noexcept {
  if (refuses()) return -1;
  return static_cast<int>(syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  if (refuses()) return -1;
  return static_cast<int>(syscall(SYS_unlinkat, folder, path, flags));
}

}  // extern "C"
