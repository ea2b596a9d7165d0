// What an embedding is made of: what the network's taps say of a photo, then the photo's own statistics.
#pragma once

#include <cstddef>
#include <cstdint>

#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/image/photo_statistics.hpp>
#include <imgsim/model/autoencoder.hpp>

namespace imgsim {

template <execution_context Context>
[[nodiscard]] std::size_t feature_width(const autoencoder<Context>& network) {
  return network.feature_size() + statistics_width(network.description().embedding);
}

/// features[B, feature_width] of photos [B, H, W, 3] of the network's size: its taps, then each statistic of
/// embedding_spec. Throws invalid_argument for shapes that do not fit, and what autoencoder::encode throws.
template <execution_context Context>
void extract_features(const Context& context, autoencoder<Context>& network, view<const std::uint8_t, 4> photos,
                      matrix_view<float> features) {
  IMGSIM_EXPECTS(features.extent(1) == feature_width(network), "features ", shape_text(features), " should have ",
                 feature_width(network), " columns");
  std::size_t first = 0;
  const auto next = [&](std::size_t width) {
    const matrix_view<float> columns(features.data() + first, {features.extent(0), width}, {features.stride(0), 1});
    first += width;
    return columns;
  };
  network.encode(photos, next(network.feature_size()));
  for (const photo_statistic statistic : network.description().embedding.statistics)
    compute_statistic(context, statistic, photos, next(entry_of(statistic).width));
}

}  // namespace imgsim
