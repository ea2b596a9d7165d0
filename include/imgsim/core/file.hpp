// Files on POSIX systems: read whole, mapped, or replaced in one step. Every failure is an io_error that begins with
// the path and says in plain words what could not be done and why. Interrupted calls and short transfers are resumed.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include <imgsim/core/content_hash.hpp>
#include <imgsim/core/error.hpp>

namespace imgsim {

/// The bytes of a text, for the functions below.
[[nodiscard]] inline std::span<const std::byte> bytes_of(std::string_view text) noexcept {
  return std::as_bytes(std::span(text));
}
/// Bytes as text, with no check and no copy.
[[nodiscard]] inline std::string_view text_of(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Owns a file descriptor.
class unique_descriptor {
 public:
  unique_descriptor() noexcept = default;
  explicit unique_descriptor(int number) noexcept : number_(number) {}
  unique_descriptor(unique_descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  unique_descriptor& operator=(unique_descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~unique_descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }

 private:
  int number_ = -1;
};

namespace detail {

/// "No such file or directory"
[[nodiscard]] inline std::string system_reason(int code = errno) {
  return std::generic_category().message(code);
}

/// "cannot be opened: No such file or directory"
[[noreturn]] inline void throw_system_error(const std::filesystem::path& path, const char* what, int code = errno) {
  throw io_error(path, concat(what, ": ", system_reason(code)), code);
}

/// Calls a system function again for as long as a signal interrupts it.
template <class Call>
auto uninterrupted(Call&& call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

/// "a folder", "a named pipe": what is not a regular file.
[[nodiscard]] inline const char* file_type_name(mode_t mode) noexcept {
  if (S_ISREG(mode)) return "a regular file";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

inline void check_regular(const struct stat& status, const std::filesystem::path& path) {
  if (!S_ISREG(status.st_mode)) throw io_error(path, concat("is ", file_type_name(status.st_mode), ", not a file"));
}

[[nodiscard]] inline std::uint64_t size_of_open_file(const unique_descriptor& file, const std::filesystem::path& path) {
  struct stat status{};
  if (::fstat(file.number(), &status) != 0) throw_system_error(path, "cannot be examined");
  check_regular(status, path);
  return static_cast<std::uint64_t>(status.st_size);
}

/// Never waits for the other end of a FIFO and never becomes the terminal of the process. Opening a device can have
/// effects of its own, so the kind is looked at before, and again by size_of_open_file() lest the names have changed.
[[nodiscard]] inline unique_descriptor open_for_reading(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) throw_system_error(path, "cannot be opened");
  check_regular(status, path);
  unique_descriptor file(
      uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); }));
  if (file.number() < 0) throw_system_error(path, "cannot be opened");
  return file;
}

/// Bytes read into `buffer`; fewer than its size only at the end of the file.
[[nodiscard]] inline std::size_t read_some(const unique_descriptor& file, std::span<std::byte> buffer,
                                           const std::filesystem::path& path) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t n = uninterrupted([&] { return ::read(file.number(), buffer.data() + done, buffer.size() - done); });
    if (n < 0) throw_system_error(path, "cannot be read");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

inline void write_all(const unique_descriptor& file, std::span<const std::byte> bytes,
                      const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = uninterrupted([&] { return ::write(file.number(), bytes.data(), bytes.size()); });
    if (n < 0) throw_system_error(path, "cannot be written");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

}  // namespace detail

/// Fills `bytes`, whose memory is used again, with the whole of a regular file that was opened as `path`. Throws
/// io_error where it cannot be read or holds more than `max_bytes`; memory for more than that is never asked for.
inline void read_file(const unique_descriptor& file, const std::filesystem::path& path, std::uint64_t max_bytes,
                      std::vector<std::byte>& bytes) {
  constexpr std::uint64_t kPage = 4096;
  const auto check = [&](std::uint64_t count) {
    if (count > max_bytes)
      throw io_error(path, detail::concat("holds ", count, " bytes, more than the limit of ", max_bytes));
  };
  const std::uint64_t size = detail::size_of_open_file(file, path);
  check(size);
  // One byte more than the size shows the end in the first round; files of /proc and growing files take more rounds.
  std::size_t done = 0;
  std::uint64_t room = size + 1;
  do {
    bytes.resize(static_cast<std::size_t>(room));
    done += detail::read_some(file, std::span(bytes).subspan(done), path);
    check(done);
    room = std::min(max_bytes, room + std::max(room, kPage)) + 1;
  } while (done == bytes.size());
  bytes.resize(done);
}
inline void read_file(const std::filesystem::path& path, std::uint64_t max_bytes, std::vector<std::byte>& bytes) {
  read_file(detail::open_for_reading(path), path, max_bytes, bytes);
}

[[nodiscard]] inline std::vector<std::byte> read_file(const unique_descriptor& file, const std::filesystem::path& path,
                                                      std::uint64_t max_bytes) {
  std::vector<std::byte> bytes;
  read_file(file, path, max_bytes, bytes);
  return bytes;
}
[[nodiscard]] inline std::vector<std::byte> read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  return read_file(detail::open_for_reading(path), path, max_bytes);
}

/// The content hash of a file's bytes, read in pieces.
[[nodiscard]] inline std::string hash_file(const std::filesystem::path& path) {
  const unique_descriptor file = detail::open_for_reading(path);
  std::ignore = detail::size_of_open_file(file, path);
  std::vector<std::byte> buffer(std::size_t{1} << 18);
  content_hasher hasher;
  std::size_t n = 0;
  do {
    n = detail::read_some(file, buffer, path);
    hasher.update(std::span(buffer).first(n));
  } while (n == buffer.size());
  return hasher.hex();
}

/// Makes the names in a folder (files created, renamed, removed) survive a loss of power.
inline void sync_folder(const std::filesystem::path& folder) {
  const unique_descriptor handle(detail::uninterrupted(
      [&] { return ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (handle.number() < 0) detail::throw_system_error(folder, "cannot be opened");
  // Some network file systems do not offer this for folders and say EINVAL.
  if (detail::uninterrupted([&] { return ::fsync(handle.number()); }) != 0 && errno != EINVAL)
    detail::throw_system_error(folder, "cannot be written to disk");
}

/// rename(2): `to` is replaced in one step. Throws io_error.
inline void rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) detail::throw_system_error(to, "cannot be replaced by the new version");
}

/// A file written in the folder of `path`, where it takes the place of `path` in one step on commit(). Whoever opens
/// `path` sees the old bytes or the new ones, whole, even after a crash or a loss of power. Without a commit nothing
/// stays and `path` is as it was. Until commit() the file has no name, so that a killed process leaves nothing either;
/// file systems that do not know such files (O_TMPFILE) show it as .imgsim-NUMBER.tmp.
class atomic_file {
 public:
  /// Throws io_error where the folder cannot be written or `path` is there and is no regular file. A symbolic link is
  /// followed: its target is replaced. An existing file's permissions are kept.
  explicit atomic_file(const std::filesystem::path& path) : path_(path) {
    std::error_code ignored;
    if (std::filesystem::is_symlink(path, ignored)) {
      path_ = std::filesystem::weakly_canonical(path, ignored);
      if (ignored) path_ = path;
    }
    struct stat status{};
    const bool exists = ::stat(path_.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) throw io_error(path_, "is a folder, not a file");
    if (exists && !S_ISREG(status.st_mode)) throw io_error(path_, "is not a regular file and will not be replaced");

    file_ = open_unnamed();
    if (file_.number() < 0) open_named();
    if (exists) std::ignore = ::fchmod(file_.number(), status.st_mode & 0777);
  }
  atomic_file(const atomic_file&) = delete;
  atomic_file& operator=(const atomic_file&) = delete;
  ~atomic_file() {
    if (!committed_ && !temporary_.empty()) ::unlink(temporary_.c_str());
  }

  /// Appends. Small pieces are gathered, so that a file may be written line by line.
  void write(std::span<const std::byte> bytes) {
    if (bytes.size() >= kBuffer) {
      flush();
      detail::write_all(file_, bytes, path_);
      return;
    }
    if (buffer_.size() + bytes.size() > kBuffer) flush();
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
  void write(std::string_view text) { write(bytes_of(text)); }

  /// Writes what is gathered, so that descriptor() shows all of the file.
  void flush() {
    detail::write_all(file_, buffer_, path_);
    buffer_.clear();
  }

  /// The temporary, open for reading and writing, for callers that map it.
  [[nodiscard]] const unique_descriptor& descriptor() const noexcept { return file_; }
  /// Where the file will stand.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  /// Puts the file in place: bytes to disk, rename, folder to disk. Call it once, last.
  void commit() {
    flush();
    if (detail::uninterrupted([&] { return ::fsync(file_.number()); }) != 0)
      detail::throw_system_error(path_, "cannot be written to disk");
    if (temporary_.empty()) {
      const std::string open_file = kOpenFiles + std::to_string(file_.number());
      const bool is_linked = give_name(
          [&] { return ::linkat(AT_FDCWD, open_file.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) == 0; });
      if (!is_linked) {
        // Stacked and network file systems may open a file without a name and be unable to give it one.
        if (errno != EXDEV && errno != EOPNOTSUPP && errno != ENOENT && errno != EPERM) fail_to_create();
        copy_under_name();
      }
    }
    // A network file system may report a full disk only here.
    if (::close(file_.release()) != 0 && errno != EINTR) detail::throw_system_error(path_, "cannot be written to disk");
    rename_file(temporary_, path_);
    committed_ = true;
    sync_folder(path_.parent_path());
  }

 private:
  static constexpr std::size_t kBuffer = std::size_t{1} << 18;
  static constexpr const char* kOpenFiles = "/proc/self/fd/";

  [[nodiscard]] std::filesystem::path folder() const {
    return path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
  }

  /// A file without a name, of which nothing stays where the process is killed. None where the file system has no such
  /// files, or no /proc to name one by.
  [[nodiscard]] unique_descriptor open_unnamed() const {
    if (::access(kOpenFiles, X_OK) != 0) return {};
    return unique_descriptor(
        detail::uninterrupted([&] { return ::open(folder().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666); }));
  }

  void open_named() {
    const bool is_open = give_name([&] {
      file_ = unique_descriptor(detail::uninterrupted(
          [&] { return ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666); }));
      return file_.number() >= 0;
    });
    if (!is_open) fail_to_create();
  }

  /// The bytes of file_ in a file that has a name, and takes its place.
  void copy_under_name() {
    const unique_descriptor unnamed = std::exchange(file_, unique_descriptor());
    struct stat status{};
    if (::fstat(unnamed.number(), &status) != 0 || ::lseek(unnamed.number(), 0, SEEK_SET) != 0) fail_to_create();
    open_named();
    std::ignore = ::fchmod(file_.number(), status.st_mode & 0777);
    buffer_.resize(kBuffer);
    std::size_t n = 0;
    do {
      n = detail::read_some(unnamed, buffer_, path_);
      detail::write_all(file_, std::span(buffer_).first(n), path_);
    } while (n == buffer_.size());
    if (detail::uninterrupted([&] { return ::fsync(file_.number()); }) != 0)
      detail::throw_system_error(path_, "cannot be written to disk");
  }

  /// Calls `make` with temporary_ a name that no file has. False, with errno and no name, where it fails otherwise.
  template <class Make>
  bool give_name(Make&& make) {
    for (;;) {
      std::uint64_t name = 0;
      if (::getentropy(&name, sizeof name) != 0) break;
      temporary_ = path_.parent_path() / detail::concat(".imgsim-", name, ".tmp");
      if (make()) return true;
      if (errno != EEXIST) break;
    }
    const int reason = errno;
    temporary_.clear();
    errno = reason;
    return false;
  }
  [[noreturn]] void fail_to_create() const { detail::throw_system_error(path_, "cannot be created"); }

  std::filesystem::path path_;
  std::filesystem::path temporary_;  ///< empty while the file has no name
  unique_descriptor file_;
  std::vector<std::byte> buffer_;
  bool committed_ = false;
};

/// Replaces a file by `bytes` in one step, see atomic_file.
inline void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  atomic_file file(path);
  file.write(bytes);
  file.commit();
}
inline void write_file(const std::filesystem::path& path, std::string_view text) {
  write_file(path, bytes_of(text));
}

/// A regular file as memory, read-only, loaded page by page as it is touched. It shows the file as it was opened even
/// where a newer one is renamed over it; a file cut short in place by another program ends the process (SIGBUS),
/// which imgsim itself never does to a file.
class mapped_file {
 public:
  mapped_file() noexcept = default;
  explicit mapped_file(const std::filesystem::path& path) {
    const unique_descriptor file = detail::open_for_reading(path);
    const std::uint64_t size = detail::size_of_open_file(file, path);
    if (size == 0) return;
    void* address = ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_SHARED, file.number(), 0);
    if (address == MAP_FAILED) detail::throw_system_error(path, "cannot be mapped into memory");
    bytes_ = {static_cast<const std::byte*>(address), static_cast<std::size_t>(size)};
  }
  mapped_file(mapped_file&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  mapped_file& operator=(mapped_file&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~mapped_file() {
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace imgsim
