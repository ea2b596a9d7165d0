// Ridges behind ridges, with snow, a sun or moon, and a meadow or lake in front.
#include "scenes.hpp"
#include "sky.hpp"

namespace imgsim::sample_set {

void paint_mountains(picture& scene, chance& random) {
  const float foot = random.in(0.4f, 0.9f), tallest = random.in(0.65f, 1.25f);
  const sky above = paint_sky(scene, random, foot);
  if (random.happens(0.6f)) paint_sun(scene, random, above, {random.in(-0.8f, 0.8f), random.in(-0.75f, -0.2f)});
  const int ridges = random.in(2, 4);
  const float side = random.sign(), snow_line = random.in(-0.5f, 0.2f), steep = random.in(0.8f, 2.0f);
  const rgb rock = hsv(random.in(0.0f, 1.0f), random.in(0.08f, 0.4f), random.in(0.3f, 0.55f));
  for (int ridge = 0; ridge < ridges; ++ridge) {
    const float near = static_cast<float>(ridge + 1) / static_cast<float>(ridges);
    const std::uint32_t seed = random.seed();
    const float level = mix(foot - 0.15f - 0.62f * tallest, foot - 0.08f, near * near), tall = mix(tallest, 0.3f, near),
                shift = random.in(-5.0f, 5.0f);
    const outline crest([&](float x) {
      const float u = x * steep + shift;
      // Folding the noise makes sharp tops of its zeros.
      const float folded = 1 - 2.1f * std::abs(gradient_noise({u, 0.5f}, seed));
      return level - tall * (0.5f * folded + 0.16f * fractal_noise({u * 4, 2}, seed, 3));
    });
    scene.paint(
        {0, 0}, 1.2f, [&](point p) { return (crest.at(p.x) - p.y) * 0.7f; },
        [&](point p) {
          const float slope = (crest.at(p.x + 0.03f) - crest.at(p.x - 0.03f)) / 0.06f;
          const float facet = fractal_noise({p.x * 7 + 2 * p.y, p.y * 4}, seed, 4);
          const float lit = 0.85f + 0.22f * std::clamp(side * slope, -1.0f, 1.0f) + 0.35f * facet;
          const rgb bare = mix(rock, hsv(0.3f, 0.4f, 0.4f), near * smooth(level - 0.1f, foot, p.y));
          const float white =
              smooth(0.12f, -0.12f, p.y - snow_line + 0.35f * facet) * (ridge < 2 || near < 0.8f ? 1.0f : 0.3f);
          const rgb ground = mix(bare * lit, rgb{0.95f, 0.97f, 1.0f} * (0.75f + 0.3f * lit), white) * above.light *
                             (above.night ? 0.85f : 1.0f);
          return mix(above.horizon, ground, 0.35f + 0.65f * near);
        });
  }
  const bool lake = random.happens(0.45f);
  const std::uint32_t seed = random.seed();
  const rgb meadow = hsv(random.in(0.15f, 0.36f), random.in(0.35f, 0.65f), random.in(0.35f, 0.65f)) * above.light *
                     (above.night ? 0.75f : 1.0f);
  scene.paint(
      {0, 1}, 1.5f, [&](point p) { return foot + (lake ? 0.0f : 0.06f * fractal_noise({p.x * 2, 4}, seed, 2)) - p.y; },
      [&](point p) {
        if (lake)
          return mix(above.horizon, above.top, smooth(foot, 1.1f, p.y)) *
                 (0.85f + 0.3f * fractal_noise({p.x * 2.5f, p.y * 24}, seed, 3));
        return meadow * (0.95f + 0.45f * fractal_noise({p.x * 6, p.y * 16}, seed, 4));
      });
}

}  // namespace imgsim::sample_set
