// What an encoder is judged beside, on the same photos: features that need no training, and its own network without
// training, or without what the embedding adds.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "cli/session.hpp"

#include <imgsim/core/tensor.hpp>
#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/image/image.hpp>

namespace imgsim::app {

enum class baseline_choice {
  none,
  simple,  // raw pixels, thumbnail, colour histogram, principal components
  all      // and the network untrained, and the plain code of the trained one
};

/// Rows to search with the cosine.
struct method_rows {
  std::string name;
  tensor<float, 2> gallery;  // [M, F]
  tensor<float, 2> queries;  // [Q, F]
};

struct baseline_rows {
  std::vector<std::size_t> kept;  // positions in `rows` of the photos that could be read: the M of the gallery
  std::size_t pixel_side = 0;     // of the raw pixels
  std::vector<method_rows> methods;
};

/// Features of the photos in `rows` of the index, and of `queries`, by each baseline:
///   raw_pixels, thumbnail_16x16, colour_histogram
///   pca                of the raw pixels, fitted to photos and queries
///   untrained_network  the model's architecture with fresh weights of the session's seed, the rest of its pipeline
///                      (pooling, statistics, whitening, weights) fitted to the photos: what training gains
///   autoencoder_code   the trained encoder's output, all of it, compared as it is: what the pipeline gains. Left out,
///                      which is noted, where it takes more than 1 GiB
/// Photos that can no longer be read are listed, skipped. Throws io_error where fewer than two are left, cancelled.
[[nodiscard]] baseline_rows make_baselines(session& session, const photo_index& index,
                                           std::span<const std::size_t> rows, std::span<const rgb_image> queries,
                                           baseline_choice choice);

}  // namespace imgsim::app
