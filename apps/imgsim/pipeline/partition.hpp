// A grouping as folders: OUT/group_00/..., one for each group, holding its photos, and OUT/outliers for those in none.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "cli/session.hpp"
#include "pipeline/place_photo.hpp"

#include <imgsim/cluster/groups.hpp>
#include <imgsim/embedding/photo_list.hpp>

namespace imgsim::app {

/// The names, in the order of the enumerators.
[[nodiscard]] std::vector<std::string> partition_kind_names();
[[nodiscard]] partition_kind parse_partition_kind(std::string_view name);

/// Where each row goes, relative to OUT: "group_03/cat.jpg", "outliers/dog.jpg". Photos of one folder that bear the
/// same name, letter case aside, become "cat.jpg", "cat~2.jpg", ... in the order of their rows, so that a second run
/// finds the same places.
[[nodiscard]] std::vector<std::string> partition_targets(const groups& grouping);

/// Throws io_error where `out` holds anything but this partition, whole or begun, is a link or lies within an index, or
/// where hard links are asked for and
/// cannot be made from it (or, where it is missing, the folder above) to the photos of `root`. Leaves nothing behind.
void check_partition_folder(const groups& grouping, partition_kind kind, const std::filesystem::path& root,
                            const std::filesystem::path& out);

/// Throws io_error where `out` holds a partition of any kind, whole or begun, of another grouping.
void refuse_other_partition(const groups& grouping, const std::filesystem::path& out);

/// A dry run: refuses what check_partition_folder() refuses, without a trace (whether links can be made is told from
/// the file systems alone), plans the files that partition_photos() would make, and skips what it would, but for photos
/// whose content changed and whose size and date did not: those only a copy is compared with.
void plan_partition(session& session, const groups& grouping, std::span<const indexed_photo> photos,
                    partition_kind kind, const std::filesystem::path& root, const std::filesystem::path& out);

struct partition_options {
  partition_kind kind = partition_kind::copy;
  std::function<void(std::size_t done)> on_progress;
  std::function<void(const std::string& path, const std::string& reason)> on_skip;
  std::stop_token stop;
};

struct partition_result {
  std::size_t made = 0;
  std::size_t already_there = 0;  // by an earlier run, which this one continues
  std::size_t taken = 0;          // places that hold something else, which was left alone
  std::string first_taken;        // relative to OUT
  bool stopped = false;
};

/// Why photos are left out whose places, from `first` on, are taken.
[[nodiscard]] std::string taken_text(const std::filesystem::path& first);

/// Fills `out` with `photos`, those of the grouping, below `root`. Nothing that exists is overwritten: a place taken by
/// anything but this very photo is left alone. Photos that cannot be placed for another reason, such as those that are
/// gone or hold something else than when they were indexed, go to on_skip. Throws io_error where `out` lies within
/// `root` (the next scan would find every photo twice), holds another partition, is being filled by another process, or
/// cannot be written any more (a full disk).
partition_result partition_photos(const groups& grouping, std::span<const indexed_photo> photos,
                                  const std::filesystem::path& root, const std::filesystem::path& out,
                                  const partition_options& options);

}  // namespace imgsim::app
