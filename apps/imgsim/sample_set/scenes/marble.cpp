// Polished stone: noise warped by noise, with veins.
#include "scenes.hpp"

namespace imgsim::sample_set {

void paint_marble(picture& scene, chance& random) {
  struct stone {
    rgb ground, cloud, vein;
  };
  const std::array<stone, 8> stones{{
      {{0.93f, 0.92f, 0.90f}, {0.75f, 0.76f, 0.79f}, {0.35f, 0.36f, 0.42f}},  // Carrara
      {{0.10f, 0.10f, 0.12f}, {0.22f, 0.22f, 0.25f}, {0.90f, 0.86f, 0.74f}},  // Portoro
      {{0.10f, 0.32f, 0.25f}, {0.20f, 0.48f, 0.38f}, {0.80f, 0.90f, 0.82f}},  // Verde
      {{0.85f, 0.66f, 0.55f}, {0.93f, 0.80f, 0.70f}, {0.55f, 0.25f, 0.20f}},  // Rosso
      {{0.14f, 0.25f, 0.55f}, {0.28f, 0.42f, 0.72f}, {0.92f, 0.82f, 0.50f}},  // lapis
      {{0.80f, 0.64f, 0.38f}, {0.92f, 0.82f, 0.60f}, {0.45f, 0.28f, 0.12f}},  // onyx
      {{0.60f, 0.55f, 0.62f}, {0.76f, 0.70f, 0.78f}, {0.30f, 0.22f, 0.35f}},  // amethyst
      {{0.66f, 0.70f, 0.68f}, {0.82f, 0.85f, 0.82f}, {0.88f, 0.45f, 0.25f}},  // rust-veined grey
  }};
  const stone kind = random.pick(stones);
  const std::uint32_t seed = random.seed();
  const pose stand({random.in(-2.0f, 2.0f), random.in(-2.0f, 2.0f)}, random.in(0.45f, 1.1f), random.in(0.0f, kTurn),
                   random.happens(0.5f));
  const float warp = random.in(0.5f, 1.5f), sharp = random.in(5.0f, 12.0f), stretch = random.in(1.0f, 2.4f);
  const float veins = random.in(0.5f, 1.0f), gloss = random.in(0.0f, 0.25f), where = random.in(-0.6f, 0.6f);
  scene.shade([&](point p, rgb) {
    const point q = stand.local(p);
    const point bent{q.x + warp * fractal_noise(q, seed, 3),
                     stretch * q.y + warp * fractal_noise(q + point{5.2f, 1.3f}, seed, 3)};
    const float cloud = fractal_noise(bent * 0.9f, seed + 11, 4);
    const float thick = std::pow(1 - std::min(std::abs(gradient_noise(bent * 1.1f, seed + 23)), 1.0f), sharp);
    const float fine = std::pow(1 - std::min(std::abs(fractal_noise(bent * 2.3f, seed + 37, 2)), 1.0f), 2 * sharp);
    rgb colour = mix(kind.ground, kind.cloud, smooth(-0.5f, 0.6f, cloud));
    colour = mix(colour, kind.vein, veins * std::min(thick + 0.55f * fine, 1.0f));
    return colour * (1 + 0.05f * gradient_noise(q * 25, seed)) +
           rgb{1, 1, 1} * (gloss * smooth(0.8f, 0.0f, std::abs(p.x + p.y + where)));
  });
}

}  // namespace imgsim::sample_set
