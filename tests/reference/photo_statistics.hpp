// Photo statistics in float64, written from their definitions: a pass over the photo for each number.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include <imgsim/core/view.hpp>

namespace imgsim_test::reference {

using photo_view = imgsim::view<const std::uint8_t, 3>;

inline double grey_of(photo_view photo, std::size_t y, std::size_t x) {
  return (0.299 * photo(y, x, 0) + 0.587 * photo(y, x, 1) + 0.114 * photo(y, x, 2)) / 255;
}

/// [8 x 8 cells][8 directions]: each pixel votes, by its angle's distance from a direction's, with its gradient.
inline std::vector<double> edge_cells(photo_view photo) {
  const auto height = photo.extent(0), width = photo.extent(1);
  std::vector<double> features(512);
  for (std::size_t cell = 0; cell < 64; ++cell) {
    for (std::size_t direction = 0; direction < 8; ++direction) {
      double sum = 0, pixels = 0;
      for (std::size_t y = 0; y < height; ++y) {
        for (std::size_t x = 0; x < width; ++x) {
          if (y * 8 / height * 8 + x * 8 / width != cell) continue;
          ++pixels;
          double dx = 0, dy = 0;
          for (std::size_t c = 0; c < 3; ++c) {
            const double h = x > 0 && x + 1 < width ? photo(y, x + 1, c) - photo(y, x - 1, c) : 0;
            const double v = y > 0 && y + 1 < height ? photo(y + 1, x, c) - photo(y - 1, x, c) : 0;
            if (std::hypot(h, v) > std::hypot(dx, dy) + 1e-9) dx = h, dy = v;
          }
          double turn = std::atan2(dy, dx) / std::numbers::pi * 8 - static_cast<double>(direction);
          turn = std::abs(turn - 8 * std::round(turn / 8));  // directions are the same after half a turn
          if (turn < 1) sum += (1 - turn) * std::hypot(dx, dy) / 255;
        }
      }
      features[cell * 8 + direction] = pixels > 0 ? std::sqrt(sum / pixels) : 0;
    }
  }
  return features;
}

/// [3 scales][59]: patterns are told apart by their number of changes, their number of ones and where the ones begin.
inline std::vector<double> local_patterns(photo_view photo) {
  std::vector<double> features;
  for (const std::size_t side : {1u, 2u, 4u}) {
    const std::size_t height = photo.extent(0) / side, width = photo.extent(1) / side;
    std::vector<double> grey(height * width), shares(59);
    for (std::size_t y = 0; y < height * side; ++y)
      for (std::size_t x = 0; x < width * side; ++x)
        grey[y / side * width + x / side] += grey_of(photo, y, x) / static_cast<double>(side * side);
    std::vector<unsigned> uniform;
    for (unsigned pattern = 0; pattern < 256; ++pattern) {
      unsigned changes = 0;
      for (unsigned bit = 0; bit < 8; ++bit) changes += ((pattern >> bit) & 1) != ((pattern >> ((bit + 1) & 7)) & 1);
      if (changes <= 2) uniform.push_back(pattern);
    }
    for (std::size_t y = 1; y + 1 < height; ++y) {
      for (std::size_t x = 1; x + 1 < width; ++x) {
        const std::array<std::array<int, 2>, 8> circle{
            {{-1, -1}, {-1, 0}, {-1, 1}, {0, 1}, {1, 1}, {1, 0}, {1, -1}, {0, -1}}};
        unsigned pattern = 0;
        for (unsigned k = 0; k < 8; ++k) {
          const std::size_t at =
              (y + static_cast<std::size_t>(circle[k][0])) * width + x + static_cast<std::size_t>(circle[k][1]);
          if (grey[at] - grey[y * width + x] > 0.01 + 1e-12) pattern |= 1u << k;
        }
        std::size_t bin = 58;
        for (std::size_t u = 0; u < uniform.size(); ++u) bin = uniform[u] == pattern ? u : bin;
        shares[bin] += 1 / static_cast<double>((height - 2) * (width - 2));
      }
    }
    for (const double share : shares) features.push_back(std::sqrt(share));
  }
  return features;
}

/// [6 x 6 x 6 colours][3 contrasts]
inline std::vector<double> colour_contrast(photo_view photo) {
  const auto height = photo.extent(0), width = photo.extent(1);
  std::vector<double> features(648);
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      const double dx = x > 0 && x + 1 < width ? grey_of(photo, y, x + 1) - grey_of(photo, y, x - 1) : 0;
      const double dy = y > 0 && y + 1 < height ? grey_of(photo, y + 1, x) - grey_of(photo, y - 1, x) : 0;
      const double steep = std::hypot(dx, dy);
      const std::size_t contrast = steep < 0.08 ? 0 : steep < 0.24 ? 1 : 2;
      const auto level = [&](std::size_t c) { return static_cast<std::size_t>(photo(y, x, c) * 6.0 / 256); };
      features[((level(0) * 6 + level(1)) * 6 + level(2)) * 3 + contrast] += 1 / static_cast<double>(height * width);
    }
  }
  for (double& share : features) share = std::sqrt(share);
  return features;
}

}  // namespace imgsim_test::reference
