// Bringing an index up to date with its folder of photos, at the price of what changed.
//
//   imgsim::index_writer writer("holiday.index");
//   writer.set_photos_root(folder.root);
//   writer.set_model("holiday.model");
//   const auto plan = imgsim::plan_update(folder, writer.previous(), writer.model_hash(), pool);
//   const auto summary = imgsim::apply_update(writer, plan, encoder.dimension(), encode);
//   writer.commit();
//
// Rows ascend by the bytes of the paths and nothing else enters the files, so an index that was updated many times has
// the same bytes as one made afresh from the same folder, as long as the encoder gives a photo the same row in every
// batch.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <imgsim/core/file.hpp>
#include <imgsim/core/thread_pool.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/embedding/finite.hpp>
#include <imgsim/embedding/index_writer.hpp>
#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/image/folder.hpp>

namespace imgsim {

/// What became of a photo since the index was made. A photo is known by its path, size and time of change, or else by
/// the content of its file.
enum class photo_change {
  unchanged,  // the same content under the same path
  changed,    // other content under a path of the index
  renamed,    // content of the index, whose path there is gone
  added,      // a new path; its content may be that of a photo that stays
};

struct planned_photo {
  indexed_photo photo;  // content_hash is empty where the content is sure to be new
  photo_change change = photo_change::added;
  std::optional<std::size_t> previous_row;  // whose embedding it keeps; none: it must be encoded
};

struct update_plan {
  std::filesystem::path root;
  std::vector<planned_photo> photos;  // by path
  std::vector<std::string> removed;   // paths of the old index that are gone, renamed ones excepted
  std::vector<skipped_file> skipped;  // by path

  [[nodiscard]] std::size_t count(photo_change change) const {
    return static_cast<std::size_t>(std::ranges::count(photos, change, &planned_photo::change));
  }
  /// How many photos the encoder will be given.
  [[nodiscard]] std::size_t to_encode() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(photos, [](const planned_photo& p) { return !p.previous_row.has_value(); }));
  }
};

namespace detail {

/// Throws io_error where a photo is not the file any more which was listed. Hash and embedding come from two readings:
/// a file that changes between them would be taken for unchanged ever after.
inline void expect_listed_photo(const std::filesystem::path& root, const indexed_photo& photo) {
  const std::filesystem::path path = root / photo.path;
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) throw_system_error(path, "cannot be examined");
  if (!is_listed_file(status, photo))
    throw io_error(path, "changed while it was being indexed; index the folder again");
}

/// The content hash of a photo that is still the file which was listed. Throws io_error.
[[nodiscard]] inline std::string hash_listed_photo(const std::filesystem::path& root, const indexed_photo& photo) {
  std::string hash = hash_file(root / photo.path);
  expect_listed_photo(root, photo);
  return hash;
}

inline void sort_by_path(std::vector<skipped_file>& files) {
  std::ranges::sort(files, {}, &skipped_file::path);
}

/// Tells renamed from added by the content of the old rows. Photos are judged in the order of their paths.
class content_matcher {
 public:
  /// `stays(path)`: whether the folder still has a photo under that path.
  template <class Stays>
  content_matcher(std::span<const indexed_photo> old, Stays&& stays) {
    for (std::size_t row = 0; row < old.size(); ++row) {
      known_.try_emplace(old[row].content_hash, row);
      if (!stays(old[row].path)) gone_[old[row].content_hash].push_back(row);
    }
  }

  /// Enters the change and the row to keep, given the row that had the photo's path.
  void judge(planned_photo& next, std::optional<std::size_t> same_path, std::span<const indexed_photo> old) {
    const std::string& hash = next.photo.content_hash;
    next.change = same_path ? photo_change::changed : photo_change::added;
    const auto known = known_.find(hash);
    if (hash.empty() || known == known_.end()) return;
    next.previous_row = known->second;
    if (same_path) {
      if (old[*same_path].content_hash != hash) return;
      next.change = photo_change::unchanged;
      next.previous_row = same_path;
    } else if (const auto gone = gone_.find(hash); gone != gone_.end() && !gone->second.empty()) {
      next.change = photo_change::renamed;
      next.previous_row = gone->second.front();
      gone->second.pop_front();
    }
  }

  /// Rows whose path is gone and that no renamed photo has taken, ascending.
  [[nodiscard]] std::vector<std::size_t> removed() const {
    std::vector<std::size_t> rows;
    for (const auto& [hash, left] : gone_) rows.insert(rows.end(), left.begin(), left.end());
    std::ranges::sort(rows);
    return rows;
  }

 private:
  std::unordered_map<std::string, std::size_t> known_;  // first row of each content
  std::unordered_map<std::string, std::deque<std::size_t>> gone_;
};

}  // namespace detail

/// Compares a scanned folder with an index of it (null: there is none yet). Files are read only where a size that the
/// index knows stands under another path or date; these are hashed on all threads of `pool`. Where `model_hash` is not
/// that of the index, every photo is to be encoded again. Photos that cannot be read are skipped with the reason.
[[nodiscard]] inline update_plan plan_update(const photo_folder& folder, const photo_index* previous,
                                             const std::string& model_hash, thread_pool& pool) {
  IMGSIM_EXPECTS(std::ranges::is_sorted(folder.photos, {}, &photo_file::path), "the photos do not ascend by path");
  const auto old = previous != nullptr ? previous->photos() : std::span<const indexed_photo>{};
  const auto old_row = [&](const std::string& path) {
    return previous != nullptr ? previous->row_of(path) : std::nullopt;
  };
  std::unordered_set<std::uintmax_t> old_sizes;
  for (const indexed_photo& photo : old) old_sizes.insert(photo.size);

  update_plan plan{.root = folder.root, .photos = {}, .removed = {}, .skipped = folder.skipped};
  std::vector<std::size_t> to_hash;
  for (const photo_file& file : folder.photos) {
    planned_photo next{.photo = {file.path, file.size, file.modified_ns, {}}, .change = {}, .previous_row = {}};
    const std::optional<std::size_t> row = old_row(file.path);
    if (row && old[*row].size == file.size && old[*row].modified_ns == file.modified_ns)
      next.photo.content_hash = old[*row].content_hash;
    else if (old_sizes.contains(file.size))
      to_hash.push_back(plan.photos.size());
    plan.photos.push_back(std::move(next));
  }

  std::vector<std::string> failures(to_hash.size());
  pool.for_each(to_hash.size(), [&](std::size_t i) {
    indexed_photo& photo = plan.photos[to_hash[i]].photo;
    try {
      photo.content_hash = detail::hash_listed_photo(folder.root, photo);
    } catch (const io_error& fault) {
      failures[i] = fault.reason();
    }
  });
  for (std::size_t i = to_hash.size(); i-- > 0;) {
    if (failures[i].empty()) continue;
    const auto failed = plan.photos.begin() + static_cast<std::ptrdiff_t>(to_hash[i]);
    plan.skipped.push_back({failed->photo.path, failures[i]});
    plan.photos.erase(failed);
  }
  detail::sort_by_path(plan.skipped);

  detail::content_matcher matcher(old, [&](const std::string& path) {
    return std::ranges::binary_search(folder.photos, path, {}, &photo_file::path);
  });
  for (planned_photo& next : plan.photos) matcher.judge(next, old_row(next.photo.path), old);
  for (const std::size_t row : matcher.removed()) plan.removed.push_back(old[row].path);
  if (previous != nullptr && previous->model_hash() != model_hash)
    for (planned_photo& next : plan.photos) next.previous_row.reset();
  return plan;
}

/// Takes the rows that the encoder makes, in any order.
class row_sink {
 public:
  /// `targets[i]`: row of `out` for path i.
  row_sink(const std::filesystem::path& root, std::span<planned_photo> photos, std::span<const std::size_t> targets,
           matrix_view<float> out)
      : root_(root), photos_(photos), targets_(targets), out_(out), stored_(targets.size(), false) {}

  /// The embedding [D] of path `position` of the list that the encoder was given.
  void store(std::size_t position, std::span<const float> embedding) {
    IMGSIM_EXPECTS(position < targets_.size() && !stored_[position], "photo ", position, " of ", targets_.size(),
                   " was encoded twice or was not asked for");
    IMGSIM_EXPECTS(embedding.size() == out_.extent(1), "an embedding of ", embedding.size(), " numbers for rows of ",
                   out_.extent(1));
    stored_[position] = true;
    indexed_photo& photo = photos_[targets_[position]].photo;
    if (!all_finite(embedding)) return skip({photo.path, "the model makes numbers of it that are not finite"});
    try {
      if (photo.content_hash.empty())
        photo.content_hash = detail::hash_listed_photo(root_, photo);
      else
        detail::expect_listed_photo(root_, photo);
    } catch (const io_error& fault) {
      return skip({photo.path, fault.reason()});
    }
    std::ranges::copy(embedding, out_.row(targets_[position]));
  }

  /// A photo that cannot be encoded, with the reason.
  void skip(skipped_file file) { skipped_.push_back(std::move(file)); }

  /// All that were skipped, by path. Throws invalid_argument where a photo was neither stored nor skipped.
  [[nodiscard]] std::vector<skipped_file> finish() {
    detail::sort_by_path(skipped_);
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      const std::string& path = photos_[targets_[i]].photo.path;
      IMGSIM_EXPECTS(stored_[i] || std::ranges::binary_search(skipped_, path, {}, &skipped_file::path),
                     "the encoder left out ", path);
    }
    return std::move(skipped_);
  }

 private:
  const std::filesystem::path& root_;
  std::span<planned_photo> photos_;
  std::span<const std::size_t> targets_;
  matrix_view<float> out_;
  std::vector<bool> stored_;
  std::vector<skipped_file> skipped_;
};

/// How an update went; photos that were skipped are counted nowhere else.
struct update_summary {
  std::size_t unchanged = 0, changed = 0, renamed = 0, added = 0, removed = 0;
  std::size_t reencoded = 0;          // the same content under the same path, and another model
  std::size_t encoded = 0;            // all that the encoder was given
  bool same_rows = false;             // neighbours and groups of the rows before are those of the rows now
  std::vector<skipped_file> skipped;  // by path

  /// M of the index now.
  [[nodiscard]] std::size_t photos() const noexcept { return unchanged + changed + renamed + added + reencoded; }
};

namespace detail {

/// What `plan` says became of its photos.
inline void count_changes(const update_plan& plan, update_summary& summary) {
  summary.reencoded = static_cast<std::size_t>(std::ranges::count_if(
      plan.photos, [](const planned_photo& p) { return p.change == photo_change::unchanged && !p.previous_row; }));
  summary.unchanged = plan.count(photo_change::unchanged) - summary.reencoded;
  summary.changed = plan.count(photo_change::changed);
  summary.renamed = plan.count(photo_change::renamed);
  summary.added = plan.count(photo_change::added);
}

}  // namespace detail

/// Carries a plan out: old rows are copied, `encode(std::span<const std::string> paths, row_sink& rows)` is called at
/// most once with the paths (relative to plan.root, ascending) of the others and stores or skips each. `dimension` is
/// D. The writer is left to be committed. Throws what `encode` throws; the writer is then to be dropped.
template <class Encode>
  requires std::invocable<Encode&, std::span<const std::string>, row_sink&>
update_summary apply_update(index_writer& writer, update_plan plan, std::size_t dimension, Encode&& encode) {
  const photo_index* previous = writer.previous();
  if (previous != nullptr) previous->expect_rows_as_written();
  const auto list = [&plan] {
    std::vector<indexed_photo> photos;
    for (const planned_photo& planned : plan.photos) photos.push_back(planned.photo);
    return photos;
  };
  update_summary summary{.removed = plan.removed.size(), .encoded = plan.to_encode(), .skipped = {}};
  const auto has_same_rows = [&] {
    if (previous == nullptr || previous->size() != plan.photos.size()) return false;
    for (std::size_t i = 0; i < plan.photos.size(); ++i)
      if (plan.photos[i].previous_row != i || plan.photos[i].change != photo_change::unchanged) return false;
    return true;
  };
  summary.same_rows = has_same_rows();
  if (summary.same_rows) {
    writer.refresh_photos(list());
  } else {
    npy_builder<float> embeddings = writer.new_embeddings(plan.photos.size(), dimension);
    const matrix_view<float> out = embeddings.values();
    std::vector<std::string> paths;
    std::vector<std::size_t> targets;
    for (std::size_t i = 0; i < plan.photos.size(); ++i) {
      if (const std::optional<std::size_t> row = plan.photos[i].previous_row) {
        IMGSIM_EXPECTS(previous != nullptr && previous->dimension() == dimension && *row < previous->size(),
                       "the plan keeps rows that do not fit the index");
        std::copy_n(previous->embeddings().row(*row), dimension, out.row(i));
      } else {
        paths.push_back(plan.photos[i].photo.path);
        targets.push_back(i);
      }
    }
    row_sink sink(plan.root, plan.photos, targets, out);
    if (!paths.empty()) encode(std::span<const std::string>(paths), sink);
    const std::vector<skipped_file> failed = sink.finish();

    std::size_t kept = 0;
    for (std::size_t i = 0; i < plan.photos.size(); ++i) {
      if (std::ranges::binary_search(failed, plan.photos[i].photo.path, {}, &skipped_file::path)) continue;
      if (kept != i) {
        std::copy_n(out.row(i), dimension, out.row(kept));
        plan.photos[kept] = std::move(plan.photos[i]);
      }
      ++kept;
    }
    plan.photos.resize(kept);
    summary.encoded -= failed.size();
    plan.skipped.insert(plan.skipped.end(), failed.begin(), failed.end());
    detail::sort_by_path(plan.skipped);
    // A file that is no photo is tried again each time: where it failed again, nothing has changed.
    summary.same_rows = has_same_rows();
    if (summary.same_rows)
      writer.refresh_photos(list());
    else
      writer.replace_rows(list(), embeddings);
  }
  writer.set_skipped(plan.skipped);
  detail::count_changes(plan, summary);
  summary.skipped = std::move(plan.skipped);
  return summary;
}

}  // namespace imgsim
