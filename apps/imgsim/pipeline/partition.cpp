#include "pipeline/partition.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "cli/folder_lock.hpp"
#include "pipeline/output_path.hpp"

#include <imgsim/core/ascii.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/core/json.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 3> kKindNames{"copy", "symlink", "hardlink"};
constexpr const char* kGroupingFile = "k_groups.json";
constexpr const char* kOutlierFolder = "outliers";
constexpr std::uint64_t kMaxRecord = std::uint64_t{1} << 32;

std::string group_name(std::size_t group, std::size_t count) {
  const std::size_t digits = std::max<std::size_t>(2, std::to_string(count - 1).size());
  const std::string number = std::to_string(group);
  return "group_" + std::string(digits - std::min(digits, number.size()), '0') + number;
}

/// Throws io_error where the name of the partition's folder or of a group's leads elsewhere, or is a file's.
void expect_no_link(const fs::path& folder) {
  const fs::file_type found = fs::symlink_status(folder).type();
  if (found == fs::file_type::symlink)
    throw io_error(folder, "is a link to elsewhere; name another --out folder, or remove it");
  if (found != fs::file_type::not_found && found != fs::file_type::directory)
    throw io_error(folder, "is no folder; name another --out folder, or remove it");
}

/// `name` with `~2` or the like before its extension, cut where it would become too long for a file.
std::string with_number(const fs::path& name, int number) {
  const std::string ending = "~" + std::to_string(number) + name.extension().string();
  std::string stem = name.stem().string();
  if (stem.size() + ending.size() > NAME_MAX) {
    stem.resize(ending.size() < NAME_MAX ? NAME_MAX - ending.size() : 1);
    // Not within a character of UTF-8.
    while (stem.size() > 1 && (static_cast<unsigned char>(name.native()[stem.size()]) & 0xc0) == 0x80) stem.pop_back();
  }
  return stem + ending;
}

/// What OUT/k_groups.json says while and after OUT is filled.
nlohmann::ordered_json record_of(const groups& grouping, partition_kind kind) {
  nlohmann::ordered_json record = to_json(grouping);
  record["partition"] = kKindNames.at(static_cast<std::size_t>(kind));
  return record;
}

/// In what a record that was found differs from the one that is wanted.
std::string difference(const nlohmann::json& found, const nlohmann::json& wanted) {
  const auto value = [](const nlohmann::json& record, const char* field) {
    return record.contains(field) ? record[field] : nlohmann::json();
  };
  const auto text = [](const nlohmann::json& known) { return known.is_null() ? "none" : known.dump(); };
  const auto differs = [&](const char* field) { return value(found, field) != value(wanted, field); };
  for (const char* field : {"k", "method", "metric", "seed", "max_distance", "outlier_distance", "partition"}) {
    if (differs(field))
      return std::string(field) + " " + text(value(found, field)) + ", now " + text(value(wanted, field));
  }
  return differs("paths") ? "other photos" : differs("medoids") ? "other medoids" : "other members";
}

void refuse_another(const fs::path& out, const nlohmann::json& found, const nlohmann::json& wanted) {
  const auto essence = [](nlohmann::json record) {
    for (const char* field : {"cost", "seed"})  // the one follows from the rest, the other led to it
      if (record.is_object()) record.erase(field);
    return record;
  };
  if (essence(found) != essence(wanted))
    throw io_error(out, "holds the groups of another run (" + difference(found, wanted) +
                            "); name another --out folder, or remove this one");
}

/// What a run that was killed may leave in the folder itself or in a group's: a file not yet under its name, a link on
/// trial.
bool is_leftover(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  return name == kPartialFile || (name.starts_with(".imgsim-") && name.ends_with(".tmp"));
}

bool is_empty_but_for_leftovers(const fs::path& folder) {
  return std::ranges::all_of(fs::directory_iterator(folder), is_leftover);
}

/// While `folder` is locked.
void remove_leftovers(const fs::path& folder) {
  std::vector<fs::path> leftovers;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (is_leftover(entry)) leftovers.push_back(entry.path());
  for (const fs::path& leftover : leftovers) ::unlink(leftover.c_str());
}

/// While the partition's folder is locked, and checked.
void make_group_folder(const fs::path& folder) {
  if (!fs::create_directories(folder)) remove_leftovers(folder);
}

/// Throws io_error where `out` holds anything but this partition, whole or begun, or it or a folder of a group is a
/// link to elsewhere.
void check_folders(const groups& grouping, partition_kind kind, const fs::path& out) {
  expect_no_link(out);
  refuse_within_index(out);
  for (std::size_t g = 0; g < grouping.k(); ++g) expect_no_link(out / group_name(g, grouping.k()));
  if (!grouping.outliers.empty()) expect_no_link(out / kOutlierFolder);
  if (!fs::exists(out)) return;
  const fs::path record = out / kGroupingFile;
  if (fs::exists(record)) {
    refuse_another(out, read_json(record, kMaxRecord), record_of(grouping, kind));
  } else if (!is_empty_but_for_leftovers(out)) {
    throw io_error(out, "is not empty and was not made by imgsim; name another --out folder");
  }
}

/// What try_hardlinks() finds, as far as the numbers of the file systems tell.
void expect_one_file_system(const groups& grouping, const fs::path& root, const fs::path& out) {
  fs::path there = fs::absolute(out);
  while (!fs::exists(there) && there.has_relative_path()) there = there.parent_path();
  struct stat place{};
  if (::stat(there.c_str(), &place) != 0) return;
  for (const std::string& path : grouping.paths) {
    struct stat found{};
    if (::stat((root / path).c_str(), &found) == 0 && found.st_dev != place.st_dev)
      throw io_error(out, "cannot hold hard links to the photos (" + (root / path).string() +
                              ": it lies on another file system); use --partition copy or symlink");
  }
}

/// Links a photo of each file system that the photos lie on, and takes the link away again: whether it is the same as
/// that of `out` is not told by their numbers alone, and a folder may refuse links for other reasons.
void try_hardlinks(const groups& grouping, const fs::path& root, const fs::path& out) {
  // A name of this process alone: `out` is not locked yet, and another imgsim may be filling it.
  const fs::path trial =
      (fs::exists(out) ? out : out.parent_path()) / (".imgsim-" + std::to_string(::getpid()) + ".tmp");
  std::set<dev_t> tried;
  for (const std::string& path : grouping.paths) {
    const fs::path photo = root / path;
    struct stat found{};
    if (::stat(photo.c_str(), &found) != 0 || !tried.insert(found.st_dev).second) continue;
    ::unlink(trial.c_str());
    const int code = ::linkat(AT_FDCWD, photo.c_str(), AT_FDCWD, trial.c_str(), AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
    ::unlink(trial.c_str());
    if (code != 0)
      throw io_error(
          out, "cannot hold hard links to the photos (" + photo.string() + ": " + imgsim::detail::system_reason(code) +
                   (code == EXDEV ? ", it lies on another file system" : "") + "); use --partition copy or symlink");
  }
}

void expect_rows_of(std::span<const indexed_photo> photos, const groups& grouping) {
  IMGSIM_EXPECTS(std::ranges::equal(photos, grouping.paths, {}, &indexed_photo::path),
                 "the groups are not of these photos");
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
  const auto place_in = [&](const std::string& folder, const std::vector<std::size_t>& rows) {
    std::set<std::string> taken;
    std::map<std::string, int> numbers;  // the last of each name: those up to it are taken
    for (const std::size_t row : rows) {
      const fs::path name = fs::path(grouping.paths[row]).filename();
      std::string candidate = name.string();
      while (!taken.insert(lower_case(candidate)).second) {
        int& number = numbers.try_emplace(name.string(), 1).first->second;
        candidate = with_number(name, ++number);
      }
      targets[row] = folder + "/" + candidate;
    }
  };
  for (std::size_t g = 0; g < grouping.k(); ++g) place_in(group_name(g, grouping.k()), grouping.clusters[g]);
  place_in(kOutlierFolder, grouping.outliers);
  return targets;
}

void check_partition_folder(const groups& grouping, partition_kind kind, const fs::path& root, const fs::path& out) {
  check_folders(grouping, kind, out);
  if (kind == partition_kind::hardlink) try_hardlinks(grouping, root, out);
}

std::string taken_text(const fs::path& first) {
  return "something else is in the place of each, the first at " + first.string() + "; it was left alone";
}

void plan_partition(session& session, const groups& grouping, std::span<const indexed_photo> photos,
                    partition_kind kind, const fs::path& root, const fs::path& out) {
  expect_rows_of(photos, grouping);
  refuse_output_among_photos(out, root);
  check_folders(grouping, kind, out);
  if (kind == partition_kind::hardlink) expect_one_file_system(grouping, root, out);
  const fs::path folder = fs::weakly_canonical(fs::absolute(root));
  const std::vector<std::string> targets = partition_targets(grouping);
  session.plan(out / kGroupingFile);
  std::size_t taken = 0;
  std::string first_taken;
  for (std::size_t row = 0; row < targets.size(); ++row) {
    const indexed_photo& photo = photos[row];
    const fs::path target = out / targets[row];
    std::error_code ignored;
    try {
      if (const char* reason = placing_refusal(photo, folder / photo.path)) {
        session.skip(photo.path, reason);
      } else if (fs::symlink_status(target, ignored).type() == fs::file_type::not_found) {
        session.plan(target);
      } else if (!is_placed(kind, photo, folder / photo.path, target) && taken++ == 0) {
        first_taken = targets[row];
      }
    } catch (const std::exception& e) {  // as place_photo tells it
      session.skip(photo.path, e.what());
    }
  }
  if (taken > 0) session.skip(count_text(taken, "photo"), taken_text(out / first_taken));
}

void refuse_other_partition(const groups& grouping, const fs::path& out) {
  const fs::path record = out / kGroupingFile;
  if (!fs::exists(record)) return;
  nlohmann::json found = read_json(record, kMaxRecord);
  if (!found.is_object() || found.erase("partition") == 0) return;
  refuse_another(out, std::move(found), to_json(grouping));
}

partition_result partition_photos(const groups& grouping, std::span<const indexed_photo> photos, const fs::path& root,
                                  const fs::path& out, const partition_options& options) {
  expect_rows_of(photos, grouping);
  refuse_output_among_photos(out, root);
  const fs::path folder = fs::weakly_canonical(fs::absolute(root));
  fs::create_directories(out);
  const folder_lock lock(out);
  check_folders(grouping, options.kind, out);
  remove_leftovers(out);
  write_file(out / kGroupingFile, record_of(grouping, options.kind).dump() + "\n");

  const std::vector<std::string> targets = partition_targets(grouping);
  partition_result result;
  for (std::size_t g = 0; g < grouping.k(); ++g) make_group_folder(out / group_name(g, grouping.k()));
  if (!grouping.outliers.empty()) make_group_folder(out / kOutlierFolder);
  for (std::size_t row = 0; row < targets.size(); ++row) {
    if (options.stop.stop_requested()) {
      result.stopped = true;
      break;
    }
    const indexed_photo& photo = photos[row];
    const placement placed = place_photo(options.kind, photo, folder / photo.path, out / targets[row]);
    switch (placed.state) {
      case placement::outcome::made:
        ++result.made;
        break;
      case placement::outcome::found:
        ++result.already_there;
        break;
      case placement::outcome::taken:
        if (result.taken++ == 0) result.first_taken = targets[row];
        break;
      case placement::outcome::failed:
        options.on_skip(photo.path, placed.reason);
        break;
    }
    options.on_progress(row + 1);
  }
  return result;
}

}  // namespace imgsim::app
