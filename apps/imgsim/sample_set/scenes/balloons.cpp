// Hot-air balloons under a sky, near ones over far ones.
#include "scenes.hpp"
#include "sky.hpp"

namespace imgsim::sample_set {

namespace {

void paint_balloon(picture& scene, chance& random, const sky& above, point centre, float scale) {
  const pose stand(centre, scale, random.in(-0.12f, 0.12f));
  const rgb first = random.vivid(), second = random.happens(0.5f) ? rgb{0.97f, 0.95f, 0.9f} : random.vivid();
  const float gores = static_cast<float>(random.in(3, 7)), turn = random.in(0.0f, 1.0f), band = random.in(-0.3f, 0.5f);
  const bool has_band = random.happens(0.4f);
  const rgb light = mix(above.light, {1, 1, 1}, above.night ? 0.35f : 0.6f);
  // A ball above, drawn together into a cone below.
  const auto envelope = [&](point p) {
    const point q = stand.local(p);
    const float width =
        q.y < 0 ? std::sqrt(std::max(1 - q.y * q.y, 0.0f)) : std::max(1 - 0.72f * smooth(0.0f, 1.35f, q.y), 0.0f);
    const float side = std::abs(q.x) - width;
    return std::max(q.y < 0 ? circle(q, 1.0f) : side * 0.85f, q.y - 1.3f) * scale;
  };
  for (const float side : {-0.22f, -0.08f, 0.08f, 0.22f})
    scene.paint(
        centre, 2.2f * scale,
        [&](point p) { return capsule(stand.local(p), {side * 1.3f, 1.25f}, {side, 1.75f}, 0.012f) * scale; },
        rgb{0.25f, 0.2f, 0.16f});
  scene.paint(
      centre, 2.4f * scale, [&](point p) { return box(stand.local(p) - point{0, 1.87f}, 0.24f, 0.16f, 0.04f) * scale; },
      rgb{0.45f, 0.28f, 0.14f} * light);
  scene.paint(centre, 1.5f * scale, envelope, [&](point p) {
    const point q = stand.local(p);
    const float width = q.y < 0 ? std::sqrt(std::max(1 - q.y * q.y, 0.01f)) : 1 - 0.72f * smooth(0.0f, 1.35f, q.y);
    const float across = std::clamp(q.x / std::max(width, 0.05f), -1.0f, 1.0f);
    const float gore = std::asin(across) / kPi * gores + turn;
    const float edge = 0.04f * gores / std::max(scale * 6, 1.0f);
    rgb colour = mix(first, second, smooth(0.25f - edge, 0.25f + edge, std::abs(gore - floor_of(gore) - 0.5f)));
    if (has_band && std::abs(q.y - band) < 0.14f) colour = mix(second, {0.1f, 0.1f, 0.15f}, 0.35f);
    const float shading = 0.62f + 0.45f * std::sqrt(std::max(1 - across * across, 0.0f)) - 0.18f * across - 0.1f * q.y;
    return colour * light * shading;
  });
}

}  // namespace

void paint_balloons(picture& scene, chance& random) {
  const sky above = paint_sky(scene, random, random.in(0.8f, 1.4f));
  if (random.happens(0.5f)) {
    const float level = random.in(0.62f, 0.85f);
    const rgb land = mix(hsv(random.in(0.15f, 0.4f), 0.5f, 0.5f), above.horizon, 0.4f) * above.light;
    const std::uint32_t seed = random.seed();
    scene.paint(
        {0, 0.8f}, 1.2f, [&](point p) { return level + 0.12f * fractal_noise({p.x * 1.5f, 0}, seed, 3) - p.y; }, land);
  }
  const int far = random.in(0, 3);
  for (int i = 0; i < far; ++i)
    paint_balloon(scene, random, above, {random.in(-0.9f, 0.9f), random.in(-0.7f, 0.2f)}, random.in(0.08f, 0.17f));
  const int near = random.in(1, 2);
  for (int i = 0; i < near; ++i)
    paint_balloon(scene, random, above, {random.in(-0.55f, 0.55f), random.in(-0.5f, 0.0f)}, random.in(0.28f, 0.52f));
}

}  // namespace imgsim::sample_set
