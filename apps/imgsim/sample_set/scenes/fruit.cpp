// A bowl of fruit on a table: apples, oranges, lemons, plums and grapes under one lamp.
#include "scenes.hpp"

namespace imgsim::sample_set {

namespace {

enum class fruit { apple, orange, lemon, plum, grapes };

/// A ball with the light from above `towards`.
void paint_ball(picture& scene, point centre, float rx, float ry, float angle, rgb skin, rgb blush, float towards,
                float pores, std::uint32_t seed) {
  const float reach = std::max(rx, ry);
  scene.paint(
      centre, reach, [&](point p) { return ellipse(rotated(p - centre, angle), rx, ry); },
      [&](point p) {
        const point d = p - centre;
        const point q{d.x / rx, d.y / ry};
        const float height = std::sqrt(std::max(1 - dot(q, q), 0.0f));
        const float lambert = std::clamp(0.45f * towards * q.x - 0.55f * q.y + 0.7f * height, 0.0f, 1.0f);
        const rgb colour = mix(skin, blush, smooth(0.1f, 0.7f, gradient_noise(q * 1.2f, seed) + 0.25f));
        const float shine = smooth(0.25f, 0.0f, length(q - point{0.38f * towards, -0.45f}));
        return colour * (0.3f + 0.85f * lambert + pores * gradient_noise(p * 45, seed)) +
               rgb{1, 1, 1} * (0.5f * shine * shine);
      });
}

void paint_piece(picture& scene, chance& random, fruit kind, point centre, float radius, float towards) {
  const std::uint32_t seed = random.seed();
  const float angle = random.in(-0.7f, 0.7f);
  const auto ball = [&](float rx, float ry, rgb skin, rgb blush, float pores) {
    paint_ball(scene, centre, rx * radius, ry * radius, angle, skin, blush, towards, pores, seed);
  };
  switch (kind) {
    case fruit::apple: {
      const std::array<rgb, 3> skins{{{0.8f, 0.13f, 0.14f}, {0.55f, 0.75f, 0.2f}, {0.92f, 0.72f, 0.2f}}};
      ball(1.0f, 0.94f, random.pick(skins), random.pick(skins), 0.0f);
      const point stem = rotated({0, -0.85f * radius}, angle);
      scene.paint(
          centre, 1.6f * radius,
          [&](point p) {
            return capsule(p - centre, stem, stem + rotated({0.12f, -0.4f}, angle) * radius, 0.05f * radius);
          },
          rgb{0.3f, 0.19f, 0.09f});
      break;
    }
    case fruit::orange:
      ball(1.0f, 1.0f, hsv(random.in(0.05f, 0.09f), 0.95f, 0.97f), {0.97f, 0.58f, 0.12f}, 0.1f);
      break;
    case fruit::lemon:
      ball(1.2f, 0.8f, hsv(random.in(0.13f, 0.16f), 0.8f, 0.97f), {0.93f, 0.88f, 0.3f}, 0.07f);
      break;
    case fruit::plum:
      ball(0.9f, 0.8f, hsv(random.in(0.75f, 0.93f), 0.6f, 0.42f), {0.4f, 0.24f, 0.5f}, 0.0f);
      break;
    case fruit::grapes: {
      const rgb skin = random.happens(0.5f) ? rgb{0.62f, 0.75f, 0.3f} : rgb{0.38f, 0.16f, 0.36f};
      for (int row = 0; row < 4; ++row) {
        for (int i = 0; i < 4 - row; ++i) {
          const point at = centre + point{(static_cast<float>(i) - 0.5f * static_cast<float>(3 - row)) * 0.62f,
                                          (static_cast<float>(row) - 1.2f) * 0.55f} *
                                        radius;
          paint_ball(scene, at, 0.37f * radius, 0.37f * radius, 0, skin * random.in(0.85f, 1.15f), skin, towards, 0.0f,
                     seed);
        }
      }
      break;
    }
  }
}

}  // namespace

void paint_fruit(picture& scene, chance& random) {
  const float table = random.in(0.05f, 0.4f), towards = random.sign();
  const rgb wall = hsv(random.in(0.0f, 1.0f), random.in(0.05f, 0.45f), random.in(0.25f, 0.9f));
  const bool wooden = random.happens(0.6f);
  const rgb top = wooden ? hsv(random.in(0.05f, 0.1f), random.in(0.4f, 0.65f), random.in(0.35f, 0.75f))
                         : hsv(random.in(0.0f, 1.0f), random.in(0.1f, 0.55f), random.in(0.5f, 0.92f));
  const std::uint32_t seed = random.seed();
  scene.shade([&](point p, rgb) {
    return wall * (1 + 0.28f * towards * p.x - 0.15f * p.y + 0.05f * fractal_noise(p * 4, seed, 3));
  });
  scene.paint(
      {0, 1}, 1.4f, [&](point p) { return table - p.y; },
      [&](point p) {
        if (wooden) return top * (0.95f + 0.35f * fractal_noise({p.x * 1.6f, p.y * 15}, seed, 4));
        const float u = p.x * 6 / (1 + p.y), v = 6 / (0.3f + p.y);
        const bool checked = (static_cast<int>(floor_of(u)) + static_cast<int>(floor_of(v * 3))) % 2 == 0;
        return checked ? top : mix(top, {1, 1, 1}, 0.55f);
      });
  const point centre{random.in(-0.25f, 0.25f), random.in(0.32f, 0.52f)};
  const float width = random.in(0.55f, 0.8f), depth = width * random.in(0.5f, 0.68f);
  const rgb glaze = hsv(random.in(0.0f, 1.0f), random.in(0.05f, 0.6f), random.in(0.4f, 0.95f));
  const point shadow = centre + point{-0.18f * towards, depth * 0.95f};
  scene.paint(
      shadow, 1.4f * width, [&](point p) { return ellipse(p - shadow, width * 0.85f, 0.13f); },
      rgb{0.03f, 0.02f, 0.02f}, 0.55f, 0.12f);
  scene.paint(centre, 1.2f * width, [&](point p) { return ellipse(p - centre, width, 0.16f); }, glaze * 0.45f);
  const std::array<fruit, 5> kinds{{fruit::apple, fruit::orange, fruit::lemon, fruit::plum, fruit::grapes}};
  const int back = random.in(2, 3), front = random.in(3, 4);
  for (int i = 0; i < back; ++i) {
    const float x = (static_cast<float>(i) + 0.5f) / static_cast<float>(back) - 0.5f;
    paint_piece(scene, random, random.pick(kinds), centre + point{1.15f * width * x, -random.in(0.24f, 0.42f)},
                random.in(0.18f, 0.24f), towards);
  }
  for (int i = 0; i < front; ++i) {
    const float x = (static_cast<float>(i) + 0.5f) / static_cast<float>(front) - 0.5f;
    paint_piece(scene, random, random.pick(kinds), centre + point{1.5f * width * x, -random.in(0.04f, 0.12f)},
                random.in(0.17f, 0.23f), towards);
  }
  const int bands = random.in(0, 2);
  scene.paint(
      centre, 1.2f * width,
      [&](point p) {
        const point q = p - centre;
        return std::max(ellipse(q, width, depth), -(q.y - 0.16f * (1 - q.x * q.x / (width * width))) * 0.9f);
      },
      [&](point p) {
        const point q{(p.x - centre.x) / width, (p.y - centre.y) / depth};
        const bool band = bands > 0 && std::sin(q.y * 14 * static_cast<float>(bands)) > 0.45f;
        const float shine = smooth(0.2f, 0.0f, length(q - point{0.5f * towards, 0.35f}));
        return mix(glaze, {0.98f, 0.97f, 0.94f}, band ? 0.7f : 0.0f) * (0.85f + 0.3f * towards * q.x - 0.35f * q.y) +
               rgb{1, 1, 1} * (0.3f * shine);
      });
}

}  // namespace imgsim::sample_set
