// Keeps two processes from writing into one folder of results.
#pragma once

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <filesystem>

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>

namespace imgsim::app {

/// Held while a folder is written into; the lock is the folder's own and leaves no file. File systems without locks are
/// written into without one.
class folder_lock {
 public:
  /// Throws io_error where another process holds it, or the folder cannot be opened.
  explicit folder_lock(const std::filesystem::path& folder)
      : handle_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (handle_.number() < 0) throw io_error(folder, "cannot be opened: " + imgsim::detail::system_reason());
    if (::flock(handle_.number(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      throw io_error(folder, "another imgsim is writing here; wait until it has finished, or name another folder");
  }

 private:
  unique_descriptor handle_;
};

}  // namespace imgsim::app
