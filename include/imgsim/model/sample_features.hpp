// What a trained network makes of the photos that its embedding is fitted to.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/core/context.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/model/autoencoder.hpp>
#include <imgsim/model/features.hpp>
#include <imgsim/model/photo_source.hpp>

namespace imgsim {

/// Photos that an embedding is fitted to where there are more: evenly spaced ones. Twice what the whitening looks at in
/// wide feature spaces, and far more than the directions that it keeps.
inline constexpr std::size_t kMaxFittedPhotos = 8192;

namespace detail {

/// Features of every `step`-th photo of `photos`, from the first on, into `features` from row `row` on; the row behind.
template <execution_context Context, photo_source Source>
std::size_t append_features(const Context& context, autoencoder<Context>& network, Source& photos, std::size_t step,
                            tensor<float, 2>& features, std::size_t row) {
  constexpr std::size_t kBatch = 32;
  std::vector<std::size_t> rows;
  for (std::size_t at = 0; at < photos.size(); at += step) rows.push_back(at);
  if (rows.empty()) return row;
  tensor<std::uint8_t, 4> pixels({std::min(kBatch, rows.size()), network.height(), network.width(), 3});
  photos.plan(rows, kBatch);
  for (std::size_t first = 0; first < rows.size(); first += kBatch) {
    const std::size_t count = std::min(kBatch, rows.size() - first);
    photos.load(std::span(rows).subspan(first, count), pixels.view().slice(0, count));
    extract_features(context, network, std::as_const(pixels).view().slice(0, count),
                     features.view().slice(row + first, count));
  }
  return row + rows.size();
}

}  // namespace detail

/// Features [min(M, about kMaxFittedPhotos), feature_width] of the M photos of all of `photos`, for fit_embedding():
///
///   imgsim::training_result trained = imgsim::train(network, training, validation, options);
///   network.load_state(trained.best_state);
///   const auto features = imgsim::sample_features(cpu, network, training, validation);
///   const auto embedding = imgsim::fit_embedding(cpu, features.view(), network.description().embedding);
template <execution_context Context, photo_source... Sources>
[[nodiscard]] tensor<float, 2> sample_features(const Context& context, autoencoder<Context>& network,
                                               Sources&... photos) {
  const std::size_t all = (photos.size() + ...);
  const std::size_t step = std::max<std::size_t>((all + kMaxFittedPhotos - 1) / kMaxFittedPhotos, 1);
  tensor<float, 2> features({(((photos.size() + step - 1) / step) + ...), feature_width(network)});
  std::size_t row = 0;
  ((row = detail::append_features(context, network, photos, step, features, row)), ...);
  return features;
}

}  // namespace imgsim
