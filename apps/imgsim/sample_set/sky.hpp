// Skies that several scenes stand under, so that colour alone does not tell them apart.
#pragma once

#include "picture.hpp"

namespace imgsim::sample_set {

struct sky {
  rgb top, horizon, cloud;
  rgb light;  // tints what stands under it
  bool night = false;
};

/// Draws the sky down to `horizon_y` and returns it: day, evening, morning, overcast or night.
inline sky paint_sky(picture& scene, chance& random, float horizon_y) {
  const std::array<sky, 5> kinds{{
      {{0.16f, 0.42f, 0.80f}, {0.68f, 0.85f, 0.97f}, {1.00f, 1.00f, 1.00f}, {1.00f, 0.98f, 0.94f}},
      {{0.30f, 0.24f, 0.48f}, {0.98f, 0.58f, 0.32f}, {0.95f, 0.62f, 0.55f}, {0.92f, 0.70f, 0.60f}},
      {{0.45f, 0.62f, 0.85f}, {0.99f, 0.83f, 0.76f}, {1.00f, 0.92f, 0.90f}, {1.00f, 0.90f, 0.86f}},
      {{0.55f, 0.60f, 0.66f}, {0.82f, 0.84f, 0.86f}, {0.92f, 0.93f, 0.94f}, {0.80f, 0.82f, 0.85f}},
      {{0.02f, 0.03f, 0.11f}, {0.13f, 0.17f, 0.36f}, {0.18f, 0.21f, 0.36f}, {0.50f, 0.55f, 0.74f}, true},
  }};
  sky drawn = random.pick(kinds);
  const float shift = random.in(0.88f, 1.1f);
  drawn.top = drawn.top * shift;
  const std::uint32_t seed = random.seed();
  const float cover = random.in(-0.05f, 0.45f), scale = random.in(1.1f, 2.4f), height = horizon_y + 1;
  const bool stars = drawn.night;
  scene.shade([&](point p, rgb) {
    const float down = std::clamp((p.y + 1) / height, 0.0f, 1.0f);
    rgb colour = mix(drawn.top, drawn.horizon, std::pow(down, 1.4f));
    if (stars) {
      const auto ix = static_cast<std::int32_t>(floor_of(p.x * 40)), iy = static_cast<std::int32_t>(floor_of(p.y * 40));
      if (lattice_uniform(ix, iy, seed) > 0.96f) {
        const point middle{(static_cast<float>(ix) + 0.5f) / 40, (static_cast<float>(iy) + 0.5f) / 40};
        const float glow = smooth(0.012f, 0.0f, length(p - middle)) * lattice_uniform(ix, iy, seed + 7);
        colour = mix(colour, {1.0f, 0.98f, 0.92f}, glow);
      }
    }
    const float noise = fractal_noise({p.x * scale, p.y * scale * 2.2f}, seed, 4);
    return mix(colour, drawn.cloud, 0.85f * smooth(0.5f - cover, 0.85f - cover, noise + 0.3f) * (1 - 0.5f * down));
  });
  return drawn;
}

/// A sun, or the moon of a night sky.
inline void paint_sun(picture& scene, chance& random, const sky& above, point centre) {
  const float radius = random.in(0.07f, 0.16f);
  const rgb disc =
      above.night ? rgb{0.95f, 0.94f, 0.86f} : mix(rgb{1.0f, 0.96f, 0.78f}, above.horizon, random.in(0.0f, 0.3f));
  scene.paint(
      centre, 5 * radius, [&](point p) { return circle(p - centre, 2.4f * radius); }, disc, 0.35f, 2.6f * radius);
  scene.paint(centre, radius, [&](point p) { return circle(p - centre, radius); }, disc);
}

}  // namespace imgsim::sample_set
