// A brick wall, straight on or at an angle, in any masonry's colour.
#include "scenes.hpp"

namespace imgsim::sample_set {

void paint_bricks(picture& scene, chance& random) {
  const std::array<rgb, 7> clays{{{0.62f, 0.27f, 0.19f},
                                  {0.72f, 0.45f, 0.30f},
                                  {0.50f, 0.33f, 0.28f},
                                  {0.78f, 0.70f, 0.60f},
                                  {0.45f, 0.45f, 0.48f},
                                  {0.86f, 0.82f, 0.72f},
                                  {0.35f, 0.22f, 0.24f}}};
  const rgb clay = random.pick(clays),
            mortar = mix(rgb{0.75f, 0.72f, 0.68f}, clay, random.in(0.0f, 0.35f)) * random.in(0.55f, 1.1f);
  const float rows = random.in(4.0f, 10.0f), shape = random.in(2.0f, 3.2f), joint = random.in(0.035f, 0.08f);
  const float angle = random.in(-0.35f, 0.35f), offset = random.happens(0.75f) ? 0.5f : 0.33f;
  const float variety = random.in(0.12f, 0.4f), rough = random.in(0.1f, 0.35f), slant = random.in(0.0f, kTurn);
  const float slope = random.in(-0.3f, 0.3f);
  const std::uint32_t seed = random.seed();
  const pose stand({random.in(-1.0f, 1.0f), random.in(-1.0f, 1.0f)}, 2 / rows, angle);
  const point light = rotated({1, 0}, slant);
  scene.shade([&](point p, rgb) {
    const point seen = p * (1 / (1 + slope * p.x));  // a wall that recedes to one side
    const point q = stand.local(seen);
    const float row = floor_of(q.y), along = q.x / shape + offset * row;
    const float column = floor_of(along);
    const auto ix = static_cast<std::int32_t>(column), iy = static_cast<std::int32_t>(row);
    const point inside{(along - column - 0.5f) * shape, q.y - row - 0.5f};
    const float wobble = 0.03f * gradient_noise(q * 5, seed);
    const float distance = box(inside, shape / 2 - joint, 0.5f - joint, 0.06f) + wobble;
    const float grain = fractal_noise(q * 3, seed + 3, 4);
    const float own = lattice_uniform(ix, iy, seed) - 0.5f, tint = lattice_uniform(ix, iy, seed + 1) - 0.5f;
    rgb brick = clay * (1 + variety * 1.4f * own + rough * grain);
    brick = mix(brick, hsv(0.05f + 0.1f * tint, 0.4f, 0.6f), 0.25f * std::abs(tint));
    // The edge towards the light is bright, the other one dark.
    const float edge = smooth(-0.14f, 0.0f, distance);
    const float facing = dot(light, {inside.x / shape, inside.y});
    brick = brick * (1 + edge * 0.7f * facing);
    const rgb between = mortar * (0.9f + 0.25f * grain) * (1 - 0.35f * smooth(0.06f, 0.0f, distance));
    const float cover = std::clamp(0.5f - distance / (scene.pixel() * rows / 2), 0.0f, 1.0f);
    return mix(between, brick, cover) * (1 + 0.25f * dot(light, p));
  });
  if (random.happens(0.3f)) {  // the shadow of something outside the picture
    const float reach = random.in(-0.4f, 0.4f), turn = random.in(0.0f, kTurn);
    scene.paint(
        {0, 0}, 1.5f, [&](point p) { return rotated(p, turn).x + reach; }, rgb{0.05f, 0.05f, 0.08f}, 0.5f, 0.05f);
  }
}

}  // namespace imgsim::sample_set
