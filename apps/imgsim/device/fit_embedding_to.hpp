// The embedding of a trained network, fitted to the photos it was trained on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <imgsim/core/tensor.hpp>
#include <imgsim/embedding/transform.hpp>
#include <imgsim/model/autoencoder.hpp>
#include <imgsim/model/photo_source.hpp>

namespace imgsim::app {

/// Photos that the embedding is fitted to where there are more: evenly spaced ones. Twice what the whitening looks at
/// in wide feature spaces, and far more than the directions that it keeps.
inline constexpr std::size_t kMaxFittedPhotos = 2 * kMaxWhiteningSide;

template <execution_context Context, photo_source Source>
[[nodiscard]] embedding_transform fit_embedding_to(const Context& context, autoencoder<Context>& network,
                                                   Source& photos) {
  constexpr std::size_t kBatch = 32;
  const std::size_t step = (photos.size() + kMaxFittedPhotos - 1) / kMaxFittedPhotos;
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < photos.size(); row += step) rows.push_back(row);

  tensor<float, 2> features({rows.size(), network.feature_size()});
  tensor<std::uint8_t, 4> pixels({std::min(kBatch, rows.size()), network.height(), network.width(), 3});
  photos.plan(rows, kBatch);
  for (std::size_t first = 0; first < rows.size(); first += kBatch) {
    const std::size_t count = std::min(kBatch, rows.size() - first);
    photos.load(std::span(rows).subspan(first, count), pixels.view().slice(0, count));
    network.encode(std::as_const(pixels).view().slice(0, count), features.view().slice(first, count));
  }
  return fit_embedding(context, std::as_const(features).view(), network.description().embedding);
}

}  // namespace imgsim::app
