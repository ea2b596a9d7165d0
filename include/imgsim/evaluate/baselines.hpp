// What an encoder has to beat: features that need no training. All take decoded photos of one size and give rows to
// search with the cosine. principal_components.hpp has one more.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/image/photo_batch.hpp>
#include <imgsim/image/resize.hpp>

namespace imgsim {

/// Side of the thumbnail that photos are compared by, in pixels.
inline constexpr std::size_t kThumbnailSide = 16;

inline constexpr std::size_t kHueBins = 12;
inline constexpr std::size_t kSaturationBins = 4;
inline constexpr std::size_t kValueBins = 4;
inline constexpr std::size_t kHistogramBins = kHueBins * kSaturationBins * kValueBins;

namespace detail {

/// Bin of an RGB pixel: hue in twelfths of the circle, first bin from red to orange (grey counts as red), then
/// saturation and value in quarters. Integers throughout, so that no pixel is on the wrong side of an edge.
[[nodiscard]] inline std::size_t histogram_bin(int red, int green, int blue) noexcept {
  const int value = std::max({red, green, blue});
  const int chroma = value - std::min({red, green, blue});
  int hue = 0;  // in units of 1 / (6 chroma) of the circle
  if (chroma > 0) {
    if (value == red)
      hue = green >= blue ? green - blue : 6 * chroma + (green - blue);
    else if (value == green)
      hue = 2 * chroma + (blue - red);
    else
      hue = 4 * chroma + (red - green);
  }
  constexpr int kBinsASector = static_cast<int>(kHueBins) / 6;
  const int hue_bin = chroma > 0 ? hue * kBinsASector / chroma : 0;
  const int saturation_bin =
      value > 0 ? std::min(chroma * static_cast<int>(kSaturationBins) / value, static_cast<int>(kSaturationBins) - 1)
                : 0;
  const int value_bin = value * static_cast<int>(kValueBins) / 256;
  const int bin =
      (hue_bin * static_cast<int>(kSaturationBins) + saturation_bin) * static_cast<int>(kValueBins) + value_bin;
  return static_cast<std::size_t>(bin);
}

}  // namespace detail

/// Pixels of photos [B, H, W, 3], resized to [height, width] where that is another size (image/resize.hpp), in [0, 1]:
/// [B, height * width * 3]. Raw pixels, or thumbnails.
template <execution_context Context>
[[nodiscard]] tensor<float, 2> pixel_features(const Context& context, view<const std::uint8_t, 4> photos,
                                              std::size_t height, std::size_t width) {
  check_photos(photos);
  tensor<float, 2> features({photos.extent(0), height * width * 3});
  context.host_pool().for_each(photos.extent(0), [&](std::size_t i) {
    tensor<std::uint8_t, 3> resized({height, width, 3});
    resize_bilinear(photo_at(photos, i), resized.view());
    std::ranges::transform(resized, features.view().row(i),
                           [](std::uint8_t level) { return static_cast<float>(level) / 255; });
  });
  return features;
}

/// Colour histograms of photos [B, H, W, 3]: [B, 192], 12 hues x 4 saturations x 4 values, as the square roots of the
/// shares of the pixels. Their cosine is the Bhattacharyya coefficient, which finds better neighbours than the cosine
/// of the shares themselves, where one large flat background outweighs all the rest.
template <execution_context Context>
[[nodiscard]] tensor<float, 2> histogram_features(const Context& context, view<const std::uint8_t, 4> photos) {
  check_photos(photos);
  tensor<float, 2> features({photos.extent(0), kHistogramBins});
  context.host_pool().for_each(photos.extent(0), [&](std::size_t i) {
    const view<const std::uint8_t, 3> photo = photo_at(photos, i);
    std::vector<std::size_t> counts(kHistogramBins);
    for (std::size_t y = 0; y < photo.extent(0); ++y)
      for (std::size_t x = 0; x < photo.extent(1); ++x)
        ++counts[detail::histogram_bin(photo(y, x, 0), photo(y, x, 1), photo(y, x, 2))];
    const auto pixels = static_cast<double>(std::max<std::size_t>(photo.extent(0) * photo.extent(1), 1));
    for (std::size_t bin = 0; bin < kHistogramBins; ++bin)
      features(i, bin) = static_cast<float>(std::sqrt(static_cast<double>(counts[bin]) / pixels));
  });
  return features;
}

}  // namespace imgsim
