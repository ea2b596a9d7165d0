// Reading a photo's file: regular files only, bounded, without ever waiting on a FIFO.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <imgsim/core/error.hpp>

namespace imgsim::detail {

[[nodiscard]] inline std::string system_reason(int error_number) {
  return std::generic_category().message(error_number);
}

/// "a folder", "a named pipe": what is not a regular file.
[[nodiscard]] inline const char* file_type_name(mode_t mode) noexcept {
  if (S_ISREG(mode)) return "a regular file";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

class file_descriptor {
 public:
  explicit file_descriptor(int number) noexcept : number_(number) {}
  file_descriptor(const file_descriptor&) = delete;
  file_descriptor& operator=(const file_descriptor&) = delete;
  ~file_descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const noexcept { return number_; }

 private:
  int number_;
};

/// Fills `bytes`, whose memory is used again, with the file's content. Throws io_error where it is no regular file,
/// is larger than `max_bytes`, or cannot be read.
inline void read_photo_file(const std::filesystem::path& path, std::uint64_t max_bytes, std::vector<std::byte>& bytes) {
  struct stat status{};
  // Opening a device can have effects of its own, so its kind is looked at before, and again after a change of names.
  if (::stat(path.c_str(), &status) != 0) throw io_error(path, system_reason(errno));
  if (!S_ISREG(status.st_mode)) throw io_error(path, concat("it is ", file_type_name(status.st_mode), ", no file"));
  const file_descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) throw io_error(path, system_reason(errno));
  if (!S_ISREG(status.st_mode)) throw io_error(path, concat("it is ", file_type_name(status.st_mode), ", no file"));

  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > max_bytes)
    throw io_error(path, concat("the file has ", size, " bytes, more than the limit of ", max_bytes));
  bytes.resize(static_cast<std::size_t>(size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::read(file.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw io_error(path, system_reason(errno));
    if (count == 0) break;  // cut short meanwhile: the decoder says what is missing
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
}

}  // namespace imgsim::detail
