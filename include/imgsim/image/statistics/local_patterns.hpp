// What a photo's grey levels do from pixel to pixel, wherever they do it: uniform local binary patterns (Ojala,
// Pietikainen and Maenpaa, 2002, doi:10.1109/TPAMI.2002.1017623) at three scales.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <imgsim/core/view.hpp>
#include <imgsim/image/photo_batch.hpp>

namespace imgsim {

inline constexpr std::array<std::size_t, 3> kPatternScales{1, 2, 4};  ///< sides of the blocks that are averaged first
inline constexpr std::size_t kPatternBins = 59;                       ///< 58 patterns of at most two changes, the rest
inline constexpr std::size_t kPatternFeatures = kPatternScales.size() * kPatternBins;

namespace detail {

/// Bin of each of the 256 patterns of eight neighbours around a circle.
inline constexpr auto kPatternBin = [] {
  std::array<std::uint8_t, 256> bins{};
  std::uint8_t next = 0;
  for (unsigned pattern = 0; pattern < 256; ++pattern) {
    unsigned changes = 0;
    for (unsigned bit = 0; bit < 8; ++bit) changes += (pattern >> bit & 1U) != (pattern >> (bit + 1) % 8 & 1U) ? 1 : 0;
    bins[pattern] = changes <= 2 ? next++ : static_cast<std::uint8_t>(kPatternBins - 1);
  }
  return bins;
}();

}  // namespace detail

/// Square roots of the shares of the pixels that have each pattern, scale by scale: `out` has kPatternFeatures. A
/// neighbour counts where it is lighter by more than a hundredth of the range, so that flat areas hold one pattern. A
/// scale at which the photo is smaller than 3 x 3 blocks has zeros.
inline void local_patterns(view<const std::uint8_t, 3> photo, std::span<float> out) {
  constexpr std::array<std::array<std::size_t, 2>, 8> kCircle{
      {{0, 0}, {0, 1}, {0, 2}, {1, 2}, {2, 2}, {2, 1}, {2, 0}, {1, 0}}};
  std::vector<int> blocks;
  for (std::size_t s = 0; s < kPatternScales.size(); ++s) {
    const std::size_t side = kPatternScales[s];
    const std::size_t height = photo.extent(0) / side;
    const std::size_t width = photo.extent(1) / side;
    const std::span<float> shares = out.subspan(s * kPatternBins, kPatternBins);
    std::array<std::size_t, kPatternBins> counts{};
    if (height >= 3 && width >= 3) {
      blocks.assign(height * width, 0);
      for (std::size_t y = 0; y < height * side; ++y)
        for (std::size_t x = 0; x < width * side; ++x) blocks[y / side * width + x / side] += luma(&photo(y, x, 0));
      const int threshold = kLumaScale / 100 * static_cast<int>(side * side);
      for (std::size_t y = 0; y + 2 < height; ++y)
        for (std::size_t x = 0; x + 2 < width; ++x) {
          const int centre = blocks[(y + 1) * width + x + 1] + threshold;
          unsigned pattern = 0;
          for (std::size_t k = 0; k < kCircle.size(); ++k)
            pattern |= blocks[(y + kCircle[k][0]) * width + x + kCircle[k][1]] > centre ? 1U << k : 0U;
          ++counts[detail::kPatternBin[pattern]];
        }
    }
    const double total = height >= 3 && width >= 3 ? static_cast<double>((height - 2) * (width - 2)) : 1.0;
    for (std::size_t bin = 0; bin < kPatternBins; ++bin)
      shares[bin] = static_cast<float>(std::sqrt(static_cast<double>(counts[bin]) / total));
  }
}

}  // namespace imgsim
