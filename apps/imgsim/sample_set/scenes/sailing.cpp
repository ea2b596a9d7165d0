// Sailing boats on a calm or choppy sea.
#include "scenes.hpp"
#include "sky.hpp"

namespace imgsim::sample_set {

namespace {

void paint_boat(picture& scene, chance& random, const sky& above, point water_line, float scale) {
  const pose stand(water_line, scale, random.in(-0.16f, 0.16f), random.happens(0.5f));
  const rgb light = mix(above.light, {1, 1, 1}, 0.4f) * (above.night ? 0.7f : 1.0f);
  const rgb hull = random.vivid() * 0.85f, main_sail = random.happens(0.5f) ? rgb{0.97f, 0.96f, 0.92f} : random.vivid();
  const rgb fore_sail = random.happens(0.6f) ? main_sail * 0.93f : random.vivid();
  const float panels = random.in(5.0f, 9.0f), mast = random.in(1.25f, 1.75f);
  const bool striped = random.happens(0.3f);
  const auto local_paint = [&](auto&& distance, auto&& colour) {
    scene.paint(
        water_line, 2.1f * scale, [&](point p) { return distance(stand.local(p)) * scale; },
        [&](point p) { return colour(stand.local(p)) * light; });
  };
  const point below = water_line + point{0, 0.3f * scale};
  scene.paint(
      below, 1.2f * scale, [&](point p) { return ellipse(p - below, 0.75f * scale, 0.2f * scale); },
      rgb{0.03f, 0.06f, 0.1f}, 0.5f, 0.2f * scale);
  const std::array<point, 3> main_shape{{{0.0f, -mast}, {0.04f, -0.3f}, {-0.78f, -0.28f}}};
  const std::array<point, 3> fore_shape{{{0.08f, -mast * 0.92f}, {0.86f, -0.22f}, {0.12f, -0.3f}}};
  const auto sail = [&](rgb colour, float belly, point q) {
    const float seam = smooth(0.1f, 0.0f, std::abs(q.y * panels - floor_of(q.y * panels + 0.5f)));
    const bool stripe = striped && static_cast<int>(floor_of(q.y * panels)) % 2 == 0;
    return (stripe ? mix(colour, hull, 0.75f) : colour) * (1.02f - 0.14f * seam + belly * q.x);
  };
  local_paint([&](point q) { return capsule(q, {0, -mast}, {0, -0.1f}, 0.022f); },
              [](point) { return rgb{0.35f, 0.25f, 0.18f}; });
  local_paint([&](point q) { return polygon(q, main_shape) - 0.03f; },
              [&](point q) { return sail(main_sail, 0.3f, q); });
  local_paint([&](point q) { return polygon(q, fore_shape) - 0.03f; },
              [&](point q) { return sail(fore_sail, -0.25f, q); });
  const std::array<point, 4> hull_shape{{{-0.85f, -0.2f}, {1.0f, -0.24f}, {0.62f, 0.14f}, {-0.66f, 0.14f}}};
  local_paint([&](point q) { return polygon(q, hull_shape) - 0.03f; },
              [&](point q) {
                const bool rail = q.y < -0.13f;
                return (rail ? rgb{0.95f, 0.94f, 0.9f} : hull) * (0.95f - 0.8f * (q.y + 0.1f) + 0.12f * q.x);
              });
}

}  // namespace

void paint_sailing(picture& scene, chance& random) {
  const float horizon = random.in(-0.15f, 0.35f);
  const sky above = paint_sky(scene, random, horizon);
  const float sun_x = random.in(-0.8f, 0.8f);
  const bool sun = random.happens(0.5f);
  if (sun) paint_sun(scene, random, above, {sun_x, random.in(horizon - 0.7f, horizon)});
  if (random.happens(0.35f)) {
    const std::uint32_t seed = random.seed();
    const rgb coast = mix(above.horizon, hsv(random.in(0.2f, 0.7f), 0.3f, 0.35f) * above.light, 0.55f);
    scene.paint(
        {0, horizon}, 1.2f,
        [&](point p) {
          return std::max(horizon - 0.1f + 0.22f * fractal_noise({p.x * 1.8f, 1}, seed, 4) - p.y,
                          p.y - horizon - 0.02f);
        },
        coast);
  }
  const rgb water = hsv(random.in(0.45f, 0.64f), random.in(0.35f, 0.75f), random.in(0.3f, 0.7f)) * above.light *
                    (above.night ? 0.55f : 1.0f);
  const float choppy = random.in(0.2f, 0.7f);
  const std::uint32_t seed = random.seed();
  scene.paint(
      {0, 1}, 2.2f, [&](point p) { return horizon - p.y; },
      [&](point p) {
        const float near = (p.y - horizon) / (1 - horizon), fine = 7 / (0.12f + near);
        const float wave = fractal_noise({p.x * fine * 0.45f, fine * 2.2f}, seed, 3);
        rgb colour = mix(mix(above.horizon, water, 0.35f), water, smooth(0.0f, 0.7f, near)) * (1 + choppy * wave);
        if (sun) {
          const float glitter = smooth(0.1f + 0.3f * near, 0.0f, std::abs(p.x - sun_x)) * smooth(0.05f, 0.45f, wave);
          colour = mix(colour, mix(above.horizon, {1, 1, 0.9f}, 0.6f), 0.8f * glitter);
        }
        return colour;
      });
  const int far = random.in(0, 2);
  for (int i = 0; i < far; ++i)
    paint_boat(scene, random, above, {random.in(-0.9f, 0.9f), horizon + random.in(0.02f, 0.1f)},
               random.in(0.08f, 0.16f));
  const float scale = random.in(0.36f, 0.62f);
  paint_boat(scene, random, above,
             {random.in(-0.4f, 0.4f), std::clamp(horizon + random.in(0.15f, 0.45f), -1 + 1.75f * scale, 0.8f)}, scale);
}

}  // namespace imgsim::sample_set
