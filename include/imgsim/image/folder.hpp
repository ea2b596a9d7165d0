// The photos of a folder.
//
//   const imgsim::photo_folder folder = imgsim::scan_folder("holiday");
//   for (const imgsim::photo_file& photo : folder.photos) use(folder.root / photo.path);
#pragma once

#include <algorithm>
#include <cerrno>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dirent.h>
#include <sys/stat.h>

#include <imgsim/core/ascii.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>

namespace imgsim {

/// A regular file with a photo's extension; whether it decodes is not known yet.
struct photo_file {
  std::string path;  ///< relative to the root, '/' between names, the bytes that the file system has
  std::uintmax_t size = 0;
  std::int64_t modified_ns = 0;  ///< since 1970-01-01 UTC
};

/// A file or folder that was left out, and why, in one sentence.
struct skipped_file {
  std::string path;  ///< as in photo_file
  std::string reason;
};

struct photo_folder {
  std::filesystem::path root;
  std::vector<photo_file> photos;     ///< by path, in byte order
  std::vector<skipped_file> skipped;  ///< by path, in byte order
  /// Files that were passed over, by their extensions: in lower case, without the dot, "" where there is none.
  std::map<std::string, std::size_t> others = {};
  std::size_t hidden = 0;  ///< files with a photo's name behind a leading dot, in folders that are not hidden
};

/// Rows of photo_folder::photos, ascending.
struct folder_split {
  std::vector<std::size_t> train, validation, test;
};

namespace detail {

[[nodiscard]] inline bool has_photo_extension(std::string_view name) noexcept {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view extension = name.substr(dot + 1);
  return std::ranges::any_of(std::initializer_list<std::string_view>{"jpg", "jpeg", "jpe", "jfif", "png", "webp"},
                             [&](std::string_view known) { return equal_but_for_case(extension, known); });
}

/// "heic" of "Beach.HEIC".
[[nodiscard]] inline std::string extension_of(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? "" : lower_case(name.substr(dot + 1));
}

/// What macOS puts beside a file on disks of other systems.
[[nodiscard]] inline bool is_resource_fork(std::string_view name) noexcept {
  return name.starts_with("._");
}

/// One walk through a folder. Each folder on disk is visited once, by device and inode, so that links cannot send the
/// walk in circles or list a photo twice. Folders are visited before links to folders: a photo is listed under its
/// own path where that lies within the root.
class folder_walk {
 public:
  explicit folder_walk(photo_folder& result) : result_(result) {}

  void run() {
    struct stat status{};
    if (::stat(result_.root.c_str(), &status) != 0) throw io_error(result_.root, system_reason());
    if (!S_ISDIR(status.st_mode))
      throw io_error(result_.root, concat("is ", file_type_name(status.st_mode), ", not a folder of photos"));
    visited_.emplace(status.st_dev, status.st_ino);
    if (const int failure = read_folder("")) throw io_error(result_.root, system_reason(failure));
    while (!folders_.empty() || !links_.empty()) {
      std::deque<std::string>& next = folders_.empty() ? links_ : folders_;
      const std::string folder = std::move(next.front());
      next.pop_front();
      enter(folder);
    }
    std::ranges::sort(result_.photos, {}, &photo_file::path);
    std::ranges::sort(result_.skipped, {}, &skipped_file::path);
  }

 private:
  struct close_folder {
    void operator()(DIR* folder) const noexcept { ::closedir(folder); }
  };

  void skip(const std::string& path, const std::string& reason) { result_.skipped.push_back({path, reason}); }

  void enter(const std::string& folder) {
    struct stat status{};
    if (::stat((result_.root / folder).c_str(), &status) != 0) return skip(folder, system_reason());
    if (!S_ISDIR(status.st_mode) || !visited_.emplace(status.st_dev, status.st_ino).second) return;
    if (const int failure = read_folder(folder)) skip(folder, "the folder cannot be read: " + system_reason(failure));
  }

  /// Lists one folder: 0, or the system's error number.
  [[nodiscard]] int read_folder(const std::string& folder) {
    const std::unique_ptr<DIR, close_folder> handle(::opendir((result_.root / folder).c_str()));
    if (!handle) return errno;
    std::vector<std::pair<std::string, unsigned char>> entries;
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(handle.get());  // NOLINT(concurrency-mt-unsafe): this walk's own handle
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (!name.starts_with('.')) {
        entries.emplace_back(name, entry->d_type);
      } else if (entry->d_type != DT_DIR && has_photo_extension(name) && !is_resource_fork(name)) {
        ++result_.hidden;
      }
    }
    const int failure = errno;
    std::ranges::sort(entries);  // which of several links is followed first must not depend on the file system
    const std::string prefix = folder.empty() ? "" : folder + "/";
    for (const auto& [name, type] : entries) add(prefix + name, type);
    return failure;
  }

  void add(const std::string& path, unsigned char type) {
    const bool may_be_photo = has_photo_extension(path);
    if (type == DT_DIR) return folders_.push_back(path);
    if (type != DT_LNK && type != DT_UNKNOWN && !may_be_photo) {
      if (type == DT_REG) ++result_.others[extension_of(path)];
      return;
    }
    struct stat status{};
    if (::stat((result_.root / path).c_str(), &status) != 0) {
      if (may_be_photo) skip(path, system_reason());
    } else if (S_ISDIR(status.st_mode)) {
      (type == DT_LNK || is_link(path) ? links_ : folders_).push_back(path);
    } else if (may_be_photo && !S_ISREG(status.st_mode)) {
      skip(path, concat("is ", file_type_name(status.st_mode), ", not a file"));
    } else if (may_be_photo) {
      result_.photos.push_back({path, static_cast<std::uintmax_t>(status.st_size),
                                std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec});
    } else if (S_ISREG(status.st_mode)) {
      ++result_.others[extension_of(path)];
    }
  }

  [[nodiscard]] bool is_link(const std::string& path) const {
    struct stat status{};
    return ::lstat((result_.root / path).c_str(), &status) == 0 && S_ISLNK(status.st_mode);
  }

  photo_folder& result_;
  std::set<std::pair<dev_t, ino_t>> visited_;
  std::deque<std::string> folders_, links_;
};

}  // namespace detail

/// The photos under `root`, at any depth: regular files (links to files too) named *.jpg, *.jpeg, *.jpe, *.jfif, *.png
/// or *.webp in any case. Hidden names (with a leading dot) and other files are passed over and counted. Skipped, with
/// a reason: folders that cannot be read, and whatever has a photo's name but is no regular file; no file is opened.
/// Links to folders are followed, each folder once. Throws io_error where `root` is no readable folder.
[[nodiscard]] inline photo_folder scan_folder(const std::filesystem::path& root) {
  photo_folder folder{.root = root, .photos = {}, .skipped = {}};
  detail::folder_walk(folder).run();
  return folder;
}

/// The split that the folder's own form gives: each photo lies under train/, under val/, validation/ or valid/, or
/// under test/ (in any case), with at least one for training and one beside. nullopt for any other folder.
[[nodiscard]] inline std::optional<folder_split> split_by_folder(const photo_folder& folder) {
  folder_split split;
  for (std::size_t row = 0; row < folder.photos.size(); ++row) {
    const std::string& path = folder.photos[row].path;
    const std::size_t slash = path.find('/');
    if (slash == std::string::npos) return std::nullopt;
    const std::string name = lower_case(path.substr(0, slash));
    if (name == "train") {
      split.train.push_back(row);
    } else if (name == "val" || name == "validation" || name == "valid") {
      split.validation.push_back(row);
    } else if (name == "test") {
      split.test.push_back(row);
    } else {
      return std::nullopt;
    }
  }
  if (split.train.empty() || (split.validation.empty() && split.test.empty())) return std::nullopt;
  return split;
}

/// The name of the folder that holds the photo, "" at the root: its label where folders are classes.
[[nodiscard]] inline std::string label_of(const std::string& path) {
  const std::size_t end = path.rfind('/');
  if (end == std::string::npos) return "";
  const std::size_t before = end == 0 ? std::string::npos : path.rfind('/', end - 1);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  return path.substr(begin, end - begin);
}

}  // namespace imgsim
