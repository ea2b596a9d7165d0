// An index folder, open for reading: which photos it holds, their embeddings, and what was computed from them.
//
//   const auto index = imgsim::photo_index::open("holiday.index");
//   const std::size_t row = index.find("beach/12.jpg");
//   const auto result = imgsim::top_n(context, index.embeddings(), index.embeddings().slice(row, 1), imgsim::cosine{},
//                                     {.n = 10});
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <imgsim/core/file.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/embedding/closest_name.hpp>
#include <imgsim/embedding/finite.hpp>
#include <imgsim/embedding/index_folder.hpp>
#include <imgsim/embedding/manifest.hpp>
#include <imgsim/embedding/npy.hpp>
#include <imgsim/embedding/photo_list.hpp>

namespace imgsim {

namespace detail {

/// How a file of the index at `folder` is made whole again, as the end of a sentence.
[[nodiscard]] inline std::string repair_of(std::string_view file, const std::filesystem::path& folder) {
  const std::string index = folder.string();
  if (file == index_file::kNeighbourRows || file == index_file::kNeighbourSimilarity)
    return "make the neighbours again with: imgsim neighbors --index " + index;
  if (file == index_file::kGraphLinks || file == index_file::kGraphLayers)
    return "make the graph again with: imgsim graph --index " + index;
  if (file == index_file::kGroups || file == index_file::kCentroids)
    return "make the groups again with: imgsim cluster --index " + index + " -k K";
  if (file == index_file::kModel) return "give the model again with: imgsim index --index " + index + " --model FILE";
  return "restore the index from a copy, or delete its folder and index the photos again";
}

}  // namespace detail

/// The neighbours kept by `imgsim neighbors`: row i lists the photos most like photo i, itself excluded, the most
/// similar first. Their files are checked row by row as they are used, as a whole by verify_index().
struct stored_neighbours {
  std::string metric;                    // a name of metric/registry.hpp
  matrix_view<const std::int64_t> rows;  // [M, N]
  matrix_view<const float> similarity;   // [M, N]
  std::filesystem::path folder = {};     // of the index, for messages

  /// What is wrong with the list of one photo: a row that the index has not, one that is named twice, similarities
  /// that do not fall.
  [[nodiscard]] std::optional<std::string> fault_of(std::size_t row) const {
    std::vector<std::int64_t> others(rows.row(row), rows.row(row) + rows.extent(1));
    for (const std::int64_t other : others) {
      if (other < 0 || static_cast<std::uint64_t>(other) >= rows.extent(0))
        return detail::concat("names row ", other, " of ", rows.extent(0), " among the neighbours of row ", row);
    }
    others.push_back(static_cast<std::int64_t>(row));
    std::ranges::sort(others);
    if (std::ranges::adjacent_find(others) != others.end())
      return detail::concat("row ", row, " lists a photo twice, or itself");
    const std::span<const float> falling(similarity.row(row), similarity.extent(1));
    const auto rises = [](float a, float b) { return a < b || (std::isnan(a) && !std::isnan(b)); };
    if (std::ranges::adjacent_find(falling, rises) != falling.end())
      return detail::concat("row ", row, " is not in falling order");
    return std::nullopt;
  }

  /// The neighbours of one photo. Throws io_error where fault_of() finds something.
  [[nodiscard]] std::span<const std::int64_t> rows_of(std::size_t row) const {
    if (const std::optional<std::string> fault = fault_of(row))
      throw io_error(folder / index_file::kNeighbourRows,
                     detail::concat(*fault, "; ", detail::repair_of(index_file::kNeighbourRows, folder)));
    return {rows.row(row), rows.extent(1)};
  }
};

namespace detail {

[[nodiscard]] inline std::filesystem::path photos_root_of(const index_manifest& manifest,
                                                          const std::filesystem::path& folder) {
  std::filesystem::path given = manifest.photos_root;
  std::error_code ignored;
  if (std::filesystem::is_directory(given, ignored) || manifest.photos_relative_root.empty()) return given;
  std::filesystem::path moved = (folder / manifest.photos_relative_root).lexically_normal();
  return std::filesystem::is_directory(moved, ignored) ? moved : given;
}

}  // namespace detail

/// The graph kept by `imgsim graph`, for search/neighbour_graph.hpp: its numbers are looked at as they are used, as a
/// whole by verify_index().
struct stored_graph {
  graph_note note;
  matrix_view<const std::int32_t> links;   // [M, L]
  matrix_view<const std::int32_t> layers;  // [U, 2 + H]
};

/// One version of an index. It stays whole and readable while a writer replaces it; views live as long as the object.
/// Shapes and sizes are checked on opening, contents by verify_index(). A file that was made from the rows (neighbours,
/// groups) or that not every use needs (the model) is no obstacle where it is damaged: asking for it throws.
class photo_index {
 public:
  /// Throws io_error where `folder` is no index, was made by a newer imgsim, or lacks its photos or embeddings.
  [[nodiscard]] static photo_index open(const std::filesystem::path& folder) {
    constexpr int kAttempts = 16;
    for (int attempt = 1;; ++attempt) {
      detail::index_version seen = current_version(folder);
      const bool at_rest = !seen.in_committed;
      photo_index index(folder, std::move(seen));
      try {
        index.load();
        // As below, a file that seems damaged is damaged for sure in a version at rest only.
        const bool is_sure = at_rest || index.faults_.empty() || attempt == kAttempts;
        if (is_sure && index.is_current()) {
          index.version_.file = {};
          return index;
        }
        if (attempt == kAttempts) throw io_error(folder, "changes faster than it can be read");
      } catch (const io_error&) {
        // A file may have been replaced or moved between two looks; a version at rest is really damaged.
        if ((at_rest && index.is_current()) || attempt == kAttempts) throw;
      }
    }
  }

  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  [[nodiscard]] const index_manifest& manifest() const noexcept { return manifest_; }
  /// manifest.json as it was read.
  [[nodiscard]] const std::string& stored_manifest() const noexcept { return version_.manifest; }

  /// M.
  [[nodiscard]] std::size_t size() const noexcept { return photos_.size(); }
  /// D.
  [[nodiscard]] std::size_t dimension() const noexcept { return manifest_.dimension; }

  /// Photo of each row; paths ascend.
  [[nodiscard]] std::span<const indexed_photo> photos() const noexcept { return photos_; }
  /// [M, D], mapped. The first call reads them all; throws io_error where one is not finite.
  [[nodiscard]] matrix_view<const float> embeddings() const {
    if (!is_finite_->load(std::memory_order_relaxed)) {
      if (const std::optional<std::size_t> row = first_row_not_finite(embeddings_.view()))
        throw io_error(folder_ / index_file::kEmbeddings,
                       detail::concat("row ", *row, " holds numbers that are not finite; ",
                                      detail::repair_of(index_file::kEmbeddings, folder_)));
      is_finite_->store(true, std::memory_order_relaxed);
    }
    return embeddings_.view();
  }

  /// The same without a look at them, for who reads a few rows of many: some may not be finite.
  [[nodiscard]] matrix_view<const float> stored_embeddings() const noexcept { return embeddings_.view(); }

  /// Throws io_error where the photos or their embeddings are not what was written, which takes reading them all: what
  /// goes on into another version would be taken for good there.
  void expect_rows_as_written() const {
    for (const char* file : {index_file::kPhotos, index_file::kEmbeddings})
      with_repair(file, [&] { std::ignore = whole(file); });
  }

  /// nullopt where none are stored for this version of the rows. Throws io_error where their files are damaged.
  [[nodiscard]] std::optional<stored_neighbours> neighbours() const {
    if (!manifest_.neighbours) return std::nullopt;
    expect_sound({index_file::kNeighbourRows, index_file::kNeighbourSimilarity});
    return stored_neighbours{manifest_.neighbours->metric, neighbour_rows_.view(), neighbour_similarity_.view(),
                             folder_};
  }
  /// nullopt where none is stored for this version of the rows. Throws io_error where its files are damaged.
  [[nodiscard]] std::optional<stored_graph> graph() const {
    if (!manifest_.graph) return std::nullopt;
    expect_sound({index_file::kGraphLinks, index_file::kGraphLayers});
    return stored_graph{*manifest_.graph, graph_links_.view(), graph_layers_.view()};
  }
  /// The text of k_groups.json of the last clustering, see cluster/groups.hpp; nullopt where there is none. Throws
  /// io_error where it is damaged.
  [[nodiscard]] const std::optional<std::string>& groups() const {
    expect_sound({index_file::kGroups});
    return groups_;
  }
  /// [K, D] of the last clustering, where it was by k-means. Throws io_error where they are damaged.
  [[nodiscard]] std::optional<matrix_view<const float>> centroids() const {
    if (!manifest_.files.contains(index_file::kCentroids)) return std::nullopt;
    expect_sound({index_file::kCentroids});
    return centroids_.view();
  }
  /// What neighbours(), graph(), groups() and centroids() would throw.
  [[nodiscard]] std::span<const io_error> faults() const noexcept { return faults_; }

  /// Content hash of the model file that made the rows; empty where they come from none.
  [[nodiscard]] const std::string& model_hash() const noexcept { return manifest_.model_hash; }
  /// The copy of that model, as it is at the time of the call. Throws io_error where the index holds none, or one that
  /// is not what was written.
  [[nodiscard]] std::filesystem::path model_path() const {
    if (!manifest_.files.contains(index_file::kModel)) throw io_error(folder_, "holds no model");
    return with_repair(index_file::kModel, [this] { return whole(index_file::kModel); });
  }

  /// The folder of the photos: as it was given, or, where that is gone, as it lies from the index.
  [[nodiscard]] std::filesystem::path photos_root() const { return detail::photos_root_of(manifest_, folder_); }
  /// The file of a row.
  [[nodiscard]] std::filesystem::path photo_path(std::size_t row) const { return photos_root() / photos_[row].path; }

  /// The row of a photo, by its path in the index, by its path with the root folder before it, or by the number of the
  /// row. Throws invalid_argument, with the nearest path where one is near.
  [[nodiscard]] std::size_t find(std::string_view name) const {
    if (const std::optional<std::size_t> row = row_of(name)) return *row;
    if (const std::optional<std::size_t> row = row_of(below_root(name))) return *row;
    std::size_t number = 0;
    const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (!name.empty() && end == name.data() + name.size()) {
      IMGSIM_EXPECTS(failure == std::errc{} && number < size(), "the index has no row ", name, ": it holds ", size(),
                     " photos, rows count from 0");
      return number;
    }
    const std::size_t near =
        closest_name(name, size(), [this](std::size_t i) -> std::string_view { return photos_[i].path; });
    throw invalid_argument(detail::concat("the index holds no photo '", name, "'",
                                          near < size() ? detail::concat("; did you mean '", photos_[near].path, "'?")
                                                        : std::string("; --id takes a path of images.jsonl or a row")));
  }

  /// As find() by path, nullopt where the path is not one of the index.
  [[nodiscard]] std::optional<std::size_t> row_of(std::string_view path) const {
    const auto found = std::ranges::lower_bound(
        photos_, path, {}, [](const indexed_photo& photo) { return std::string_view(photo.path); });
    if (found == photos_.end() || found->path != path) return std::nullopt;
    return static_cast<std::size_t>(found - photos_.begin());
  }

 private:
  static detail::index_version current_version(const std::filesystem::path& folder) {
    if (!detail::file_exists(folder)) throw io_error(folder, "does not exist; make an index with: imgsim index");
    std::optional<detail::index_version> found = detail::find_version(folder);
    if (!found) throw io_error(folder, "is not an index: it has no manifest.json");
    return *std::move(found);
  }

  photo_index(std::filesystem::path folder, detail::index_version seen)
      : folder_(std::move(folder)), version_(std::move(seen)) {}

  [[nodiscard]] bool is_current() const { return current_version(folder_).is(version_); }

  void load() {
    const std::filesystem::path manifest = version_.locate(folder_, index_file::kManifest);
    if (detail::is_of_newer_imgsim(version_.manifest))
      manifest_ = parse_manifest(version_.manifest, manifest);  // refuses it; nothing is to be repaired
    else
      with_repair(index_file::kManifest, [&] { manifest_ = parse_manifest(version_.manifest, manifest); });
    with_repair(index_file::kPhotos, [this] {
      photos_ = read_photo_list(checked(index_file::kPhotos));
      if (photos_.size() != manifest_.rows)
        throw io_error(folder_ / index_file::kPhotos,
                       detail::concat("lists ", photos_.size(), " photos, the manifest says ", manifest_.rows));
    });
    with_repair(index_file::kEmbeddings,
                [this] { embeddings_ = matrix<float>(index_file::kEmbeddings, manifest_.rows, manifest_.dimension); });
    if (manifest_.neighbours) {
      const std::size_t n = manifest_.neighbours->n;
      keep_fault(index_file::kNeighbourRows,
                 [this, n] { neighbour_rows_ = matrix<std::int64_t>(index_file::kNeighbourRows, manifest_.rows, n); });
      keep_fault(index_file::kNeighbourSimilarity, [this, n] {
        neighbour_similarity_ = matrix<float>(index_file::kNeighbourSimilarity, manifest_.rows, n);
      });
    }
    if (manifest_.graph) {
      keep_fault(index_file::kGraphLinks,
                 [this] { graph_links_ = listed_matrix<std::int32_t>(index_file::kGraphLinks); });
      keep_fault(index_file::kGraphLayers,
                 [this] { graph_layers_ = listed_matrix<std::int32_t>(index_file::kGraphLayers); });
    }
    if (manifest_.files.contains(index_file::kGroups))
      keep_fault(index_file::kGroups, [this] { groups_ = text_of(mapped_file(whole(index_file::kGroups)).bytes()); });
    if (manifest_.files.contains(index_file::kCentroids)) {
      keep_fault(index_file::kCentroids, [this] {
        std::ignore = whole(index_file::kCentroids);
        const std::size_t k = shape_of(index_file::kCentroids)[0];
        centroids_ = matrix<float>(index_file::kCentroids, k, manifest_.dimension);
      });
    }
  }

  /// Calls `read`; an error of it goes on with how the file is made whole again.
  template <class Read>
  std::invoke_result_t<Read&> with_repair(const char* file, Read&& read) const {
    try {
      return read();
    } catch (const io_error& fault) {
      throw io_error(fault.path(), fault.reason() + "; " + detail::repair_of(file, folder_), fault.code());
    }
  }

  /// The same, for a file that is not missed until it is asked for.
  template <class Read>
  void keep_fault(const char* file, Read&& read) {
    try {
      with_repair(file, read);
    } catch (const io_error& fault) {
      faults_.emplace_back(folder_ / file, fault.reason());
    }
  }

  void expect_sound(std::initializer_list<const char*> files) const {
    for (const io_error& fault : faults_) {
      if (std::ranges::find(files, fault.path().filename()) != files.end()) throw io_error(fault);
    }
  }

  /// Where a listed file is; throws io_error where it is missing or of another size than listed.
  [[nodiscard]] std::filesystem::path checked(const char* name) const {
    std::filesystem::path path = version_.locate(folder_, name);
    std::error_code failure;
    const std::uintmax_t size = std::filesystem::file_size(path, failure);
    if (failure) detail::throw_system_error(path, "is missing from the index", failure.value());
    const std::uint64_t listed = manifest_.files.at(name).bytes;
    if (size != listed) throw io_error(path, detail::concat("holds ", size, " bytes, the manifest says ", listed));
    return path;
  }

  /// Where a listed file is; throws io_error unless it is, byte for byte, what was written.
  [[nodiscard]] std::filesystem::path whole(const char* name) const {
    std::filesystem::path path = checked(name);
    if (hash_file(path) != manifest_.files.at(name).hash)
      throw io_error(path, "differs from what was written: its checksum does not hold");
    return path;
  }

  template <class T>
  [[nodiscard]] mapped_npy<T> matrix(const char* name, std::size_t rows, std::size_t columns) const {
    const std::filesystem::path path = checked(name);
    mapped_npy<T> file(path);
    const std::array<std::size_t, 2> expected{rows, columns};
    if (file.view().extents() != expected)
      throw io_error(path, detail::concat("has shape ", shape_text(file.view()), ", the manifest says [", rows, ", ",
                                          columns, "]"));
    return file;
  }

  /// Of a matrix, as listed; [0, 0] where none is listed.
  [[nodiscard]] std::array<std::size_t, 2> shape_of(const char* name) const {
    const std::vector<std::size_t>& shape = manifest_.files.at(name).shape;
    return shape.size() == 2 ? std::array{shape[0], shape[1]} : std::array<std::size_t, 2>{};
  }

  template <class T>
  [[nodiscard]] mapped_npy<T> listed_matrix(const char* name) const {
    const auto [rows, columns] = shape_of(name);
    return matrix<T>(name, rows, columns);
  }

  /// What follows the root folder in a path typed by a person.
  [[nodiscard]] std::string below_root(std::string_view name) const {
    std::error_code ignored;
    const std::filesystem::path absolute = std::filesystem::absolute(std::filesystem::path(name), ignored);
    const std::filesystem::path root = std::filesystem::absolute(photos_root(), ignored);
    return absolute.lexically_normal().lexically_relative(root.lexically_normal()).generic_string();
  }

  std::filesystem::path folder_;
  detail::index_version version_;
  index_manifest manifest_;
  std::vector<indexed_photo> photos_;
  mapped_npy<float> embeddings_;
  mapped_npy<std::int64_t> neighbour_rows_;
  mapped_npy<float> neighbour_similarity_;
  mapped_npy<std::int32_t> graph_links_;
  mapped_npy<std::int32_t> graph_layers_;
  std::optional<std::string> groups_;
  mapped_npy<float> centroids_;
  std::vector<io_error> faults_;
  std::unique_ptr<std::atomic<bool>> is_finite_ =
      std::make_unique<std::atomic<bool>>(false);  // found so by a first use
};

}  // namespace imgsim
