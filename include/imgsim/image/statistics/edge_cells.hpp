// Where in a photo edges run in which direction: histograms of oriented gradients (Dalal and Triggs, 2005,
// doi:10.1109/CVPR.2005.177) over a fixed grid, without their normalisation by block.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>

#include <imgsim/core/view.hpp>

namespace imgsim {

inline constexpr std::size_t kEdgeCells = 8;       ///< a side
inline constexpr std::size_t kEdgeDirections = 8;  ///< over half a turn: an edge and its reverse are one
inline constexpr std::size_t kEdgeFeatures = kEdgeCells * kEdgeCells * kEdgeDirections;

/// Square roots of the mean gradient of each cell along each direction, cells in row order, directions innermost:
/// `out` has kEdgeFeatures. A pixel's gradient is that of the channel where it is steepest, in levels of [0, 1] over
/// two pixels, and is shared between the two nearest directions.
inline void edge_cells(view<const std::uint8_t, 3> photo, std::span<float> out) {
  const std::size_t height = photo.extent(0);
  const std::size_t width = photo.extent(1);
  std::array<double, kEdgeFeatures> sums{};
  std::array<std::size_t, kEdgeCells * kEdgeCells> pixels{};
  for (std::size_t y = 0; y < height; ++y) {
    const std::size_t above = y > 0 && y + 1 < height ? y - 1 : y;
    const std::size_t below = y > 0 && y + 1 < height ? y + 1 : y;
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t left = x > 0 && x + 1 < width ? x - 1 : x;
      const std::size_t right = x > 0 && x + 1 < width ? x + 1 : x;
      int across = 0;
      int down = 0;
      for (std::size_t c = 0; c < 3; ++c) {
        const int dx = photo(y, right, c) - photo(y, left, c);
        const int dy = photo(below, x, c) - photo(above, x, c);
        if (dx * dx + dy * dy > across * across + down * down) {
          across = dx;
          down = dy;
        }
      }
      const std::size_t cell = y * kEdgeCells / height * kEdgeCells + x * kEdgeCells / width;
      ++pixels[cell];
      if (across == 0 && down == 0) continue;
      if (down < 0 || (down == 0 && across < 0)) {
        across = -across;
        down = -down;
      }
      constexpr float kDirectionsARadian = static_cast<float>(kEdgeDirections) / std::numbers::pi_v<float>;
      const float steepness = std::sqrt(static_cast<float>(across * across + down * down)) / 255;
      const float direction =
          std::atan2(static_cast<float>(down), static_cast<float>(across)) * kDirectionsARadian;  // in [0, 8]
      const auto first = std::min(static_cast<std::size_t>(direction), kEdgeDirections - 1);
      const float share = direction - static_cast<float>(first);
      sums[cell * kEdgeDirections + first] += steepness * (1 - share);
      sums[cell * kEdgeDirections + (first + 1) % kEdgeDirections] += steepness * share;
    }
  }
  for (std::size_t i = 0; i < kEdgeFeatures; ++i) {
    const auto count = static_cast<double>(std::max<std::size_t>(pixels[i / kEdgeDirections], 1));
    out[i] = static_cast<float>(std::sqrt(sums[i] / count));
  }
}

}  // namespace imgsim
