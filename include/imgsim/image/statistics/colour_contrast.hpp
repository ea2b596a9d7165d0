// Which colours a photo has, and whether they are flat, soft or sharp where they are: a joint histogram, wherever in
// the photo they stand (in the spirit of border/interior classification: Stehling, Nascimento and Falcao, 2002,
// doi:10.1145/584792.584812).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <imgsim/core/view.hpp>
#include <imgsim/image/photo_batch.hpp>

namespace imgsim {

inline constexpr std::size_t kColourLevels = 6;  ///< of each of red, green and blue
inline constexpr std::size_t kContrasts = 3;     ///< flat, soft, sharp
inline constexpr std::size_t kColourFeatures = kColourLevels * kColourLevels * kColourLevels * kContrasts;
/// Differences of luma over two pixels, as parts of its range, from which a pixel is soft, and sharp.
inline constexpr std::array<double, 2> kContrastSteps{0.08, 0.24};

/// Square roots of the shares of the pixels with each colour and contrast, contrasts innermost: `out` has
/// kColourFeatures. Their cosine is the Bhattacharyya coefficient.
inline void colour_contrast(view<const std::uint8_t, 3> photo, std::span<float> out) {
  const std::size_t height = photo.extent(0);
  const std::size_t width = photo.extent(1);
  std::vector<int> lumas(height * width);
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x) lumas[y * width + x] = luma(&photo(y, x, 0));
  std::array<std::size_t, kColourFeatures> counts{};
  for (std::size_t y = 0; y < height; ++y) {
    const bool rim = y == 0 || y + 1 == height;
    for (std::size_t x = 0; x < width; ++x) {
      const int* at = &lumas[y * width + x];
      const double dx = x == 0 || x + 1 == width ? 0 : at[1] - at[-1];
      const double dy = rim ? 0 : at[width] - *(at - width);
      const double steepness = (dx * dx + dy * dy) / (static_cast<double>(kLumaScale) * kLumaScale);
      std::size_t bin = 0;
      for (std::size_t c = 0; c < 3; ++c) bin = bin * kColourLevels + photo(y, x, c) * kColourLevels / 256;
      bin *= kContrasts;
      for (const double step : kContrastSteps) bin += steepness >= step * step ? 1 : 0;
      ++counts[bin];
    }
  }
  const auto pixels = static_cast<double>(std::max<std::size_t>(height * width, 1));
  for (std::size_t bin = 0; bin < kColourFeatures; ++bin)
    out[bin] = static_cast<float>(std::sqrt(static_cast<double>(counts[bin]) / pixels));
}

}  // namespace imgsim
