// Photos to embeddings.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "device/compute.hpp"
#include "device/file_encoding.hpp"

#include <imgsim/core/tensor.hpp>
#include <imgsim/image/folder.hpp>
#include <imgsim/image/image.hpp>

namespace imgsim::app {

/// [images.size(), D].
[[nodiscard]] tensor<float, 2> encode_images(encoder& encoder, std::span<const rgb_image* const> images);
[[nodiscard]] tensor<float, 2> encode_images(encoder& encoder, std::span<const rgb_image> images);

/// Encodes files, decoding ahead on all threads. store(position in `paths`, embedding [D]) is called once for each
/// photo that decodes, by rising position; skip(file) for the others. Throws cancelled, with `consequence`, where a
/// stop is wanted.
struct encode_files_calls {
  std::function<void(std::size_t position, std::span<const float> embedding)> store;
  std::function<void(const skipped_file& file)> skip;
  std::string consequence;  // "the index is unchanged"
};
void encode_files(session& session, encoder& encoder, const std::filesystem::path& root,
                  std::span<const std::string> paths, const encode_files_calls& calls);

/// Decodes the same files and encodes none; skip() is called as by encode_files().
void check_files(session& session, const encoder& encoder, const std::filesystem::path& root,
                 std::span<const std::string> paths, const encode_files_calls& calls);

}  // namespace imgsim::app
