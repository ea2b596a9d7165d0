// Photos in files, to be decoded and encoded.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "device/compute.hpp"

#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/image/folder.hpp>
#include <imgsim/image/photo_loader.hpp>

namespace imgsim::app {

/// Photos that are decoded and encoded at a time.
inline constexpr std::size_t kEncodeBatch = 32;

struct photo_files {
  std::filesystem::path root;
  std::span<const std::string> paths;  // relative to it
  std::size_t threads = 0;             // that decode; 0: one per hardware thread
  decode_limits limits;
};

/// Up to kEncodeBatch of them, in their order.
struct encoded_batch {
  std::span<const std::size_t> rows;      // positions in `paths` of those that decoded
  matrix_view<const float> embeddings;    // [rows, D]
  std::span<const skipped_file> skipped;  // the others
};

[[nodiscard]] inline loader_options loader_options_for(const encoder& encoder, const photo_files& files) {
  return {.height = encoder.height(),
          .width = encoder.width(),
          .batch = kEncodeBatch,
          .threads = files.threads,
          .limits = files.limits};
}

/// encoder::encode_files() in this process, decoding ahead while it encodes.
inline void encode_files_here(encoder& encoder, const photo_files& files,
                              const std::function<void(const encoded_batch&)>& use) {
  photo_loader loader(files.root, {files.paths.begin(), files.paths.end()}, loader_options_for(encoder, files));
  tensor<float, 2> embeddings({kEncodeBatch, encoder.dimension()});
  while (std::optional<photo_batch> batch = loader.next()) {
    const matrix_view<float> rows = embeddings.view().slice(0, batch->rows.size());
    encoder.encode(batch->pixels.view(), rows);
    use({.rows = batch->rows, .embeddings = rows, .skipped = batch->skipped});
    loader.recycle(std::move(*batch));
  }
}

}  // namespace imgsim::app
