// Whether an index is what it was when it was written: every checksum, shape and cross-reference.
//
//   for (const imgsim::finding& found : imgsim::verify_index("holiday.index", {.check_model = read_it}))
//     std::cout << found.file << ": " << found.what << "; " << found.advice << '\n';
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <imgsim/core/file.hpp>
#include <imgsim/core/json.hpp>
#include <imgsim/core/path_text.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/embedding/finite.hpp>
#include <imgsim/embedding/index_folder.hpp>
#include <imgsim/embedding/manifest.hpp>
#include <imgsim/embedding/npy.hpp>
#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/embedding/photo_list.hpp>

namespace imgsim {

enum class severity {
  note,    // worth knowing; the index answers rightly
  newer,   // a newer imgsim made it: this one cannot tell
  damage,  // the index must not be relied on
};

struct finding {
  imgsim::severity severity = severity::damage;
  std::string file;    // of the index, or of its photos
  std::string what;    // "holds 12 bytes, the manifest says 4851840"
  std::string advice;  // what to do
};

/// Of a file that only a later imgsim reads.
[[nodiscard]] inline finding newer_finding(std::string file) {
  return {severity::newer, std::move(file), "was made by a newer imgsim, and this one cannot read it", "update imgsim"};
}

struct verify_options {
  /// Reads a model file and throws imgsim::error where it is damaged (model/model_file.hpp's read_model does).
  std::function<void(const std::filesystem::path&)> check_model = {};
  /// Whether to compare sizes and dates of the photos with those of the index.
  bool compare_photos = true;
};

namespace detail {

/// One verification; findings are gathered in the order of the files.
class index_inspection {
 public:
  index_inspection(const std::filesystem::path& folder, const verify_options& options)
      : folder_(folder), options_(options) {}

  [[nodiscard]] std::vector<finding> run() {
    guarded(index_file::kManifest, [&] {
      std::optional<index_version> found = find_version(folder_);
      if (!found) throw io_error(folder_ / index_file::kManifest, "is missing");
      version_ = *std::move(found);
      if (is_of_newer_imgsim(version_.manifest)) return;
      manifest_ = parse_manifest(version_.manifest, folder_ / index_file::kManifest);
      has_manifest_ = true;
    });
    if (is_of_newer_imgsim(version_.manifest)) findings_.push_back(newer_finding(index_file::kManifest));
    if (!has_manifest_) return std::move(findings_);
    if (!manifest_checksum_holds(version_.manifest))
      damage(index_file::kManifest, "differs from what was written: its own checksum does not hold");
    inspect_state();
    for (const auto& [name, file] : manifest_.files) {
      guarded(name.c_str(), [&, &listed_name = name, &listed = file] { inspect_file(listed_name.c_str(), listed); });
    }
    inspect_contents();
    if (options_.compare_photos) compare_photos();
    return std::move(findings_);
  }

  /// Whether the index still is the version that was inspected.
  [[nodiscard]] bool is_current() const {
    const std::optional<index_version> found = find_version(folder_);
    return !found || found->is(version_);
  }

 private:
  void damage(const std::string& file, const std::string& what) {
    findings_.push_back({severity::damage, file, what, repair_of(file, folder_)});
  }
  void note(const std::string& file, const std::string& what, const char* advice) {
    findings_.push_back({severity::note, file, what, advice});
  }

  /// Runs a check whose errors are findings about `file`.
  template <class Check>
  void guarded(const char* file, Check&& check) {
    try {
      check();
    } catch (const newer_file&) {
      findings_.push_back(newer_finding(file));
    } catch (const io_error& fault) {
      damage(file, fault.reason());
    } catch (const error& fault) {
      damage(file, fault.what());
    }
  }

  void inspect_state() {
    if (version_.in_committed)
      note(kCommittedFolder, "an update ended before its files were in their places; imgsim reads the new version",
           "the next change of the index finishes it, for example imgsim index");
    if (file_exists(folder_ / kStagingFolder))
      note(kStagingFolder, "an update is under way or was interrupted before it took effect",
           "nothing is lost; the next change of the index removes what it left");
    for (const char* name : index_file::kListed) {
      if (!manifest_.files.contains(name) && file_exists(folder_ / name) && !version_.in_committed)
        note(name, "does not belong to this version of the index", "delete it, or make it again");
    }
  }

  void inspect_file(const char* name, const stored_file& listed) {
    const std::filesystem::path path = version_.locate(folder_, name);
    const unique_descriptor file = open_for_reading(path);
    const std::uint64_t size = size_of_open_file(file, path);
    if (size != listed.bytes) throw io_error(path, concat("holds ", size, " bytes, the manifest says ", listed.bytes));
    if (hash_file(path) != listed.hash)
      throw io_error(path, "differs from what was written: its checksum does not hold");
    sound_.insert(name);
  }

  [[nodiscard]] bool is_sound(const char* name) const { return sound_.contains(name); }

  /// What the files say, for those whose bytes are as written.
  void inspect_contents() {
    if (is_sound(index_file::kPhotos)) {
      guarded(index_file::kPhotos, [&] {
        photos_ = read_photo_list(version_.locate(folder_, index_file::kPhotos));
        if (photos_.size() == manifest_.rows) return;
        sound_.erase(index_file::kPhotos);  // nothing is sized by a number that is not that of the photos
        damage(index_file::kPhotos, concat("lists ", photos_.size(), " photos, the manifest says ", manifest_.rows));
      });
    }
    if (is_sound(index_file::kEmbeddings)) guarded(index_file::kEmbeddings, [&] { inspect_embeddings(); });
    if (is_sound(index_file::kNeighbourRows) && is_sound(index_file::kNeighbourSimilarity))
      guarded(index_file::kNeighbourRows, [&] { inspect_neighbours(); });
    if (is_sound(index_file::kGraphLinks))
      guarded(index_file::kGraphLinks, [&] {
        const auto links = listed_numbers(index_file::kGraphLinks);
        expect_below(links.view(), 0, links.view().extent(1), manifest_.rows);
      });
    if (is_sound(index_file::kGraphLayers)) guarded(index_file::kGraphLayers, [&] { inspect_layers(); });
    if (is_sound(index_file::kGroups) && is_sound(index_file::kPhotos))
      guarded(index_file::kGroups, [&] { inspect_groups(); });
    if (is_sound(index_file::kModel)) guarded(index_file::kModel, [&] { inspect_model(); });
  }

  template <class T>
  [[nodiscard]] mapped_npy<T> matrix(const char* name, std::size_t rows, std::size_t columns) {
    mapped_npy<T> file(version_.locate(folder_, name));
    if (file.view().extent(0) != rows || file.view().extent(1) != columns ||
        manifest_.files.at(name).shape != std::vector<std::size_t>{rows, columns})
      throw io_error(name,
                     concat("has shape ", shape_text(file.view()), ", the manifest says [", rows, ", ", columns, "]"));
    return file;
  }

  void inspect_embeddings() {
    const auto file = matrix<float>(index_file::kEmbeddings, manifest_.rows, manifest_.dimension);
    if (const std::optional<std::size_t> row = first_row_not_finite(file.view()))
      damage(index_file::kEmbeddings, concat("row ", *row, " holds numbers that are not finite"));
  }

  void inspect_neighbours() {
    const std::size_t n = manifest_.neighbours->n;
    const auto row_file = matrix<std::int64_t>(index_file::kNeighbourRows, manifest_.rows, n);
    const auto similarity_file = matrix<float>(index_file::kNeighbourSimilarity, manifest_.rows, n);
    const stored_neighbours stored{manifest_.neighbours->metric, row_file.view(), similarity_file.view()};
    for (std::size_t i = 0; i < manifest_.rows; ++i) {
      if (const std::optional<std::string> fault = stored.fault_of(i))
        throw io_error(index_file::kNeighbourRows, *fault);
    }
  }

  [[nodiscard]] mapped_npy<std::int32_t> listed_numbers(const char* name) {
    const std::vector<std::size_t>& shape = manifest_.files.at(name).shape;
    if (shape.size() != 2) throw io_error(name, "is listed without its shape");
    return matrix<std::int32_t>(name, shape[0], shape[1]);
  }

  /// Of a graph, where -1 stands for none.
  static void expect_below(matrix_view<const std::int32_t> values, std::size_t column, std::size_t columns,
                           std::size_t end) {
    for (std::size_t line = 0; line < values.extent(0); ++line)
      for (const std::int32_t value : std::span(values.row(line) + column, columns))
        IMGSIM_EXPECTS(value >= -1 && value < static_cast<std::int64_t>(end), "names ", value, " of ", end, " in line ",
                       line);
  }

  /// Each begins with a row of the index; all else are lines.
  void inspect_layers() {
    const auto layers = listed_numbers(index_file::kGraphLayers);
    const auto [lines, columns] = layers.view().extents();
    IMGSIM_EXPECTS(lines >= 1 && columns >= 2, "has no line to begin with");
    expect_below(layers.view(), 0, 1, manifest_.rows);
    expect_below(layers.view(), 1, columns - 1, lines);
  }

  void inspect_groups() {
    const std::filesystem::path path = version_.locate(folder_, index_file::kGroups);
    const nlohmann::json json = read_json(path, kMaxGroups);
    const json_fields fields(json, path);
    const auto k = fields.integer<std::size_t>("k");
    const nlohmann::json& clusters = fields.array("clusters");
    const nlohmann::json& medoids = fields.array("medoids");
    const nlohmann::json& paths = fields.array("paths");
    if (clusters.size() != k || medoids.size() != k) fields.fail(concat("does not hold ", k, " groups and medoids"));
    std::vector<bool> seen(manifest_.rows, false);
    std::size_t members = 0;
    for (std::size_t group = 0; group < k; ++group) {
      bool has_medoid = false;
      for (const nlohmann::json& row : clusters[group]) {
        if (!row.is_number_unsigned() || row.get<std::uint64_t>() >= seen.size() || seen[row.get<std::size_t>()])
          fields.fail(concat("group ", group, " holds a row twice, or one that the index has not"));
        seen[row.get<std::size_t>()] = true;
        has_medoid = has_medoid || row == medoids[group];
        ++members;
      }
      if (!has_medoid) fields.fail(concat("group ", group, " does not hold its medoid"));
    }
    if (fields.has("outliers"))
      for (const nlohmann::json& row : fields.array("outliers")) {
        if (!row.is_number_unsigned() || row.get<std::uint64_t>() >= seen.size() || seen[row.get<std::size_t>()])
          fields.fail("the outliers hold a row twice, or one that is in a group or not in the index");
        seen[row.get<std::size_t>()] = true;
        ++members;
      }
    if (members != manifest_.rows) fields.fail(concat("groups ", members, " of ", manifest_.rows, " rows"));
    const bool same_paths = std::ranges::equal(paths, photos_, [](const nlohmann::json& path_json, const auto& photo) {
      return path_json.is_string() && path_json.get_ref<const std::string&>() == path_to_text(photo.path);
    });
    if (!same_paths) fields.fail("names other photos than the index");
    if (is_sound(index_file::kCentroids))
      guarded(index_file::kCentroids,
              [&] { std::ignore = matrix<float>(index_file::kCentroids, k, manifest_.dimension); });
  }

  void inspect_model() {
    if (manifest_.files.at(index_file::kModel).hash != manifest_.model_hash)
      damage(index_file::kModel, "is not the model that made the embeddings");
    if (options_.check_model) options_.check_model(version_.locate(folder_, index_file::kModel));
  }

  void compare_photos() {
    const std::filesystem::path root = photos_root_of(manifest_, folder_);
    std::error_code ignored;
    if (!std::filesystem::is_directory(root, ignored)) {
      note(root.string(), "the folder of the photos is not there", "queries work; pictures cannot be shown or updated");
      return;
    }
    std::size_t missing = 0, changed = 0;
    for (const indexed_photo& photo : photos_) {
      struct stat status{};
      if (::stat((root / photo.path).c_str(), &status) != 0)
        ++missing;
      else if (!is_listed_file(status, photo))
        ++changed;
    }
    if (missing + changed > 0)
      note(root.string(), concat(missing, " photos of the index are gone, ", changed, " changed since"),
           "bring the index up to date with imgsim index");
  }

  static constexpr std::uint64_t kMaxGroups = std::uint64_t{1} << 32;

  const std::filesystem::path& folder_;
  const verify_options& options_;
  index_version version_;
  index_manifest manifest_;
  bool has_manifest_ = false;
  std::vector<indexed_photo> photos_;
  std::set<std::string_view> sound_;  // files whose bytes are as they were written
  std::vector<finding> findings_;
};

}  // namespace detail

/// Reads every byte of an index and tells what is wrong with it, the gravest first; nothing is changed. An empty list
/// means that all holds. What cannot be read is a finding, too. Throws io_error where `folder` holds no file of an
/// index: its findings would advise to delete it.
[[nodiscard]] inline std::vector<finding> verify_index(const std::filesystem::path& folder,
                                                       const verify_options& options = {}) {
  if (!detail::file_exists(folder)) throw io_error(folder, "does not exist");
  const auto has = [&](const char* name) { return detail::file_exists(folder / name); };
  if (!detail::find_version(folder) && std::ranges::none_of(index_file::kListed, has))
    throw io_error(folder, "is not an index: it has no manifest.json");
  constexpr int kAttempts = 4;
  std::vector<finding> findings;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    detail::index_inspection inspection(folder, options);
    findings = inspection.run();
    if (findings.empty() || inspection.is_current()) break;  // else a writer replaced what was being read
  }
  std::ranges::stable_sort(findings, std::ranges::greater{}, &finding::severity);
  return findings;
}

}  // namespace imgsim
