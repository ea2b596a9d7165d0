// Trees behind trees: conifers or leafy ones, in summer, autumn or snow, paler with distance.
#include "scenes.hpp"
#include "sky.hpp"

namespace imgsim::sample_set {

namespace {

void paint_conifer(picture& scene, chance& random, point foot, float height, rgb leaf, rgb trunk, float snow) {
  const int tiers = random.in(4, 6);
  const float half = height * random.in(0.2f, 0.3f);
  const std::uint32_t seed = random.seed();
  const point middle{foot.x, foot.y - height / 2};
  scene.paint(
      middle, height, [&](point p) { return capsule(p, foot, {foot.x, foot.y - height * 0.3f}, height * 0.028f); },
      trunk);
  for (int tier = 0; tier < tiers; ++tier) {
    const float share = static_cast<float>(tier) / static_cast<float>(tiers);
    const float top = foot.y - height * (0.42f + 0.58f * share), low = foot.y - height * (0.12f + 0.66f * share);
    const float width = half * (1 - 0.78f * share);
    const point centre{foot.x, (top + low) / 2};
    scene.paint(
        centre, std::max(1.25f * width, 0.55f * (low - top)),
        [&](point p) {
          const float down = (p.y - top) / (low - top);
          const float ragged = 0.18f * gradient_noise(p * (14 / height), seed + static_cast<std::uint32_t>(tier));
          return std::max(
              {(std::abs(p.x - foot.x) - width * (down + ragged)) * 0.8f, (p.y - low) + ragged * 0.1f, top - p.y});
        },
        [&](point p) {
          const float down = (p.y - top) / (low - top), side = (p.x - foot.x) / width;
          const float speckle = gradient_noise(p * 30, seed);
          const rgb needle = leaf * (1.12f - 0.4f * down - 0.22f * side + 0.25f * speckle);
          return mix(needle, {0.95f, 0.97f, 1.0f}, snow * smooth(0.75f, 0.35f, down + 0.3f * speckle));
        });
  }
}

void paint_leafy(picture& scene, chance& random, point foot, float height, rgb leaf, rgb trunk) {
  const std::uint32_t seed = random.seed();
  const point crown{foot.x, foot.y - height * 0.66f};
  const float lean = random.in(-0.06f, 0.06f) * height, thick = height * random.in(0.03f, 0.05f);
  scene.paint(
      {foot.x, foot.y - height / 2}, height,
      [&](point p) {
        return capsule(p, foot, {crown.x + lean, crown.y}, thick * (0.6f + 0.5f * (p.y - crown.y) / height));
      },
      [&](point p) { return trunk * (0.95f + 0.4f * gradient_noise({p.x * 50, p.y * 6}, seed)); });
  const int clumps = random.in(4, 7);
  for (int i = 0; i < clumps; ++i) {
    const point at = crown + point{random.in(-0.24f, 0.24f), random.in(-0.2f, 0.16f)} * height;
    const float radius = height * random.in(0.15f, 0.24f), tone = random.in(0.85f, 1.12f);
    scene.paint(
        at, radius * 1.4f,
        [&](point p) { return circle(p - at, radius) + radius * 0.4f * fractal_noise(p * (5 / height), seed, 3); },
        [&](point p) {
          const point q = (p - at) * (1 / radius);
          const float speckle = gradient_noise(p * 34, seed + 3);
          return leaf * (tone * (0.9f - 0.3f * q.y - 0.15f * q.x + 0.35f * speckle));
        });
  }
}

}  // namespace

void paint_forest(picture& scene, chance& random) {
  const float ground_level = random.in(0.3f, 0.7f);
  const sky above = paint_sky(scene, random, ground_level);
  const int season = random.in(0, 3);  // summer, summer, autumn, winter
  const bool conifers = season == 3 || random.happens(0.5f);
  const float snow = season == 3 ? random.in(0.5f, 0.95f) : 0.0f, dim = above.night ? 0.75f : 1.0f;
  const std::uint32_t seed = random.seed();
  const rgb ground = season == 3   ? rgb{0.88f, 0.91f, 0.96f}
                     : season == 2 ? rgb{0.58f, 0.42f, 0.22f}
                                   : hsv(random.in(0.18f, 0.33f), 0.5f, 0.5f);
  scene.paint(
      {0, 0.8f}, 1.6f, [&](point p) { return ground_level + 0.07f * fractal_noise({p.x * 2, 1}, seed, 3) - p.y; },
      [&](point p) {
        const rgb soil = ground * above.light * dim * (0.95f + 0.3f * fractal_noise({p.x * 8, p.y * 20}, seed, 3));
        return mix(mix(soil, above.horizon, 0.5f), soil, smooth(ground_level, 1.0f, p.y));
      });
  const int rows = random.in(2, 3);
  for (int row = 0; row < rows; ++row) {
    const float near = static_cast<float>(row + 1) / static_cast<float>(rows);
    const int trees = row + 1 == rows ? random.in(2, 4) : random.in(5, 8);
    for (int i = 0; i < trees; ++i) {
      const float spacing = 2.2f / static_cast<float>(trees);
      const point foot{-1.1f + spacing * (static_cast<float>(i) + random.in(0.15f, 0.85f)),
                       ground_level + 0.05f + 0.35f * near * random.in(0.5f, 1.0f)};
      const float height = mix(0.5f, 1.45f, near * near) * random.in(0.75f, 1.1f);
      const rgb summer = hsv(random.in(0.2f, 0.42f), random.in(0.45f, 0.75f), random.in(0.28f, 0.58f));
      const rgb autumn = hsv(random.in(0.0f, 0.14f), random.in(0.65f, 0.9f), random.in(0.5f, 0.9f));
      const auto hazy = [&](rgb colour) { return mix(above.horizon, colour * above.light * dim, 0.3f + 0.7f * near); };
      const rgb trunk = hazy(random.happens(0.2f) ? rgb{0.85f, 0.83f, 0.78f} : rgb{0.36f, 0.25f, 0.17f});
      const rgb leaf = hazy(season == 2 && !conifers ? autumn : summer);
      if (conifers)
        paint_conifer(scene, random, foot, height, leaf, trunk, snow * (above.night ? 0.5f : 1.0f));
      else
        paint_leafy(scene, random, foot, height, leaf, trunk);
    }
  }
}

}  // namespace imgsim::sample_set
