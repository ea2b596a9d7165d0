#include "pipeline/place_photo.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <system_error>

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
    throw io_error(
        target, "cannot be written: " + imgsim::detail::system_reason(code) + "; the same command goes on from here");
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

placement make_copy(const indexed_photo& photo, const fs::path& source, const fs::path& target) {
  // Under its own name a copy is always whole: an interrupted one leaves only the partial file, which may be read-only.
  // What else stands there, a link to other people's files, say, is not written into: a new file is made.
  const fs::path partial = target.parent_path() / kPartialFile;
  int code = 0;
  try {
    std::error_code failure;
    if (fs::symlink_status(target, failure).type() != fs::file_type::not_found)
      return found_or_taken(is_placed(partition_kind::copy, photo, source, target));
    ::unlink(partial.c_str());
    fs::copy_file(source, partial, fs::copy_options::none, failure);
    if (!failure) fs::last_write_time(partial, fs::last_write_time(source, failure), failure);
    code = failure.value();
    // Of the copy, which is in memory still: the photo may have changed under its date, or while it was copied.
    if (code == 0 && hash_file(partial) != photo.content_hash) {
      ::unlink(partial.c_str());
      return failed(kChanged);
    }
  } catch (const std::exception& e) {
    ::unlink(partial.c_str());
    return failed(e.what());
  }
  if (code == 0) code = rename_to_new(partial, target);
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
