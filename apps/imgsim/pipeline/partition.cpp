#include "pipeline/partition.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <set>
#include <system_error>

#include <nlohmann/json.hpp>

#include <imgsim/core/file.hpp>
#include <imgsim/core/json.hpp>

namespace imgsim::app {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 3> kKindNames{"copy", "symlink", "hardlink"};
constexpr const char* kGroupingFile = "k_groups.json";
constexpr const char* kPartialFile = ".imgsim-partial";

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

std::string group_name(std::size_t group, std::size_t count) {
  const std::size_t digits = std::max<std::size_t>(2, std::to_string(count - 1).size());
  const std::string number = std::to_string(group);
  return "group_" + std::string(digits - std::min(digits, number.size()), '0') + number;
}

std::string system_text(int code) {
  return std::generic_category().message(code);
}

bool lies_within(const fs::path& inner, const fs::path& outer) {
  const auto [end, ignored] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return end == outer.end();
}

/// Why `target` is not made, or nullopt; `found` tells whether it was there already.
std::optional<std::string> make_symlink(const fs::path& source, const fs::path& target, bool& found) {
  if (::symlink(source.c_str(), target.c_str()) == 0) return std::nullopt;
  const int code = errno;
  if (code != EEXIST) return "the link cannot be made: " + system_text(code);
  std::error_code failure;
  if (fs::read_symlink(target, failure) == source) {
    found = true;
    return std::nullopt;
  }
  return target.string() + " exists and is something else; it was left alone";
}

std::optional<std::string> make_hardlink(const fs::path& source, const fs::path& target, bool& found) {
  if (::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, target.c_str(), AT_SYMLINK_FOLLOW) == 0) return std::nullopt;
  const int code = errno;
  if (code == EXDEV) return "it lies on another file system than the output; use --partition copy or symlink";
  if (code != EEXIST) return "the link cannot be made: " + system_text(code);
  struct stat a{};
  struct stat b{};
  if (::stat(source.c_str(), &a) == 0 && ::lstat(target.c_str(), &b) == 0 && a.st_dev == b.st_dev &&
      a.st_ino == b.st_ino) {
    found = true;
    return std::nullopt;
  }
  return target.string() + " exists and is something else; it was left alone";
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

std::optional<std::string> make_copy(const fs::path& source, const fs::path& target, bool& found) {
  std::error_code failure;
  if (fs::symlink_status(target, failure).type() != fs::file_type::not_found) {
    try {
      found = fs::is_regular_file(fs::symlink_status(target)) && fs::file_size(target) == fs::file_size(source) &&
              hash_file(target) == hash_file(source);
    } catch (const std::exception& e) {
      return e.what();
    }
    if (found) return std::nullopt;
    return target.string() + " exists and is another file; it was left alone";
  }
  // Under its own name a copy is always whole: an interrupted one leaves only the partial file, which is used again.
  const fs::path partial = target.parent_path() / kPartialFile;
  fs::copy_file(source, partial, fs::copy_options::overwrite_existing, failure);
  if (!failure) fs::last_write_time(partial, fs::last_write_time(source, failure), failure);
  int code = failure ? failure.value() : rename_to_new(partial, target);
  if (code == 0) return std::nullopt;
  ::unlink(partial.c_str());
  return "it cannot be copied: " + system_text(code);
}

/// Held while a folder is filled.
class folder_lock {
 public:
  explicit folder_lock(const fs::path& folder) : handle_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (handle_.number() < 0) throw io_error(folder, "cannot be opened: " + system_text(errno));
    if (::flock(handle_.number(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      throw io_error(folder, "another imgsim is writing here");
  }

 private:
  unique_descriptor handle_;
};

/// Begins a partition, or makes sure that the one begun here is of the same grouping.
void claim(const fs::path& out, const groups& grouping) {
  const fs::path record = out / kGroupingFile;
  const std::string text = to_json(grouping).dump() + "\n";
  if (fs::exists(record)) {
    if (text_of(read_file(record, text.size() + 1)) == text) return;
    throw io_error(out, "holds the groups of another run; name another folder, or remove this one");
  }
  if (!fs::is_empty(out)) throw io_error(out, "is not empty and was not made by imgsim; name another folder");
  write_file(record, text);
}

}  // namespace

std::vector<std::string> partition_kind_names() {
  return {kKindNames.begin(), kKindNames.end()};
}

partition_kind parse_partition_kind(std::string_view name) {
  const auto found = std::ranges::find(kKindNames, name);
  IMGSIM_EXPECTS(found != kKindNames.end(), "there is no kind of partition called '", name, "'");
  return static_cast<partition_kind>(found - kKindNames.begin());
}

std::vector<std::string> partition_targets(const groups& grouping) {
  std::vector<std::string> targets(grouping.paths.size());
  for (std::size_t g = 0; g < grouping.k(); ++g) {
    std::set<std::string> taken;
    for (const std::size_t row : grouping.clusters[g]) {
      const fs::path name = fs::path(grouping.paths[row]).filename();
      std::string candidate = name.string();
      for (int i = 2; !taken.insert(lower_case(candidate)).second; ++i)
        candidate = name.stem().string() + "~" + std::to_string(i) + name.extension().string();
      targets[row] = group_name(g, grouping.k()) + "/" + candidate;
    }
  }
  return targets;
}

void refuse_output_within(const fs::path& out, const fs::path& folder, const char* what) {
  const fs::path canonical = fs::weakly_canonical(fs::absolute(folder));
  if (lies_within(fs::weakly_canonical(fs::absolute(out)), canonical))
    throw io_error(out,
                   std::string("lies within ") + what + " (" + canonical.string() + "); name a folder outside of it");
}

partition_result partition_photos(const groups& grouping, const fs::path& root, const fs::path& out,
                                  const partition_options& options) {
  refuse_output_within(out, root, "the folder of the photos");
  const fs::path photos = fs::weakly_canonical(fs::absolute(root));
  fs::create_directories(out);
  const folder_lock lock(out);
  claim(out, grouping);

  const std::vector<std::string> targets = partition_targets(grouping);
  partition_result result;
  for (std::size_t g = 0; g < grouping.k(); ++g) fs::create_directories(out / group_name(g, grouping.k()));
  for (std::size_t row = 0; row < targets.size(); ++row) {
    if (options.stop.stop_requested()) {
      result.stopped = true;
      break;
    }
    const fs::path source = photos / grouping.paths[row];
    const fs::path target = out / targets[row];
    bool found = false;
    std::optional<std::string> failure;
    if (std::error_code ignored; !fs::is_regular_file(source, ignored)) {
      failure = "it is no longer in the folder of the photos";
    } else {
      switch (options.kind) {
        case partition_kind::copy:
          failure = make_copy(source, target, found);
          break;
        case partition_kind::symlink:
          failure = make_symlink(source, target, found);
          break;
        case partition_kind::hardlink:
          failure = make_hardlink(source, target, found);
          break;
      }
    }
    if (failure) {
      options.on_skip(grouping.paths[row], *failure);
    } else {
      ++(found ? result.already_there : result.made);
    }
    options.on_progress(row + 1);
  }
  return result;
}

}  // namespace imgsim::app
