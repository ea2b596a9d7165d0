// Colours as floats in [0, 1], and the random draws that scenes are made of.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <imgsim/core/random.hpp>

namespace imgsim::sample_set {

struct rgb {
  float r = 0, g = 0, b = 0;
  friend constexpr rgb operator+(rgb a, rgb b) { return {a.r + b.r, a.g + b.g, a.b + b.b}; }
  friend constexpr rgb operator*(rgb a, rgb b) { return {a.r * b.r, a.g * b.g, a.b * b.b}; }
  friend constexpr rgb operator*(rgb a, float f) { return {a.r * f, a.g * f, a.b * f}; }
};

constexpr float mix(float a, float b, float t) {
  return a + (b - a) * t;
}
constexpr rgb mix(rgb a, rgb b, float t) {
  return {mix(a.r, b.r, t), mix(a.g, b.g, t), mix(a.b, b.b, t)};
}

/// 0 below `low`, 1 above `high`, smooth between.
constexpr float smooth(float low, float high, float x) {
  const float t = std::clamp((x - low) / (high - low), 0.0f, 1.0f);
  return t * t * (3 - 2 * t);
}

/// Hue in turns, saturation and value in [0, 1].
inline rgb hsv(float hue, float saturation, float value) {
  const auto channel = [&](float offset) {
    const float k = std::fmod(offset + (hue - std::floor(hue)) * 6, 6.0f);
    return value - value * saturation * std::clamp(std::min(k, 4 - k), 0.0f, 1.0f);
  };
  return {channel(5), channel(3), channel(1)};
}

/// A picture's own random numbers.
class chance {
 public:
  chance(std::uint64_t seed, std::uint64_t stream) : random_(seed, stream) {}

  float in(float low, float high) { return static_cast<float>(random_.uniform(low, high)); }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_.below(bound)); }
  int in(int low, int high) {
    return low + static_cast<int>(random_.below(static_cast<std::uint64_t>(high - low + 1)));
  }
  bool happens(float probability) { return random_.uniform() < probability; }
  float sign() { return happens(0.5f) ? 1.0f : -1.0f; }
  std::uint32_t seed() { return static_cast<std::uint32_t>(random_.next() >> 32); }
  rgb vivid() { return hsv(in(0.0f, 1.0f), in(0.55f, 0.95f), in(0.65f, 0.98f)); }

  template <class T, std::size_t Size>
  const T& pick(const std::array<T, Size>& items) {
    return items[below(Size)];
  }

 private:
  random_stream random_;
};

}  // namespace imgsim::sample_set
