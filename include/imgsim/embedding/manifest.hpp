// manifest.json: what an index holds, and the checksums that tie its files together.
//
//   {"format": "imgsim-index", "version": 1, "imgsim": "0.1.0",
//    "photos": {"root": "/home/ann/photos", "relative_root": "../photos"},
//    "model_hash": "5cd99f02604161ab3e3b9b5c1002407f",
//    "rows": 4738, "dimension": 256,
//    "neighbors": {"metric": "cosine", "n": 10},                      only where neighbours are stored
//    "graph": {"metric": "cosine", "breadth": 32, "recall": 0.99},    only where a graph of them is
//    "files": {"embeddings.npy": {"bytes": 4851840, "hash": "...", "shape": [4738, 256]}, ...},
//    "skipped": [{"path": "a/b.jpg", "reason": "is not an image"}, ...],
//    "checksum": "..."}                                               of all bytes of the manifest before this field
//
// Names of files and folders are escaped as core/path_text.hpp says. Equal indexes have equal manifests: there is no
// date.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <imgsim/core/file.hpp>
#include <imgsim/core/json.hpp>
#include <imgsim/core/path_text.hpp>
#include <imgsim/core/version.hpp>
#include <imgsim/image/folder.hpp>

namespace imgsim {

/// The files of an index, by the names that scripts rely on.
namespace index_file {
inline constexpr const char* kManifest = "manifest.json";
inline constexpr const char* kEmbeddings = "embeddings.npy";
inline constexpr const char* kPhotos = "images.jsonl";
inline constexpr const char* kNeighbourRows = "neighbors_index.npy";
inline constexpr const char* kNeighbourSimilarity = "neighbors_similarity.npy";
inline constexpr const char* kGraphLinks = "graph_links.npy";
inline constexpr const char* kGraphLayers = "graph_layers.npy";
inline constexpr const char* kModel = "model.safetensors";
inline constexpr const char* kGroups = "k_groups.json";
inline constexpr const char* kCentroids = "centroids.npy";
/// All that a manifest may list.
inline constexpr const char* kListed[] = {
    kEmbeddings, kPhotos, kNeighbourRows, kNeighbourSimilarity, kGraphLinks, kGraphLayers, kModel, kGroups, kCentroids};
}  // namespace index_file

/// One line of "files".
struct stored_file {
  std::uint64_t bytes = 0;
  std::string hash;                // content_hash of its bytes
  std::vector<std::size_t> shape;  // of a matrix; empty for other files

  friend bool operator==(const stored_file&, const stored_file&) = default;
};

/// How the stored neighbours were found.
struct neighbours_note {
  std::string metric;
  std::size_t n = 0;
};

/// What the stored graph of neighbours (search/neighbour_graph.hpp) is good for.
struct graph_note {
  std::string metric;
  std::size_t breadth = 0;  // of a walk over it ...
  double recall = 0;        // ... which found this part of the 10 nearest, of a sample of the rows
};

struct index_manifest {
  static constexpr std::int64_t kVersion = 1;

  std::string imgsim_version = version;
  std::string photos_root;           // absolute
  std::string photos_relative_root;  // from the index folder, so that index and photos may move together
  std::string model_hash;            // empty where the rows come from no model file
  std::size_t rows = 0;              // M
  std::size_t dimension = 0;         // D
  std::optional<neighbours_note> neighbours;
  std::optional<graph_note> graph;
  std::map<std::string, stored_file> files;
  std::vector<skipped_file> skipped;  // by path
};

namespace detail {

inline constexpr std::uint64_t kMaxManifest = std::uint64_t{1} << 28;
inline constexpr std::string_view kChecksumField = ",\n  \"checksum\": \"";
inline constexpr std::string_view kManifestEnd = "\"\n}\n";

[[nodiscard]] inline stored_file parse_stored_file(const json_fields& entry) {
  stored_file file{.bytes = entry.integer<std::uint64_t>("bytes"), .hash = entry.text("hash"), .shape = {}};
  if (entry.has("shape")) file.shape = entry.whole_numbers("shape", entry.at("shape"));
  return file;
}

}  // namespace detail

/// The text of manifest.json, its checksum last.
[[nodiscard]] inline std::string manifest_text(const index_manifest& manifest) {
  nlohmann::ordered_json json;
  json["format"] = "imgsim-index";
  json["version"] = index_manifest::kVersion;
  json["imgsim"] = manifest.imgsim_version;
  json["photos"] = {{"root", path_to_text(manifest.photos_root)},
                    {"relative_root", path_to_text(manifest.photos_relative_root)}};
  json["model_hash"] = manifest.model_hash;
  json["rows"] = manifest.rows;
  json["dimension"] = manifest.dimension;
  if (manifest.neighbours) json["neighbors"] = {{"metric", manifest.neighbours->metric}, {"n", manifest.neighbours->n}};
  if (manifest.graph)
    json["graph"] = {
        {"metric", manifest.graph->metric}, {"breadth", manifest.graph->breadth}, {"recall", manifest.graph->recall}};
  json["files"] = nlohmann::ordered_json::object();
  for (const auto& [name, file] : manifest.files) {
    nlohmann::ordered_json& entry = json["files"][name] = {{"bytes", file.bytes}, {"hash", file.hash}};
    if (!file.shape.empty()) entry["shape"] = file.shape;
  }
  json["skipped"] = nlohmann::ordered_json::array();
  for (const skipped_file& file : manifest.skipped)
    json["skipped"].push_back({{"path", path_to_text(file.path)}, {"reason", path_to_text(file.reason)}});
  std::string text = json.dump(2);
  text.resize(text.size() - 2);  // "\n}"
  const std::string checksum = content_hash(bytes_of(text));
  return text.append(detail::kChecksumField).append(checksum).append(detail::kManifestEnd);
}

/// Whether the text is, byte for byte, what manifest_text() once wrote.
[[nodiscard]] inline bool manifest_checksum_holds(std::string_view text) {
  const std::size_t end = text.rfind(detail::kChecksumField);
  if (end == std::string_view::npos) return false;
  const std::string tail = content_hash(bytes_of(text.substr(0, end))).append(detail::kManifestEnd);
  return text.substr(end + detail::kChecksumField.size()) == tail;
}

namespace detail {

[[nodiscard]] inline bool is_of_newer_imgsim(std::string_view text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto found = json.find("version");
  return found != json.end() && found->is_number_integer() && found->get<std::int64_t>() > index_manifest::kVersion;
}

}  // namespace detail

/// Reads the text of a manifest that lies at `path`. The checksum is left to verify, so that a root folder corrected
/// by hand is no obstacle. Throws io_error where it is no manifest, damaged, or made by a newer imgsim.
[[nodiscard]] inline index_manifest parse_manifest(std::string_view text, const std::filesystem::path& path) {
  const nlohmann::json json = parse_json(text, path);
  const json_fields fields(json, path);
  if (!fields.has("format") || !is_text(json["format"], "imgsim-index"))
    fields.fail("does not describe an imgsim index");
  const auto version_found = fields.integer<std::int64_t>("version");
  if (version_found > index_manifest::kVersion)
    fields.fail(detail::concat("was made by a newer imgsim (index version ", version_found, ", this imgsim ", version,
                               " reads version ", index_manifest::kVersion, "): update imgsim"));
  if (version_found < 1) fields.fail("has an impossible version");

  index_manifest manifest;
  manifest.imgsim_version = fields.text("imgsim");
  const json_fields photos = fields.object("photos");
  manifest.photos_root = photos.file_name("root");
  manifest.photos_relative_root = photos.file_name("relative_root");
  manifest.model_hash = fields.text("model_hash");
  manifest.rows = fields.integer<std::size_t>("rows");
  manifest.dimension = fields.integer<std::size_t>("dimension");
  if (fields.has("neighbors")) {
    const json_fields note = fields.object("neighbors");
    manifest.neighbours = neighbours_note{.metric = note.text("metric"), .n = note.integer<std::size_t>("n")};
  }
  if (fields.has("graph")) {
    const json_fields note = fields.object("graph");
    manifest.graph = graph_note{.metric = note.text("metric"),
                                .breadth = note.integer<std::size_t>("breadth"),
                                .recall = note.number("recall")};
  }
  const json_fields files = fields.object("files");
  for (const auto& [name, entry] : fields.at("files").items()) {
    if (std::ranges::find(index_file::kListed, name) == std::end(index_file::kListed))
      files.fail(detail::concat("lists the unknown file \"", name, "\""));
    manifest.files.emplace(name, detail::parse_stored_file(files.object(name.c_str())));
  }
  for (const nlohmann::json& entry : fields.array("skipped")) {
    const json_fields file(entry, path, "\"skipped\": ");
    manifest.skipped.push_back({.path = file.file_name("path"), .reason = file.file_name("reason")});
  }
  const auto require = [&](bool condition, const char* reason) {
    if (!condition) fields.fail(reason);
  };
  const auto has = [&](const char* name) { return manifest.files.contains(name); };
  require(has(index_file::kEmbeddings) && has(index_file::kPhotos), "lists no embeddings or no photos");
  require(manifest.neighbours.has_value() == has(index_file::kNeighbourRows) &&
              manifest.neighbours.has_value() == has(index_file::kNeighbourSimilarity),
          "lists the neighbours only in part");
  require(manifest.graph.has_value() == has(index_file::kGraphLinks) &&
              manifest.graph.has_value() == has(index_file::kGraphLayers),
          "lists the graph of neighbours only in part");
  require(!has(index_file::kCentroids) || has(index_file::kGroups), "lists centroids without groups");
  return manifest;
}

}  // namespace imgsim
