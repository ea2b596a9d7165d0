// A folder of made-up photos, an encoder that needs no network, and indexes of them.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <imgsim/core/file.hpp>
#include <imgsim/core/path_text.hpp>
#include <imgsim/embedding/index_update.hpp>

#include "support/temporary_folder.hpp"

namespace imgsim_test {

/// Files with photos' names; "bad..." as content stands for a file that does not decode.
class photo_store {
 public:
  explicit photo_store(std::filesystem::path root) : root_(std::move(root)) {
    std::filesystem::create_directories(root_);
  }

  [[nodiscard]] const std::filesystem::path& root() const noexcept { return root_; }

  /// Each call leaves a time of change of its own.
  void put(const std::string& path, std::string_view content) {
    std::filesystem::create_directories((root_ / path).parent_path());
    imgsim::write_file(root_ / path, content);
    touch(path);
  }
  void touch(const std::string& path) {
    const std::chrono::nanoseconds time(1'700'000'000'123'456'789 + ++clock_);
    std::filesystem::last_write_time(root_ / path, std::filesystem::file_time_type(std::chrono::file_clock::from_sys(
                                                       std::chrono::sys_time<std::chrono::nanoseconds>(time))));
  }
  void remove(const std::string& path) { std::filesystem::remove(root_ / path); }
  void rename(const std::string& from, const std::string& to) {
    std::filesystem::create_directories((root_ / to).parent_path());
    std::filesystem::rename(root_ / from, root_ / to);
  }

 private:
  std::filesystem::path root_;
  std::int64_t clock_ = 0;
};

inline constexpr std::size_t kToyDimension = 6;

/// What the toy encoder makes of a file: numbers that depend on its bytes and on the model alone.
inline std::vector<float> toy_embedding(const std::filesystem::path& photo, std::string_view model) {
  std::vector<std::byte> bytes = imgsim::read_file(photo, 1 << 20);
  const auto suffix = imgsim::bytes_of(model);
  bytes.insert(bytes.end(), suffix.begin(), suffix.end());
  const std::string hash = imgsim::content_hash(bytes);
  std::vector<float> embedding(kToyDimension);
  for (std::size_t d = 0; d < kToyDimension; ++d) embedding[d] = static_cast<float>(hash[d] - 'a') / 16.0f;
  return embedding;
}

struct toy_encoder {
  std::filesystem::path root;
  std::string model;
  std::vector<std::string> asked = {};  // paths that were to be encoded

  void operator()(std::span<const std::string> paths, imgsim::row_sink& rows) {
    asked.assign(paths.begin(), paths.end());
    for (std::size_t i = 0; i < paths.size(); ++i) {
      if (imgsim::text_of(imgsim::read_file(root / paths[i], 1 << 20)).starts_with("bad"))
        rows.skip({paths[i], "is not an image"});
      else
        rows.store(i, toy_embedding(root / paths[i], model));
    }
  }
};

struct toy_update {
  imgsim::update_summary summary;
  std::vector<std::string> encoded;
  bool committed = false;
};

/// What `imgsim index` does, with "model <name>" for a model file.
inline toy_update update_index(const std::filesystem::path& index, const std::filesystem::path& photos,
                               const std::string& model = "m") {
  imgsim::index_writer writer(index);
  imgsim::thread_pool pool(2);
  const std::filesystem::path model_file = index.parent_path() / (model + ".safetensors");
  if (!std::filesystem::exists(model_file)) imgsim::write_file(model_file, "model " + model);
  writer.set_photos_root(photos);
  writer.set_model(model_file);
  const imgsim::update_plan plan =
      imgsim::plan_update(imgsim::scan_folder(photos), writer.previous(), writer.model_hash(), pool);
  toy_encoder encoder{photos, model};
  toy_update result;
  result.summary = imgsim::apply_update(writer, plan, kToyDimension, encoder);
  result.encoded = encoder.asked;
  result.committed = writer.commit();
  return result;
}

/// Neighbours that satisfy the rules of the file: the rows that follow, wrapped.
inline void add_neighbours(imgsim::index_writer& writer, std::size_t m, std::size_t n) {
  imgsim::tensor<std::int64_t, 2> rows({m, n});
  imgsim::tensor<float, 2> similarity({m, n});
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      rows(i, j) = static_cast<std::int64_t>((i + j + 1) % m);
      similarity(i, j) = 1.0f - 0.25f * static_cast<float>(j);
    }
  }
  writer.set_neighbours("cosine", rows.view(), similarity.view());
}

/// A graph that satisfies the rules of its files: each row linked to the next, one line above.
inline void add_graph(imgsim::index_writer& writer, std::size_t m) {
  imgsim::tensor<std::int32_t, 2> links({m, 2}), layers({1, 3});
  for (std::size_t i = 0; i < m; ++i) {
    links(i, 0) = static_cast<std::int32_t>((i + 1) % m);
    links(i, 1) = -1;
  }
  layers(0, 1) = layers(0, 2) = -1;
  writer.set_graph({.metric = "cosine", .breadth = 16, .recall = 0.75}, links.view(), layers.view());
}

/// Two groups: the first row, and the rest.
inline std::string groups_text(std::span<const imgsim::indexed_photo> photos) {
  nlohmann::json json = {{"k", 2}, {"medoids", {0, 1}}, {"clusters", {{0}, nlohmann::json::array()}}};
  json["paths"] = nlohmann::json::array();
  for (std::size_t i = 0; i < photos.size(); ++i) {
    if (i > 0) json["clusters"][1].push_back(i);
    json["paths"].push_back(imgsim::path_to_text(photos[i].path));
  }
  return json.dump();
}

/// An index with every file that one can have.
inline void add_everything(const std::filesystem::path& index) {
  imgsim::index_writer writer(index);
  add_neighbours(writer, writer.previous()->size(), 2);
  add_graph(writer, writer.previous()->size());
  const imgsim::tensor<float, 2> centroids({2, kToyDimension});
  writer.set_groups(groups_text(writer.previous()->photos()), centroids.view());
  writer.commit();
}

/// Every file of an index folder but the lock, with its bytes.
inline std::map<std::string, std::string> contents_of(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().filename() == ".lock") continue;
    const auto bytes = imgsim::read_file(entry.path(), 1 << 24);
    files[entry.path().lexically_relative(folder).string()] = imgsim::text_of(bytes);
  }
  return files;
}

}  // namespace imgsim_test
