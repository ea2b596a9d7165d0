// Faults of the system at a chosen moment: system_calls.cpp puts itself before the C library's functions.
#pragma once

#include <cstddef>

namespace imgsim_test {

/// What the calls that change files (write, fsync, link, rename, mkdir, open for writing, unlink) do while one of these
/// is alive. Not for several threads at once.
class system_fault {
 public:
  enum class kind {
    kill,         // the process ends, with exit status kKilled, before call `at` (from 0)
    fail,         // call `at` and those after it fail with `error`
    no_unnamed,   // no file without a name can be opened (O_TMPFILE)
    no_link,      // a file without a name gets none (linkat)
    short_calls,  // reads and writes move at most 3 bytes, and each second one is interrupted by a signal
  };
  static constexpr int kKilled = 99;

  /// `reached`, where given, is made when the first call fails or is interrupted; it has to live as long.
  explicit system_fault(kind what, std::size_t at = 0, int error = 0, const char* reached = nullptr);
  system_fault(const system_fault&) = delete;
  system_fault& operator=(const system_fault&) = delete;
  ~system_fault();
};

}  // namespace imgsim_test
