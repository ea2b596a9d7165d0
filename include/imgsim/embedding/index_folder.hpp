// How the files of an index change together.
//
// Their names are fixed, and several may change at once, yet a reader sees a whole old version or a whole new one, also
// after a crash or a loss of power at any moment. The protocol is a redo log made of two folders within the index:
//
//   1. A writer holds an exclusive lock on `.lock`. It writes the new files into `.staging/`, the manifest last.
//   2. It renames `.staging` to `.committed`. This one step is the commit: before it, the new files count for nothing
//      and the next writer clears them away; after it, they are the index.
//   3. It moves them to their places: files that the new manifest no longer lists are removed, data files are renamed
//      over the old ones, the manifest goes last, `.committed` is removed. The next writer finishes what a crash
//      here leaves undone.
//
// A reader takes no lock and writes nothing. It reads the manifest from `.committed` where there is one, and then looks
// for each file there first; else it reads the manifest in place. When all files are open it looks for the manifest
// again, and begins anew if that is another file by now: each version has a manifest file of its own, even where its
// text is that of an earlier one (photo_index::open). Open files stay whole: they are replaced by renaming, never
// changed.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <imgsim/core/file.hpp>
#include <imgsim/embedding/manifest.hpp>

namespace imgsim {

/// Keeps other writers out of an index folder for as long as it lives, in this process and in others.
class index_lock {
 public:
  /// The code of the error where another writer holds the lock.
  static constexpr int kBusy = EWOULDBLOCK;

  /// Throws io_error where another writer holds the lock or the folder cannot be written.
  explicit index_lock(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / kName;
    file_ = unique_descriptor(
        detail::uninterrupted([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666); }));
    if (file_.number() < 0) detail::throw_system_error(path, "cannot be opened");
    for (int tried = 0; tried < kTries; ++tried) {
      if (tried > 0) std::this_thread::sleep_for(kPause);
      if (detail::uninterrupted([&] { return ::flock(file_.number(), LOCK_EX | LOCK_NB); }) == 0) return;
      if (errno != EWOULDBLOCK) detail::throw_system_error(path, "cannot be locked");
    }
    refuse(folder);
  }

  /// Throws io_error where another writer holds the lock; leaves no trace. A lock that is shared for an instant shows
  /// it: writers wait for longer than that.
  static void expect_free(const std::filesystem::path& folder) {
    const unique_descriptor file(
        detail::uninterrupted([&] { return ::open((folder / kName).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW); }));
    if (file.number() >= 0 && ::flock(file.number(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) refuse(folder);
  }

  static constexpr const char* kName = ".lock";

 private:
  static constexpr int kTries = 20;
  static constexpr std::chrono::milliseconds kPause{10};

  [[noreturn]] static void refuse(const std::filesystem::path& folder) {
    throw io_error(folder, "is being changed by another imgsim; wait until it has finished, then try again", kBusy);
  }

  unique_descriptor file_;
};

namespace detail {

inline constexpr const char* kStagingFolder = ".staging";
inline constexpr const char* kCommittedFolder = ".committed";

/// Whether there is a file; throws io_error where that cannot be told.
[[nodiscard]] inline bool file_exists(const std::filesystem::path& path) {
  std::error_code failure;
  const bool found = std::filesystem::exists(path, failure);
  if (failure) throw_system_error(path, "cannot be examined", failure.value());
  return found;
}

inline void remove_tree(const std::filesystem::path& path) {
  std::error_code failure;
  std::filesystem::remove_all(path, failure);
  if (failure) throw_system_error(path, "cannot be removed", failure.value());
}

/// The version of an index that a reader sees now.
struct index_version {
  std::string manifest;       // text
  bool in_committed = false;  // its files are still being moved to their places, or a crash left them unmoved
  unique_descriptor file;     // the manifest; while it is open the system gives its number to no other file

  /// Where the file of that name is now.
  [[nodiscard]] std::filesystem::path locate(const std::filesystem::path& folder, const char* name) const {
    const std::filesystem::path moving = folder / kCommittedFolder / name;
    return in_committed && file_exists(moving) ? moving : folder / name;
  }

  /// Whether no version came between the two.
  [[nodiscard]] bool is(const index_version& other) const noexcept {
    struct stat mine{}, theirs{};
    return ::fstat(file.number(), &mine) == 0 && ::fstat(other.file.number(), &theirs) == 0 &&
           mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino;
  }
};

/// nullopt where the folder holds no index. Throws io_error.
[[nodiscard]] inline std::optional<index_version> find_version(const std::filesystem::path& folder) {
  // The second look at `.committed` meets a manifest that was moved, or a version committed, after the first look.
  for (const char* within : {kCommittedFolder, "", kCommittedFolder, ""}) {
    const std::filesystem::path path = folder / within / index_file::kManifest;
    unique_descriptor file(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
    if (file.number() < 0 && (errno == ENOENT || errno == ENOTDIR)) continue;
    if (file.number() < 0) throw_system_error(path, "cannot be opened");
    const std::vector<std::byte> bytes = read_file(file, path, kMaxManifest);
    return index_version{std::string(text_of(bytes)), *within != '\0', std::move(file)};
  }
  return std::nullopt;
}

/// Step 3 of the protocol; does nothing where no version waits in `.committed`. The caller holds the lock.
inline void finish_commit(const std::filesystem::path& folder) {
  const std::filesystem::path committed = folder / kCommittedFolder;
  if (!file_exists(committed)) return;
  const std::filesystem::path manifest_path = committed / index_file::kManifest;
  if (file_exists(manifest_path)) {
    const std::vector<std::byte> text = read_file(manifest_path, kMaxManifest);
    const index_manifest manifest = parse_manifest(text_of(text), manifest_path);
    for (const char* name : index_file::kListed) {
      if (!manifest.files.contains(name)) {
        remove_tree(folder / name);
      } else if (file_exists(committed / name)) {
        rename_file(committed / name, folder / name);
      }
    }
    sync_folder(committed);
    sync_folder(folder);
    rename_file(manifest_path, folder / index_file::kManifest);
    sync_folder(folder);
  }
  remove_tree(committed);
}

}  // namespace detail

/// Steps 1 to 3 for one new version. The caller holds the lock. Without a commit everything staged is removed.
class staged_version {
 public:
  /// Finishes or clears away what an interrupted writer left. Throws io_error.
  explicit staged_version(const std::filesystem::path& folder)
      : folder_(folder), staging_(folder / detail::kStagingFolder) {
    detail::finish_commit(folder_);
    detail::remove_tree(staging_);
  }
  staged_version(const staged_version&) = delete;
  staged_version& operator=(const staged_version&) = delete;
  ~staged_version() {
    std::error_code ignored;
    std::filesystem::remove_all(staging_, ignored);
  }

  /// Where to write the new file of that name.
  [[nodiscard]] std::filesystem::path path_of(const char* name) {
    std::error_code failure;
    std::filesystem::create_directory(staging_, failure);
    if (failure) detail::throw_system_error(staging_, "cannot be created", failure.value());
    return staging_ / name;
  }

  /// Makes the staged files, with `manifest`, the index. Throws io_error; where it does after the commit itself, the
  /// new version is what readers see and the next writer finishes the work.
  void commit(const std::string& manifest) {
    write_file(path_of(index_file::kManifest), manifest);
    rename_file(staging_, folder_ / detail::kCommittedFolder);
    sync_folder(folder_);
    detail::finish_commit(folder_);
  }

 private:
  std::filesystem::path folder_;
  std::filesystem::path staging_;
};

}  // namespace imgsim
