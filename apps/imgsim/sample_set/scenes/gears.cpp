// Gear wheels of brass, steel, copper or painted iron, on a plate or a drawing.
#include "scenes.hpp"

namespace imgsim::sample_set {

namespace {

struct gear {
  point centre;
  float radius = 0, turn = 0;
  int teeth = 0, holes = 0;
  float hub = 0;
  rgb metal;
};

float gear_distance(const gear& g, point p) {
  const point q = rotated(p - g.centre, -g.turn);
  const float out = length(q), teeth = static_cast<float>(g.teeth), step = kTurn / teeth;
  const float angle = std::atan2(q.y, q.x);
  const float pitch = angle / step - floor_of(angle / step + 0.5f);
  const float tooth = smooth(0.31f, 0.19f, std::abs(pitch));
  float distance = out - g.radius * (0.84f + 0.16f * tooth);
  if (g.holes > 0) {
    const float part = kTurn / static_cast<float>(g.holes), local = angle - part * floor_of(angle / part + 0.5f);
    const point at{out * std::cos(local), out * std::sin(local)};
    distance = std::max(distance, -(length(at - point{0.5f * g.radius, 0}) -
                                    std::min(0.17f, 1.1f / static_cast<float>(g.holes)) * g.radius));
  }
  return std::max(distance, -(out - g.hub * g.radius)) * 0.8f;
}

void paint_gear(picture& scene, const gear& g, point light, std::uint32_t seed) {
  const point cast = g.centre - light * 0.07f;
  gear below = g;
  below.centre = cast;
  scene.paint(
      cast, 1.1f * g.radius, [&](point p) { return gear_distance(below, p); }, rgb{0.02f, 0.02f, 0.03f}, 0.5f, 0.07f);
  scene.paint(
      g.centre, 1.05f * g.radius, [&](point p) { return gear_distance(g, p); },
      [&](point p) {
        const point q = p - g.centre;
        const float out = length(q) / g.radius, angle = std::atan2(q.y, q.x);
        // Turned metal shines in two opposite fans.
        const float fan = 0.5f + 0.5f * std::cos(2 * (angle - std::atan2(light.y, light.x)));
        const float grooves = 0.05f * std::sin(out * 90) + 0.1f * fractal_noise({out * 20, angle}, seed, 2);
        const float ring =
            smooth(0.02f, 0.0f, std::abs(out - 0.74f)) + smooth(0.02f, 0.0f, std::abs(out - g.hub - 0.1f));
        const float edge = smooth(-0.035f, 0.0f, gear_distance(g, p));
        const float bevel = edge * dot(light, q * (1 / std::max(length(q), 0.01f)));
        return g.metal * (0.66f + 0.5f * fan * fan + grooves - 0.3f * ring + 0.4f * bevel);
      });
}

}  // namespace

void paint_gears(picture& scene, chance& random) {
  const std::array<rgb, 7> metals{{{0.83f, 0.66f, 0.28f},
                                   {0.70f, 0.72f, 0.75f},
                                   {0.75f, 0.44f, 0.29f},
                                   {0.42f, 0.44f, 0.48f},
                                   {0.75f, 0.20f, 0.18f},
                                   {0.25f, 0.45f, 0.68f},
                                   {0.30f, 0.55f, 0.38f}}};
  const point light = rotated({1, 0}, random.in(0.0f, kTurn));
  const std::uint32_t seed = random.seed();
  const rgb plate = hsv(random.in(0.0f, 1.0f), random.in(0.05f, 0.55f), random.in(0.15f, 0.9f));
  const int ground = random.in(0, 2);
  const float turn = random.in(0.0f, kPi);
  scene.shade([&](point p, rgb) {
    const point q = rotated(p, turn);
    if (ground == 0)
      return plate * (0.9f + 0.3f * fractal_noise({q.x * 1.5f, q.y * 40}, seed, 3) + 0.2f * dot(light, p));
    if (ground == 1) return plate * (0.95f + 0.4f * fractal_noise(q * 2.5f, seed, 4));
    const auto ruled = [&](float v) { return smooth(0.06f, 0.02f, std::abs(v * 5 - floor_of(v * 5 + 0.5f))); };
    return mix(plate, {1, 1, 1}, 0.3f * std::max(ruled(p.x), ruled(p.y)));
  });
  const int count = random.in(1, 4);
  const float module = random.in(0.045f, 0.085f);  // radius a tooth: meshing wheels share it
  gear previous;
  for (int i = 0; i < count; ++i) {
    gear g;
    g.radius = count == 1 ? random.in(0.6f, 0.85f) : random.in(0.26f, 0.58f);
    g.teeth = std::max(8, static_cast<int>(std::lround(g.radius / module)));
    g.holes = random.happens(0.7f) ? random.in(3, 7) : 0;
    g.hub = random.in(0.08f, 0.2f);
    g.metal = random.pick(metals) * random.in(0.85f, 1.1f);
    g.turn = random.in(0.0f, kTurn);
    const float spread = count == 1 ? 0.2f : 0.5f;
    if (i == 0) {
      g.centre = {random.in(-spread, spread), random.in(-spread, spread)};
    } else {  // beside the previous one, towards the middle
      const float towards = std::atan2(-previous.centre.y, -previous.centre.x) + random.in(-0.9f, 0.9f);
      g.centre = previous.centre + point{std::cos(towards), std::sin(towards)} * (0.92f * (previous.radius + g.radius));
    }
    paint_gear(scene, g, light, seed + static_cast<std::uint32_t>(i));
    previous = g;
  }
}

}  // namespace imgsim::sample_set
