// A skyline by day or night: rows of towers with windows, near ones darker.
#include <vector>

#include "scenes.hpp"
#include "sky.hpp"

namespace imgsim::sample_set {

namespace {

struct tower {
  float x = 0, half_width = 0, top = 0;
  rgb wall;
  int crown = 0;  // 0 flat, 1 antenna, 2 spire, 3 step
};

void paint_tower(picture& scene, const tower& t, float foot, float lit, rgb glow, float grid, std::uint32_t seed) {
  const float height = (foot - t.top) / 2;
  const point centre{t.x, t.top + height};
  const float reach = std::max(height, t.half_width) + 0.35f;
  if (t.crown == 1)
    scene.paint(
        centre, reach, [&](point p) { return capsule(p, {t.x, t.top}, {t.x, t.top - 0.16f}, 0.008f); }, t.wall * 0.7f);
  if (t.crown == 2) {
    const std::array<point, 3> spire{
        {{t.x - t.half_width, t.top}, {t.x + t.half_width, t.top}, {t.x, t.top - 2.2f * t.half_width}}};
    scene.paint(centre, reach, [&](point p) { return polygon(p, spire); }, t.wall * 0.85f);
  }
  if (t.crown == 3)
    scene.paint(
        centre, reach, [&](point p) { return box(p - point{t.x, t.top}, t.half_width * 0.6f, 0.09f); }, t.wall * 0.92f);
  scene.paint(
      centre, reach, [&](point p) { return box(p - centre, t.half_width, height); },
      [&](point p) {
        const float side = (p.x - t.x) / t.half_width;
        const rgb wall = t.wall * (1 - 0.16f * side - (side > 0.35f ? 0.14f : 0.0f));
        const float wx = (p.x - t.x + t.half_width) / grid, wy = (p.y - t.top) / (grid * 1.25f);
        const float fx = wx - floor_of(wx), fy = wy - floor_of(wy);
        const bool window = fx > 0.28f && fx < 0.78f && fy > 0.3f && fy < 0.78f && wy > 0.6f;
        if (!window) return wall;
        const auto ix = static_cast<std::int32_t>(wx), iy = static_cast<std::int32_t>(wy);
        const float draw = lattice_uniform(ix, iy, seed);
        return draw < lit ? glow * (0.75f + 0.4f * lattice_uniform(ix, iy, seed + 1)) : wall * 0.62f;
      });
}

}  // namespace

void paint_city(picture& scene, chance& random) {
  const float foot = random.in(0.62f, 1.0f);
  const sky above = paint_sky(scene, random, foot);
  if (random.happens(0.4f)) paint_sun(scene, random, above, {random.in(-0.8f, 0.8f), random.in(-0.8f, -0.2f)});
  const bool evening = above.night || random.happens(0.2f);
  const rgb glow =
      evening ? mix(rgb{1.0f, 0.84f, 0.45f}, {0.8f, 0.92f, 1.0f}, random.in(0.0f, 0.5f)) : rgb{0.72f, 0.84f, 0.94f};
  const float lit = evening ? random.in(0.35f, 0.75f) : random.in(0.3f, 0.9f);
  const float hue = random.in(0.0f, 1.0f), colourful = random.in(0.05f, 0.35f);
  const int layers = random.in(2, 3);
  for (int layer = 0; layer < layers; ++layer) {
    const float depth = static_cast<float>(layers - 1 - layer) / static_cast<float>(layers);
    const float tallest = random.in(0.7f, 1.35f) * (0.75f + 0.35f * depth);
    for (float x = -1.1f; x < 1.1f;) {
      tower t;
      t.half_width = random.in(0.07f, 0.19f);
      t.x = x + t.half_width;
      t.top = foot - tallest * random.in(0.35f, 1.0f);
      t.crown = random.in(0, 6);
      const rgb wall = hsv(hue + random.in(-0.08f, 0.08f), colourful, random.in(0.4f, 0.75f)) * above.light;
      t.wall = mix(wall * (above.night ? 0.45f : 0.9f), above.horizon, 0.75f * depth);
      paint_tower(scene, t, foot + 0.05f, lit * (1 - 0.5f * depth), mix(glow, above.horizon, 0.6f * depth),
                  random.in(0.045f, 0.07f), random.seed());
      x += 2 * t.half_width + random.in(-0.03f, 0.08f);
    }
  }
  const bool water = random.happens(0.5f);
  const std::uint32_t seed = random.seed();
  const rgb ground = water ? mix(above.horizon, {0.1f, 0.2f, 0.32f}, 0.55f) * above.light : rgb{0.16f, 0.17f, 0.19f};
  scene.paint(
      {0, 1}, 1.2f, [&](point p) { return foot - p.y; },
      [&](point p) {
        const float wave = water ? fractal_noise({p.x * 3, p.y * 22}, seed, 3) : 0.15f * gradient_noise(p * 18, seed);
        return ground * (1 + 0.45f * wave);
      });
}

}  // namespace imgsim::sample_set
