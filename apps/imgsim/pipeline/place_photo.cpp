#include "pipeline/place_photo.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <span>
#include <system_error>
#include <vector>

#include <imgsim/core/content_hash.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>

namespace imgsim::app {

namespace fs = std::filesystem;

namespace {

constexpr const char* kGone = "it is no longer in the folder of the photos";
constexpr const char* kChanged = "it has changed since it was indexed; run imgsim index and make the groups again";

placement failed(const std::string& reason) {
  return {placement::outcome::failed, reason};
}

placement found_or_taken(bool is_found) {
  return {is_found ? placement::outcome::found : placement::outcome::taken};
}

/// Throws io_error where what kept a photo from `target` will keep every other from its place.
void stop_where_all_fail(const fs::path& target, int code) {
  if (code == ENOSPC || code == EDQUOT || code == EROFS)
    throw io_error(target,
                   "cannot be written: " + imgsim::detail::system_reason(code) + "; the same command goes on from here",
                   code);
}

placement make_symlink(const indexed_photo& photo, const fs::path& source, const fs::path& target) {
  if (::symlink(source.c_str(), target.c_str()) == 0) return {};
  const int code = errno;
  stop_where_all_fail(target, code);
  if (code != EEXIST) return failed("the link cannot be made: " + imgsim::detail::system_reason(code));
  return found_or_taken(is_placed(partition_kind::symlink, photo, source, target));
}

placement make_hardlink(const indexed_photo& photo, const fs::path& source, const fs::path& target) {
  if (::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, target.c_str(), AT_SYMLINK_FOLLOW) == 0) return {};
  const int code = errno;
  if (code == EXDEV) return failed("it lies on another file system than the output; use --partition copy or symlink");
  stop_where_all_fail(target, code);
  if (code != EEXIST) return failed("the link cannot be made: " + imgsim::detail::system_reason(code));
  return found_or_taken(is_placed(partition_kind::hardlink, photo, source, target));
}

/// rename(2) that fails with EEXIST instead of replacing.
int rename_to_new(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // File systems without that flag have hard links.
  if (::link(from.c_str(), to.c_str()) != 0) return errno;
  ::unlink(from.c_str());
  return 0;
}

struct copied_file {
  int code = 0;           // the errno of what failed
  std::string hash = {};  // of what was copied
};

/// Copies the open file `from` to a new one, with its permissions and date. (std::filesystem::copy_file makes EIO of a
/// full disk.) Throws io_error where `source` cannot be read.
copied_file copy_content(const unique_descriptor& from, const fs::path& source, const fs::path& target) {
  struct stat status{};
  if (::fstat(from.number(), &status) != 0) return {errno};
  unique_descriptor to(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (to.number() < 0) return {errno};
  constexpr std::size_t kPiece = std::size_t{1} << 18;
  std::vector<std::byte> buffer(kPiece);
  content_hasher hasher;
  for (std::size_t count = kPiece; count == kPiece;) {
    count = imgsim::detail::read_some(from, buffer, source);
    const auto piece = std::span(buffer).first(count);
    hasher.update(piece);
    try {
      imgsim::detail::write_all(to, piece, target);
    } catch (const io_error& failure) {
      return {failure.code()};
    }
  }
  const timespec times[] = {status.st_atim, status.st_mtim};
  if (::futimens(to.number(), times) != 0 || ::fchmod(to.number(), status.st_mode & 0777) != 0) return {errno};
  if (::close(to.release()) != 0 && errno != EINTR) return {errno};  // network file systems tell of a full disk here
  return {0, hasher.hex()};
}

placement make_copy(const indexed_photo& photo, const fs::path& source, const fs::path& target) {
  // Under its own name a copy is whole unless the power is lost (it is not flushed to the disk): an interrupted one
  // leaves only the partial file, which may be read-only.
  // What else stands there, a link to other people's files, say, is not written into: a new file is made.
  const fs::path partial = target.parent_path() / kPartialFile;
  copied_file copied;
  try {
    std::error_code ignored;
    if (fs::symlink_status(target, ignored).type() != fs::file_type::not_found)
      return found_or_taken(is_placed(partition_kind::copy, photo, source, target));
    ::unlink(partial.c_str());
    copied = copy_content(imgsim::detail::open_for_reading(source), source, partial);
  } catch (const std::exception& e) {
    ::unlink(partial.c_str());
    return failed(e.what());
  }
  // The photo may have changed under its date, or while it was copied.
  if (copied.code == 0 && copied.hash != photo.content_hash) {
    ::unlink(partial.c_str());
    return failed(kChanged);
  }
  const int code = copied.code != 0 ? copied.code : rename_to_new(partial, target);
  if (code == 0) return {};
  ::unlink(partial.c_str());
  if (code == EEXIST) return found_or_taken(false);  // it came meanwhile
  stop_where_all_fail(target, code);
  return failed("it cannot be copied: " + imgsim::detail::system_reason(code));
}

}  // namespace

const char* placing_refusal(const indexed_photo& photo, const fs::path& source) {
  struct stat status{};
  if (::stat(source.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return kGone;
  if (detail::is_listed_file(status, photo)) return nullptr;
  const bool is_same =
      static_cast<std::uintmax_t>(status.st_size) == photo.size && hash_file(source) == photo.content_hash;
  return is_same ? nullptr : kChanged;
}

bool is_placed(partition_kind kind, const indexed_photo& photo, const fs::path& source, const fs::path& target) {
  std::error_code ignored;
  if (kind == partition_kind::symlink) return fs::read_symlink(target, ignored) == source;
  if (kind == partition_kind::copy)
    return fs::is_regular_file(fs::symlink_status(target)) && fs::file_size(target) == photo.size &&
           hash_file(target) == photo.content_hash;
  struct stat a{};
  struct stat b{};
  return ::stat(source.c_str(), &a) == 0 && ::lstat(target.c_str(), &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

placement place_photo(partition_kind kind, const indexed_photo& photo, const fs::path& source, const fs::path& target) {
  try {
    if (const char* reason = placing_refusal(photo, source)) return failed(reason);
  } catch (const io_error& e) {
    return failed(e.what());
  }
  switch (kind) {
    case partition_kind::symlink:
      return make_symlink(photo, source, target);
    case partition_kind::hardlink:
      return make_hardlink(photo, source, target);
    case partition_kind::copy:
      break;
  }
  return make_copy(photo, source, target);
}

}  // namespace imgsim::app
