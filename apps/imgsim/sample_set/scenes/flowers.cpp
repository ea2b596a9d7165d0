// Flowers before a blurred garden.
#include "scenes.hpp"

namespace imgsim::sample_set {

namespace {

void paint_blossom(picture& scene, chance& random, point centre, float radius) {
  const pose stand(centre, radius, random.in(0.0f, kTurn));
  const float petals = static_cast<float>(random.in(5, 12)), slim = random.in(0.4f, 1.6f),
              squash = random.in(0.8f, 1.0f);
  const rgb outer = hsv(random.in(-0.42f, 0.18f), random.in(0.55f, 0.95f), random.in(0.7f, 0.98f)),
            inner = mix(outer, random.happens(0.5f) ? rgb{1, 1, 1} : random.vivid(), random.in(0.2f, 0.7f));
  const rgb heart = random.pick(
      std::array<rgb, 4>{{{0.95f, 0.76f, 0.16f}, {0.42f, 0.24f, 0.1f}, {0.85f, 0.88f, 0.4f}, {0.2f, 0.12f, 0.16f}}});
  const float heart_radius = random.in(0.2f, 0.36f);
  const std::uint32_t seed = random.seed();
  scene.paint(
      centre + point{0.05f, 0.08f}, 1.3f * radius,
      [&](point p) { return circle(p - centre - point{0.05f, 0.08f}, radius); }, rgb{0.02f, 0.05f, 0.02f}, 0.35f,
      0.3f * radius);
  const int rings = random.in(1, 2);
  for (int ring = 0; ring < rings; ++ring) {
    const float size = ring == 0 ? 1.0f : 0.72f, turn = ring == 0 ? 0.0f : kPi / petals;
    const auto sector = [&, petals, turn](point q) {
      const float angle = (std::atan2(q.y, q.x) + turn) * petals / kTurn;
      return (angle - floor_of(angle + 0.5f)) * kTurn / petals;  // from the petal's middle line
    };
    scene.paint(
        centre, 1.15f * radius,
        [&](point p) {
          point q = stand.local(p);
          q.y /= squash;
          const float outline =
              size * (0.42f + 0.58f * std::pow(std::max(std::cos(sector(q) * petals / 2), 0.0f), slim * 0.6f));
          return (length(q) - outline) * radius * 0.8f;
        },
        [&](point p) {
          point q = stand.local(p);
          q.y /= squash;
          const float out = length(q) / size, across = std::abs(sector(q)) * petals / kPi;
          const float veins = 0.07f * std::sin(across * 22) * out;
          const rgb colour = mix(inner, outer, smooth(0.25f, 0.95f, out));
          return colour * (0.78f + 0.3f * out - 0.32f * across * across + veins) * (ring == 0 ? 0.92f : 1.05f);
        });
  }
  scene.paint(
      centre, heart_radius * radius * 1.2f, [&](point p) { return (length(stand.local(p)) - heart_radius) * radius; },
      [&](point p) {
        const point q = stand.local(p);
        const float bumps = gradient_noise(q * 26, seed);
        return heart * (1.05f + 0.45f * bumps - 0.5f * smooth(0.3f, 1.0f, length(q) / heart_radius) * 0.6f);
      });
}

}  // namespace

void paint_flowers(picture& scene, chance& random) {
  const rgb garden = hsv(random.happens(0.65f) ? random.in(0.2f, 0.42f) : random.in(0.0f, 1.0f), random.in(0.2f, 0.65f),
                         random.in(0.2f, 0.8f));
  const std::uint32_t seed = random.seed();
  scene.shade([&](point p, rgb) { return garden * (0.9f + 0.55f * fractal_noise(p * 1.3f, seed, 3)); });
  const int spots = random.in(3, 10);
  for (int i = 0; i < spots; ++i) {
    const point at{random.in(-1.1f, 1.1f), random.in(-1.1f, 1.1f)};
    const float radius = random.in(0.1f, 0.3f);
    scene.paint(
        at, radius + 0.15f, [&](point p) { return circle(p - at, radius); }, mix(garden, random.vivid(), 0.5f) * 1.15f,
        0.45f, 0.1f);
  }
  const int count = random.happens(0.45f) ? 1 : random.in(2, 4);
  for (int i = 0; i < count; ++i) {
    const float radius = count == 1 ? random.in(0.5f, 0.8f) : random.in(0.25f, 0.45f);
    const float spread = count == 1 ? 0.2f : 0.6f;
    const point centre{random.in(-spread, spread), random.in(-spread, spread * 0.6f)};
    const float bend = random.in(-0.3f, 0.3f);
    const rgb green = hsv(random.in(0.22f, 0.38f), 0.65f, random.in(0.3f, 0.6f));
    scene.paint(
        {centre.x, 0.5f}, 1.2f,
        [&](point p) {
          const float t = p.y - centre.y;
          return std::max(std::abs(p.x - centre.x - bend * t * t) - 0.035f, -t);
        },
        green);
    const point leaf{centre.x + bend * 0.3f + 0.2f * random.sign(), std::min(centre.y + 0.85f, 0.85f)};
    const float lean = random.in(-0.8f, 0.8f);
    scene.paint(
        leaf, 0.4f, [&](point p) { return ellipse(rotated(p - leaf, lean), 0.28f, 0.09f); },
        [&](point p) { return green * (1 + 0.3f * smooth(0.02f, 0.0f, std::abs(rotated(p - leaf, lean).y))); });
    paint_blossom(scene, random, centre, radius);
  }
}

}  // namespace imgsim::sample_set
