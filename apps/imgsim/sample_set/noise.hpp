// Gradient noise and its sums over octaves (Perlin, 1985), from an integer hash: equal everywhere for equal seeds.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "shapes.hpp"

namespace imgsim::sample_set {

/// 32 well-mixed bits of a lattice point.
constexpr std::uint32_t lattice_hash(std::int32_t x, std::int32_t y, std::uint32_t seed) {
  std::uint32_t h =
      seed ^ (static_cast<std::uint32_t>(x) * 0x8da6b343u) ^ (static_cast<std::uint32_t>(y) * 0xd8163841u);
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) * 0x846ca68bu;
  return h ^ (h >> 16);
}

/// Uniform in [0, 1) for a lattice point.
constexpr float lattice_uniform(std::int32_t x, std::int32_t y, std::uint32_t seed) {
  return static_cast<float>(lattice_hash(x, y, seed) >> 8) * 0x1p-24f;
}

/// Smooth noise with a period of about one unit, roughly in [-1, 1].
inline float gradient_noise(point p, std::uint32_t seed) {
  const float fx = floor_of(p.x), fy = floor_of(p.y);
  const auto ix = static_cast<std::int32_t>(fx), iy = static_cast<std::int32_t>(fy);
  const float x = p.x - fx, y = p.y - fy;
  const auto corner = [&](std::int32_t cx, std::int32_t cy) {
    // One of 8 directions of equal length.
    const std::uint32_t h = lattice_hash(ix + cx, iy + cy, seed);
    const float dx = x - static_cast<float>(cx), dy = y - static_cast<float>(cy);
    const float u = (h & 4) ? dx : dy, v = (h & 4) ? dy : dx;
    return ((h & 1) ? u : -u) + 0.41421356f * ((h & 2) ? v : -v);
  };
  const float sx = x * x * x * (x * (x * 6 - 15) + 10), sy = y * y * y * (y * (y * 6 - 15) + 10);
  const float top = corner(0, 0) + (corner(1, 0) - corner(0, 0)) * sx;
  const float foot = corner(0, 1) + (corner(1, 1) - corner(0, 1)) * sx;
  return 1.3f * (top + (foot - top) * sy);
}

/// Octaves of noise, each twice as fine and half as strong; roughly in [-1, 1].
inline float fractal_noise(point p, std::uint32_t seed, int octaves) {
  float sum = 0, strength = 0.55f;
  for (int octave = 0; octave < octaves; ++octave) {
    sum += strength * gradient_noise(p, seed + static_cast<std::uint32_t>(octave) * 1013u);
    p = point{1.6f * p.x - 1.2f * p.y, 1.2f * p.x + 1.6f * p.y};  // twice as fine, turned so that lattices do not align
    strength *= 0.5f;
  }
  return sum;
}

/// A function of x over the picture's width, sampled once: a ridge or a hill's outline.
class outline {
 public:
  template <class Height>
  explicit outline(Height&& height) {
    for (std::size_t i = 0; i < kSamples; ++i)
      heights_[i] = height(kLow + (kHigh - kLow) * static_cast<float>(i) / static_cast<float>(kSamples - 1));
  }
  [[nodiscard]] float at(float x) const {
    constexpr float kLast = static_cast<float>(kSamples - 1);
    const float place = std::clamp((x - kLow) / (kHigh - kLow) * kLast, 0.0f, kLast - 1e-3f);
    const auto i = static_cast<std::size_t>(place);
    return heights_[i] + (heights_[i + 1] - heights_[i]) * (place - static_cast<float>(i));
  }

 private:
  static constexpr std::size_t kSamples = 321;
  static constexpr float kLow = -1.1f, kHigh = 1.1f;
  std::array<float, kSamples> heights_{};
};

}  // namespace imgsim::sample_set
