// Tropical fish in water of any colour, with plants and bubbles.
#include "scenes.hpp"

namespace imgsim::sample_set {

namespace {

void paint_one_fish(picture& scene, chance& random, point centre, float scale, bool mirrored, float tilt) {
  const pose stand(centre, scale, tilt, mirrored);
  const float height = random.in(0.36f, 0.66f), tail = random.in(0.3f, 0.5f);
  const rgb body = random.vivid(), mark = random.happens(0.5f) ? rgb{0.97f, 0.96f, 0.93f} : random.vivid() * 0.55f;
  const rgb fin = mix(body, mark, 0.4f) * 0.85f;
  const int pattern = random.in(0, 3);
  const float bands = random.in(2.5f, 5.5f), phase = random.in(0.0f, kTurn);
  const std::uint32_t seed = random.seed();
  const auto local_paint = [&](auto&& distance, auto&& colour, float opacity = 1.0f) {
    scene.paint(
        centre, 1.7f * scale, [&](point p) { return distance(stand.local(p)) * scale; },
        [&](point p) { return colour(stand.local(p)); }, opacity);
  };
  // It swims to the right: tail at x = -1.
  const std::array<point, 4> tail_fin{{{-0.75f, 0}, {-1.4f, -tail}, {-1.2f, 0}, {-1.4f, tail}}};
  const std::array<point, 4> back_fin{
      {{0.35f, -height * 0.8f}, {-0.2f, -height * 1.5f}, {-0.7f, -height * 1.1f}, {-0.6f, -height * 0.3f}}};
  const std::array<point, 4> belly_fin{
      {{0.1f, height * 0.8f}, {-0.25f, height * 1.4f}, {-0.5f, height * 1.1f}, {-0.45f, height * 0.4f}}};
  const auto rays = [&](point q) { return fin * (0.85f + 0.25f * std::sin(26 * std::atan2(q.y, q.x + 0.4f))); };
  local_paint([&](point q) { return polygon(q, tail_fin) - 0.04f; }, rays);
  local_paint([&](point q) { return polygon(q, back_fin) - 0.03f; }, rays);
  local_paint([&](point q) { return polygon(q, belly_fin) - 0.03f; }, rays);
  const auto shape = [&](point q) {
    return ellipse({q.x * (1 + 0.12f * q.x), q.y * (1 - 0.22f * q.x)}, 0.98f, height);
  };
  local_paint(shape, [&](point q) {
    rgb colour = mix(body, {1, 1, 1}, 0.35f * smooth(-0.1f, height, q.y));
    if (pattern == 0) colour = mix(colour, mark, smooth(0.25f, 0.4f, std::sin(q.x * bands * 2 + phase)));
    if (pattern == 1) colour = mix(colour, mark, smooth(0.25f, 0.4f, std::sin(q.y * bands * 4 + phase)));
    if (pattern == 2) colour = mix(colour, mark, smooth(0.15f, 0.3f, gradient_noise(q * (bands + 1), seed)));
    if (pattern == 3) colour = mix(colour, mark, smooth(-0.1f, 0.25f, q.x + 0.3f * std::sin(phase)));
    const float scales = 0.06f * std::sin(28 * q.x + 9 * q.y) * std::sin(28 * q.y - 5 * q.x);
    return colour * (1.08f + scales - 0.5f * smooth(0.1f, height, std::abs(q.y + 0.1f)));
  });
  local_paint(
      [&](point q) { return std::abs(circle(q - point{0.32f, 0}, 0.4f)) - 0.015f + (q.x < 0.5f ? 1.0f : 0.0f); },
      [&](point) { return body * 0.55f; }, 0.7f);
  local_paint([&](point q) { return ellipse(rotated(q - point{0.05f, 0.12f}, 0.4f), 0.26f, 0.1f); }, rays);
  local_paint([&](point q) { return circle(q - point{0.62f, -0.12f}, 0.11f); },
              [](point) { return rgb{0.97f, 0.97f, 0.92f}; });
  local_paint([&](point q) { return circle(q - point{0.64f, -0.12f}, 0.062f); },
              [](point) { return rgb{0.05f, 0.05f, 0.07f}; });
}

}  // namespace

void paint_fish(picture& scene, chance& random) {
  const float hue = random.happens(0.85f) ? random.in(0.42f, 0.64f) : random.in(0.0f, 1.0f),
              value = random.in(0.3f, 0.85f);
  const rgb shallow = hsv(hue, random.in(0.3f, 0.65f), value), deep = hsv(hue + 0.04f, 0.75f, value * 0.4f);
  const std::uint32_t seed = random.seed();
  const float ripples = random.in(2.5f, 5.0f), glitter = random.in(0.05f, 0.3f);
  scene.shade([&](point p, rgb) {
    const rgb water = mix(shallow, deep, smooth(-1.1f, 1.2f, p.y));
    const float warp = gradient_noise(p * 2, seed);
    const float ray =
        std::pow(1 - std::abs(gradient_noise({p.x * ripples + warp, p.y * ripples * 0.6f}, seed + 5)), 6.0f);
    return water + shallow * (glitter * ray * smooth(1.0f, -0.8f, p.y));
  });
  if (random.happens(0.6f)) {
    const float level = random.in(0.6f, 0.85f);
    const rgb sand = mix(hsv(random.in(0.06f, 0.14f), 0.35f, 0.8f), deep, 0.45f);
    scene.paint(
        {0, 1}, 1.2f, [&](point p) { return level + 0.1f * gradient_noise({p.x * 2, 3}, seed) - p.y; },
        [&](point p) { return sand * (1 + 0.3f * gradient_noise(p * 22, seed)); });
  }
  const int plants = random.in(0, 4);
  for (int i = 0; i < plants; ++i) {
    const float x = random.in(-1.0f, 1.0f), tall = random.in(0.4f, 1.0f), sway = random.in(0.04f, 0.12f),
                phase = random.in(0.0f, kTurn);
    const rgb leaf = mix(hsv(random.in(0.2f, 0.45f), 0.7f, 0.5f), deep, 0.4f);
    scene.paint(
        {x, 1 - tall / 2}, tall,
        [&](point p) {
          const float up = (1 - p.y) / tall;
          const float middle = x + sway * std::sin(5 * up + phase);
          return std::max(std::abs(p.x - middle) - 0.045f * (1 - up), up - 1);
        },
        leaf);
  }
  const int bubbles = random.in(0, 7);
  for (int i = 0; i < bubbles; ++i) {
    const point at{random.in(-1.0f, 1.0f), random.in(-1.0f, 0.6f)};
    const float radius = random.in(0.015f, 0.05f);
    scene.paint(
        at, radius, [&](point p) { return std::abs(circle(p - at, radius)) - 0.006f; }, rgb{0.9f, 0.97f, 1.0f}, 0.7f);
  }
  const int count = random.happens(0.35f) ? random.in(2, 3) : 1;
  for (int i = 0; i < count; ++i) {
    const float scale = count == 1 ? random.in(0.42f, 0.66f) : random.in(0.26f, 0.42f);
    const float spread = count == 1 ? 0.22f : 0.55f;
    paint_one_fish(scene, random, {random.in(-spread, spread), random.in(-spread, spread)}, scale, random.happens(0.5f),
                   random.in(-0.35f, 0.35f));
  }
}

}  // namespace imgsim::sample_set
