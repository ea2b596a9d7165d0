// One change of an index folder, or its creation.
//
//   imgsim::index_writer writer("holiday.index");
//   writer.set_neighbours("cosine", result.rows.view(), result.similarity.view());
//   writer.commit();
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <imgsim/core/file.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/embedding/index_folder.hpp>
#include <imgsim/embedding/npy.hpp>
#include <imgsim/embedding/npy_builder.hpp>
#include <imgsim/embedding/photo_index.hpp>

namespace imgsim {

/// Holds the lock of the index, gathers new files, and makes them the index in one step, see index_folder.hpp. Without
/// commit() the index stays as it was. What is not set stays, except that neighbours, their graph and groups belong to
/// one set of rows and go when the rows are replaced.
class index_writer {
 public:
  /// Opens the index at `folder`, or begins one where the folder is missing or empty. Throws io_error where another
  /// writer is at work, the folder holds other things, or the index in it cannot be read.
  explicit index_writer(const std::filesystem::path& folder)
      : folder_(prepare(folder)), lock_(folder_), staged_(folder_) {
    if (!detail::find_version(folder_)) return;
    previous_.emplace(photo_index::open(folder_));
    next_ = previous_->manifest();
    next_.imgsim_version = version;
  }

  /// Throws io_error where an index could not be written at `folder`, which is there, because it holds other things or
  /// another writer is at work. Makes nothing.
  static void expect_place(const std::filesystem::path& folder) {
    index_lock::expect_free(folder);
    expect_index_or_nothing(folder);
  }

  /// The index as it is before the commit; null where it is being created.
  [[nodiscard]] const photo_index* previous() const noexcept { return previous_ ? &*previous_ : nullptr; }

  /// The folder that the photos' paths are relative to.
  void set_photos_root(const std::filesystem::path& root) {
    const std::filesystem::path absolute = normal(root);
    next_.photos_root = absolute.string();
    next_.photos_relative_root = absolute.lexically_relative(normal(folder_)).string();
  }

  /// Keeps a copy of the model that makes the rows; does nothing where it holds that model already, undamaged.
  void set_model(const std::filesystem::path& model_file) {
    const std::string hash = hash_file(model_file);
    if (hash == next_.model_hash && lists(index_file::kModel) && is_in_place(index_file::kModel)) return;
    copy(model_file, index_file::kModel);
    next_.model_hash = next_.files.at(index_file::kModel).hash;
  }

  /// Content hash of the model that the next version holds; empty for none.
  [[nodiscard]] const std::string& model_hash() const noexcept { return next_.model_hash; }

  /// A new matrix for the rows, [rows, columns], to be filled in place and handed to replace_rows().
  [[nodiscard]] npy_builder<float> new_embeddings(std::size_t rows, std::size_t columns) {
    return {staged_.path_of(index_file::kEmbeddings), rows, columns};
  }

  /// New rows: the first photos.size() of `embeddings`. `photos` ascend by path. Stored neighbours, their graph and
  /// groups, which are of the old rows, are dropped.
  void replace_rows(std::span<const indexed_photo> photos, npy_builder<float>& embeddings) {
    next_.rows = photos.size();
    next_.dimension = embeddings.values().extent(1);
    embeddings.commit(photos.size());
    list(index_file::kEmbeddings, {next_.rows, next_.dimension});
    refresh_photos(photos);
    drop_groups();
    drop_neighbours();
    drop_graph();
  }

  /// New sizes, dates or hashes of the same photos with the same embeddings.
  void refresh_photos(std::span<const indexed_photo> photos) {
    IMGSIM_EXPECTS(photos.size() == next_.rows, photos.size(), " photos do not fit ", next_.rows, " rows");
    write_photo_list(staged_.path_of(index_file::kPhotos), photos);
    list(index_file::kPhotos, {});
  }

  /// Files of the photos' folder that are not in the index, by path.
  void set_skipped(std::vector<skipped_file> skipped) { next_.skipped = std::move(skipped); }

  /// rows, similarity: [M, N].
  void set_neighbours(const std::string& metric, matrix_view<const std::int64_t> rows,
                      matrix_view<const float> similarity) {
    IMGSIM_EXPECTS(rows.extents() == similarity.extents() && rows.extent(0) == next_.rows, "neighbours of shapes ",
                   shape_text(rows), " and ", shape_text(similarity), " do not fit ", next_.rows, " rows");
    write_npy(staged_.path_of(index_file::kNeighbourRows), rows);
    write_npy(staged_.path_of(index_file::kNeighbourSimilarity), similarity);
    list(index_file::kNeighbourRows, {rows.extent(0), rows.extent(1)});
    list(index_file::kNeighbourSimilarity, {rows.extent(0), rows.extent(1)});
    next_.neighbours = neighbours_note{.metric = metric, .n = rows.extent(1)};
  }

  /// links [M, L], layers [U, 2 + H]: a neighbour_graph.
  void set_graph(const graph_note& note, matrix_view<const std::int32_t> links,
                 matrix_view<const std::int32_t> layers) {
    IMGSIM_EXPECTS(links.extent(0) == next_.rows, "a graph of shape ", shape_text(links), " does not fit ", next_.rows,
                   " rows");
    write_npy(staged_.path_of(index_file::kGraphLinks), links);
    write_npy(staged_.path_of(index_file::kGraphLayers), layers);
    list(index_file::kGraphLinks, {links.extent(0), links.extent(1)});
    list(index_file::kGraphLayers, {layers.extent(0), layers.extent(1)});
    next_.graph = note;
  }

  /// The last clustering: the text of k_groups.json (cluster/groups.hpp) and, for k-means, centroids [K, D].
  void set_groups(std::string_view json, std::optional<matrix_view<const float>> centroids = std::nullopt) {
    drop_groups();
    write_file(staged_.path_of(index_file::kGroups), json);
    list(index_file::kGroups, {});
    if (!centroids) return;
    IMGSIM_EXPECTS(centroids->extent(1) == next_.dimension, "centroids of shape ", shape_text(*centroids),
                   " do not fit rows of ", next_.dimension);
    write_npy(staged_.path_of(index_file::kCentroids), *centroids);
    list(index_file::kCentroids, {centroids->extent(0), centroids->extent(1)});
  }

  /// Makes the change, and says whether there was any: an index that would not differ is left untouched, and a damaged
  /// file that was set anew does differ. Call it once, last. Throws io_error.
  bool commit() {
    IMGSIM_EXPECTS(lists(index_file::kEmbeddings), "a new index needs rows");
    const std::string text = manifest_text(next_);
    if (previous_ && previous_->stored_manifest() == text &&
        std::ranges::all_of(set_anew_, [this](const std::string& name) { return is_in_place(name); }))
      return false;
    staged_.commit(text);
    return true;
  }

 private:
  static std::filesystem::path normal(const std::filesystem::path& path) {
    return (std::filesystem::absolute(path) / "").lexically_normal().parent_path();
  }

  static const std::filesystem::path& prepare(const std::filesystem::path& folder) {
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    if (failure) detail::throw_system_error(folder, "cannot be created", failure.value());
    expect_index_or_nothing(folder);
    return folder;
  }

  static void expect_index_or_nothing(const std::filesystem::path& folder) {
    std::error_code failure;
    std::filesystem::directory_iterator entries(folder, failure);
    if (failure) detail::throw_system_error(folder, "cannot be read", failure.value());
    if (detail::find_version(folder)) return;
    for (const std::filesystem::directory_entry& entry : entries) {
      const std::filesystem::path name = entry.path().filename();
      if (name != index_lock::kName && name != detail::kStagingFolder && name != detail::kCommittedFolder)
        throw io_error(folder, detail::concat("holds other files (", name.string(), ") and is no index; give an empty ",
                                              "or a new folder"));
    }
  }

  [[nodiscard]] bool lists(const char* name) const { return next_.files.contains(name); }

  /// Whether the file in the folder is, byte for byte, the one that the next version lists.
  [[nodiscard]] bool is_in_place(const std::string& name) const {
    try {
      return hash_file(folder_ / name) == next_.files.at(name).hash;
    } catch (const io_error&) {
      return false;
    }
  }

  /// Enters a staged file into the manifest.
  void list(const char* name, std::vector<std::size_t> shape) {
    const std::filesystem::path path = staged_.path_of(name);
    next_.files[name] = {.bytes = std::filesystem::file_size(path), .hash = hash_file(path), .shape = std::move(shape)};
    set_anew_.insert(name);
  }

  void drop_neighbours() {
    drop(index_file::kNeighbourRows);
    drop(index_file::kNeighbourSimilarity);
    next_.neighbours.reset();
  }
  void drop_graph() {
    drop(index_file::kGraphLinks);
    drop(index_file::kGraphLayers);
    next_.graph.reset();
  }
  void drop_groups() {
    drop(index_file::kGroups);
    drop(index_file::kCentroids);
  }
  void drop(const char* name) {
    next_.files.erase(name);
    set_anew_.erase(name);
  }

  void copy(const std::filesystem::path& from, const char* name) {
    const mapped_file source(from);
    write_file(staged_.path_of(name), source.bytes());
    list(name, {});
  }

  std::filesystem::path folder_;
  index_lock lock_;
  staged_version staged_;
  std::optional<photo_index> previous_;
  index_manifest next_;
  std::set<std::string> set_anew_;  // files that were staged
};

}  // namespace imgsim
