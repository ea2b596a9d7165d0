// Keeps two processes from writing into one folder of results.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>

namespace imgsim::app {

/// Held while a folder is written into; the lock is the folder's own and leaves no file. No protection where it cannot
/// be taken: in a folder that may be written and not read, and on file systems that lock no folders (NFS).
class folder_lock {
 public:
  /// Throws io_error where another process holds it, or the folder is gone.
  explicit folder_lock(const std::filesystem::path& folder)
      : handle_(
            imgsim::detail::uninterrupted([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); })) {
    if (handle_.number() < 0) {
      if (errno == EACCES) return;
      throw io_error(folder, "cannot be opened: " + imgsim::detail::system_reason());
    }
    if (imgsim::detail::uninterrupted([&] { return ::flock(handle_.number(), LOCK_EX | LOCK_NB); }) != 0 &&
        errno == EWOULDBLOCK)
      throw io_error(folder, "another imgsim is writing here; wait until it has finished, or name another folder");
    // The one who held it before may have removed the folder, as it was empty.
    struct stat locked{}, there{};
    if (::fstat(handle_.number(), &locked) != 0 || ::stat(folder.c_str(), &there) != 0 ||
        locked.st_ino != there.st_ino || locked.st_dev != there.st_dev)
      throw io_error(folder, "was removed by another imgsim that had failed; try again");
  }

 private:
  unique_descriptor handle_;
};

}  // namespace imgsim::app
