// Small photos in three folders, a model trained on them for two epochs, and an index: made once for all tests here.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <imgsim/core/file.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/image/encode.hpp>
#include <imgsim/image/image.hpp>

#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"

namespace imgsim_test {

/// A 40 x 32 photo: noise of a class's own colour with a disc in it, placed by `seed`.
[[nodiscard]] inline imgsim::rgb_image draw_photo(std::size_t label, std::uint64_t seed) {
  constexpr std::uint8_t kColours[3][3] = {{200, 60, 40}, {40, 160, 60}, {50, 70, 200}};
  imgsim::random_stream random(seed, label);
  const double x0 = random.uniform(10, 30), y0 = random.uniform(8, 24), radius = random.uniform(4, 8);
  imgsim::rgb_image photo{.width = 40, .height = 32, .pixels = {}};
  for (std::size_t y = 0; y < photo.height; ++y) {
    for (std::size_t x = 0; x < photo.width; ++x) {
      const bool inside = std::hypot(static_cast<double>(x) - x0, static_cast<double>(y) - y0) < radius;
      for (std::size_t c = 0; c < 3; ++c) {
        const double level = (inside ? 255.0 - kColours[label][c] : kColours[label][c]) + random.uniform(-20, 20);
        photo.pixels.push_back(static_cast<std::uint8_t>(std::clamp(level, 0.0, 255.0)));
      }
    }
  }
  return photo;
}

inline void write_photo(const std::filesystem::path& path, std::size_t label, std::uint64_t seed) {
  std::filesystem::create_directories(path.parent_path());
  imgsim::write_file(path, imgsim::encode_png(draw_photo(label, seed).view()));
}

constexpr const char* kTinyArchitecture = R"({
  "name": "tiny", "input": [32, 32, 3],
  "encoder": [{"type": "convolution", "filters": 8, "kernel": [3, 3], "stride": [2, 2]}, {"type": "relu"},
              {"type": "convolution", "filters": 8, "kernel": [3, 3], "stride": [2, 2]}, {"type": "relu"}],
  "decoder": [{"type": "upsampling", "factor": 4, "interpolation": "nearest"},
              {"type": "convolution", "filters": 3, "kernel": [3, 3]}, {"type": "sigmoid"}],
  "loss": "mean_squared_error", "training": {"epochs": 2, "batch": 8, "learning_rate": 0.01},
  "embedding": {"taps": [{"layer": "code", "pool": "mean", "grid": 2}], "centre": true, "whiten": 8,
                "shrinkage": 0.1, "normalise": true}})";

constexpr std::size_t kLabels = 3;
constexpr std::size_t kPhotosOfLabel = 8;

class trained_folder {
 public:
  trained_folder() {
    const char* const names[kLabels] = {"red", "green", "blue"};
    for (std::size_t label = 0; label < kLabels; ++label) {
      for (std::size_t i = 0; i < kPhotosOfLabel; ++i)
        write_photo(photo(std::string(names[label]) + "/" + std::to_string(i) + ".png"), label, i);
    }
    write_text(architecture(), kTinyArchitecture);
    static_cast<void>(must_run(
        {"train", "--images", photos(), "--model", model(), "--preset", architecture(), "--quiet", "--device", "cpu"}));
    static_cast<void>(must_run(
        {"index", "--images", photos(), "--model", model(), "--index", index(), "--quiet", "--device", "cpu"}));
  }

  [[nodiscard]] std::string photos() const { return (folder_.path() / "photos").string(); }
  [[nodiscard]] std::string photo(const std::string& name) const { return photos() + "/" + name; }
  [[nodiscard]] std::string architecture() const { return (folder_.path() / "tiny.json").string(); }
  [[nodiscard]] std::string model() const { return (folder_.path() / "tiny.safetensors").string(); }
  [[nodiscard]] std::string index() const { return (folder_.path() / "tiny.idx").string(); }

 private:
  temporary_folder folder_;
};

/// Trains the same network on the same photos.
[[nodiscard]] inline std::vector<std::string> train_line(const trained_folder& made,
                                                         const std::filesystem::path& model) {
  return {"train", "--images", made.photos(), "--preset", made.architecture(), "--model", model.string()};
}

/// Tests that change photos or the index make one of their own.
[[nodiscard]] inline const trained_folder& shared_folder() {
  static const trained_folder folder;
  return folder;
}

}  // namespace imgsim_test
