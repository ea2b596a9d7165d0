// An index's manifest: imgsim/embedding/manifest.hpp.
#include <imgsim/embedding/manifest.hpp>

#include "../target.hpp"

namespace imgsim_fuzz {

namespace {

bool read_manifest(std::span<const std::byte> input) {
  const std::string_view text = imgsim::text_of(input);
  static_cast<void>(imgsim::manifest_checksum_holds(text));
  return accepts([&] {
    const std::string written = imgsim::manifest_text(imgsim::parse_manifest(text, "manifest.json"));
    must(imgsim::manifest_checksum_holds(written), "what is written has its checksum");
    must(imgsim::manifest_text(imgsim::parse_manifest(written, "manifest.json")) == written, "a manifest comes back");
  });
}

std::vector<bytes> manifest_seeds() {
  imgsim::index_manifest manifest;
  manifest.imgsim_version = "0.1.0";
  manifest.photos_root = "/photos/\u00fcber";
  manifest.photos_relative_root = "../photos";
  manifest.model_hash = std::string(32, 'a');
  manifest.rows = 3;
  manifest.dimension = 4;
  for (const char* name : {imgsim::index_file::kEmbeddings, imgsim::index_file::kPhotos})
    manifest.files[name] = {.bytes = 48, .hash = std::string(32, 'b'), .shape = {3, 4}};
  std::vector<bytes> seeds{bytes_of_text(imgsim::manifest_text(manifest))};
  manifest.neighbours = imgsim::neighbours_note{.metric = "cosine", .n = 2};
  manifest.graph = imgsim::graph_note{.metric = "cosine", .breadth = 32, .recall = 0.995};
  for (const char* name :
       {imgsim::index_file::kNeighbourRows, imgsim::index_file::kNeighbourSimilarity, imgsim::index_file::kGraphLinks,
        imgsim::index_file::kGraphLayers, imgsim::index_file::kGroups, imgsim::index_file::kCentroids})
    manifest.files[name] = {.bytes = 24, .hash = std::string(32, 'c'), .shape = {3, 2}};
  manifest.skipped = {{.path = "bad/\xff.jpg", .reason = "the file ends in the middle"}};
  seeds.push_back(bytes_of_text(imgsim::manifest_text(manifest)));
  return seeds;
}

}  // namespace

const target manifest_target{"manifest", read_manifest, manifest_seeds};

}  // namespace imgsim_fuzz
