// Woven cloth: stripes, checks, tartan, herringbone or dots, lying in folds.
#include "scenes.hpp"

namespace imgsim::sample_set {

namespace {

/// Thread colours along one direction of the cloth, repeated.
struct sett {
  std::array<float, 6> ends{};  // where each stripe ends, in [0, 1]
  std::array<std::size_t, 6> threads{};

  static sett drawn(chance& random, std::size_t colours) {
    sett s;
    float total = 0;
    for (std::size_t i = 0; i < s.ends.size(); ++i) {
      total += random.happens(0.3f) ? random.in(0.1f, 0.25f) : random.in(0.4f, 1.4f);
      s.ends[i] = total;
      s.threads[i] = random.below(colours);
    }
    for (float& end : s.ends) end /= total;
    return s;
  }
  [[nodiscard]] std::size_t at(float place) const {
    const float turn = place - floor_of(place);
    std::size_t i = 0;
    while (i + 1 < ends.size() && turn > ends[i]) ++i;
    return threads[i];
  }
};

}  // namespace

void paint_textile(picture& scene, chance& random) {
  std::array<rgb, 4> dyes;
  const float hue = random.in(0.0f, 1.0f);
  for (std::size_t i = 0; i < dyes.size(); ++i)
    dyes[i] = random.happens(0.25f)
                  ? hsv(hue, 0.08f, random.in(0.12f, 0.97f))
                  : hsv(hue + random.in(-0.3f, 0.3f), random.in(0.35f, 0.85f), random.in(0.3f, 0.95f));
  dyes[0] = mix(dyes[0], {1, 1, 1}, random.in(0.1f, 0.5f));  // the first two differ in lightness at least
  dyes[1] = dyes[1] * random.in(0.4f, 0.7f);
  const sett warp = sett::drawn(random, dyes.size()), weft = sett::drawn(random, dyes.size());
  const int kind = random.in(0, 4);
  const pose stand({random.in(-1.0f, 1.0f), random.in(-1.0f, 1.0f)}, random.in(0.45f, 1.1f), random.in(0.0f, kTurn));
  const float fold_angle = random.in(0.0f, kTurn), folds = random.in(1.5f, 4.5f), deep = random.in(0.05f, 0.4f),
              bend = random.in(0.02f, 0.12f);
  const float thread = random.in(26.0f, 44.0f), dots = random.in(2.5f, 5.0f);
  const std::uint32_t seed = random.seed();
  scene.shade([&](point p, rgb) {
    const float wave = rotated(p, fold_angle).x * folds + 0.8f * gradient_noise(p * 1.1f, seed);
    const float height = std::sin(wave * 2);
    const point q = stand.local(p + rotated({bend * height, bend * height * 0.5f}, -fold_angle));
    rgb colour = dyes[warp.at(q.x)];
    const float tx = q.x * thread, ty = q.y * thread;
    const bool over = static_cast<int>(floor_of(tx) + floor_of(ty)) % 2 == 0;
    switch (kind) {
      case 1:
        colour = over ? dyes[warp.at(q.x)] : dyes[weft.at(q.y)];
        break;  // tartan
      case 2:
        colour = mix(dyes[warp.at(q.x)], dyes[weft.at(q.y)], 0.5f);
        break;   // check
      case 3: {  // herringbone
        const float zigzag = std::abs(q.x * 4 - floor_of(q.x * 4) - 0.5f) * 2;
        const float rib = (q.y * 5 + zigzag) * 2;
        colour = rib - floor_of(rib) < 0.5f ? dyes[0] : dyes[1];
        break;
      }
      case 4: {  // dots
        const float row = floor_of(q.y * dots), x = q.x * dots + (static_cast<int>(row) % 2 == 0 ? 0.0f : 0.5f);
        const point inside{x - floor_of(x) - 0.5f, q.y * dots - row - 0.5f};
        colour = mix(dyes[1], dyes[0], smooth(-0.03f, 0.03f, circle(inside, 0.27f)));
        break;
      }
      default:
        break;  // stripes
    }
    const float fibre = 0.1f * gradient_noise(over ? point{tx * 0.6f, ty * 3} : point{tx * 3, ty * 0.6f}, seed) +
                        (over ? 0.04f : -0.04f);
    return colour * (1 + fibre + deep * std::cos(wave * 2));
  });
}

}  // namespace imgsim::sample_set
