// A square picture that scenes are painted on, back to front, with anti-aliased edges.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <imgsim/image/image.hpp>

#include "colour.hpp"
#include "noise.hpp"
#include "shapes.hpp"

namespace imgsim::sample_set {

class picture {
 public:
  explicit picture(std::size_t size) : size_(size), pixel_(2 / static_cast<float>(size)), pixels_(size * size) {}

  /// Width of a pixel in the picture's units.
  [[nodiscard]] float pixel() const { return pixel_; }

  /// Every pixel becomes colour(point, what was there).
  template <class Colour>
  void shade(Colour&& colour) {
    for_each({-1, -1}, {1, 1}, [&](point p, rgb& here) { here = colour(p, here); });
  }

  /// Paints where distance(point) < 0, within the square of half-width `reach` around `centre`; colour(point) may
  /// depend on the place. `opacity` thins the paint, `blur` softens the edge (picture units).
  template <class Distance, class Colour>
  void paint(point centre, float reach, Distance&& distance, Colour&& colour, float opacity = 1, float blur = 0) {
    const float edge = pixel_ + blur;
    const point margin{reach + edge, reach + edge};
    for_each(centre - margin, centre + margin, [&](point p, rgb& here) {
      const float cover = std::clamp(0.5f - distance(p) / edge, 0.0f, 1.0f) * opacity;
      if (cover > 0) here = mix(here, colour(p), cover);
    });
  }

  template <class Distance>
  void paint(point centre, float reach, Distance&& distance, rgb colour, float opacity = 1, float blur = 0) {
    paint(centre, reach, distance, [colour](point) { return colour; }, opacity, blur);
  }

  /// The camera: exposure, contrast, white balance, vignette and grain, then 8 bits.
  [[nodiscard]] rgb_image develop(chance& random) const {
    const float exposure = random.in(0.82f, 1.16f), contrast = random.in(0.85f, 1.15f),
                warmth = random.in(-0.05f, 0.05f);
    const float vignette = random.in(0.0f, 0.22f), grain = random.in(0.0f, 0.035f);
    const std::uint32_t seed = random.seed();
    rgb_image image;
    image.width = image.height = size_;
    image.pixels.resize(size_ * size_ * 3);
    for (std::size_t y = 0; y < size_; ++y) {
      for (std::size_t x = 0; x < size_; ++x) {
        const point p = at(x, y);
        const float dim = exposure * (1 - vignette * 0.5f * dot(p, p));
        const auto level = [&](float value, float balance, std::int32_t channel) {
          const auto ix = static_cast<std::int32_t>(x) * 3 + channel, iy = static_cast<std::int32_t>(y);
          const float noise = lattice_uniform(ix, iy, seed) + lattice_uniform(ix, iy, seed + 1) - 1;
          const float lit = (value * dim * balance - 0.5f) * contrast + 0.5f + grain * 1.7f * noise;
          return static_cast<std::uint8_t>(std::lround(255 * std::clamp(lit, 0.0f, 1.0f)));
        };
        const rgb& from = pixels_[y * size_ + x];
        std::uint8_t* to = image.pixels.data() + 3 * (y * size_ + x);
        to[0] = level(from.r, 1 + warmth, 0);
        to[1] = level(from.g, 1, 1);
        to[2] = level(from.b, 1 - warmth, 2);
      }
    }
    return image;
  }

 private:
  [[nodiscard]] point at(std::size_t x, std::size_t y) const {
    return {(static_cast<float>(x) + 0.5f) * pixel_ - 1, (static_cast<float>(y) + 0.5f) * pixel_ - 1};
  }

  template <class Visit>
  void for_each(point low, point high, Visit&& visit) {
    const auto index = [this](float v) {
      return static_cast<std::size_t>(std::clamp((v + 1) / pixel_, 0.0f, static_cast<float>(size_)));
    };
    const std::size_t x_end = std::min(index(high.x) + 1, size_), y_end = std::min(index(high.y) + 1, size_);
    for (std::size_t y = index(low.y); y < y_end; ++y)
      for (std::size_t x = index(low.x); x < x_end; ++x) visit(at(x, y), pixels_[y * size_ + x]);
  }

  std::size_t size_;
  float pixel_;
  std::vector<rgb> pixels_;
};

}  // namespace imgsim::sample_set
