// Shapes as signed distances (negative inside), in a picture's units: x to the right, y down, from -1 to 1.
// (Inigo Quilez, "2D distance functions", describes the method.)
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>

namespace imgsim::sample_set {

inline constexpr float kPi = std::numbers::pi_v<float>;
inline constexpr float kTurn = 2 * kPi;

/// std::floor, which is a function call where the processor's own rounding is not assumed; |value| < 2^31.
inline float floor_of(float value) {
  const auto whole = static_cast<float>(static_cast<int>(value));
  return whole > value ? whole - 1 : whole;
}

struct point {
  float x = 0, y = 0;
  friend constexpr point operator+(point a, point b) { return {a.x + b.x, a.y + b.y}; }
  friend constexpr point operator-(point a, point b) { return {a.x - b.x, a.y - b.y}; }
  friend constexpr point operator*(point a, float f) { return {a.x * f, a.y * f}; }
};

constexpr float dot(point a, point b) {
  return a.x * b.x + a.y * b.y;
}
inline float length(point p) {
  return std::sqrt(dot(p, p));
}
inline point rotated(point p, float angle) {
  const float c = std::cos(angle), s = std::sin(angle);
  return {c * p.x - s * p.y, s * p.x + c * p.y};
}

/// Where a thing stands: local() takes a point of the picture into the thing's own coordinates.
class pose {
 public:
  pose(point centre, float scale, float angle = 0, bool mirrored = false)
      : centre_(centre),
        scale_(scale),
        cosine_(std::cos(angle)),
        sine_(std::sin(angle)),
        flip_(mirrored ? -1.0f : 1.0f) {}

  [[nodiscard]] point local(point p) const {
    const point d = (p - centre_) * (1 / scale_);
    return {flip_ * (cosine_ * d.x + sine_ * d.y), cosine_ * d.y - sine_ * d.x};
  }
  [[nodiscard]] point centre() const { return centre_; }
  [[nodiscard]] float scale() const { return scale_; }

 private:
  point centre_;
  float scale_, cosine_, sine_, flip_;
};

inline float circle(point p, float radius) {
  return length(p) - radius;
}

/// Close to the distance near the edge, which is what anti-aliasing needs.
inline float ellipse(point p, float rx, float ry) {
  const float k = length({p.x / rx, p.y / ry});
  const float slope = length({p.x / (rx * rx), p.y / (ry * ry)});
  return slope > 1e-6f ? k * (k - 1) / slope : -std::min(rx, ry);
}

inline float box(point p, float half_width, float half_height, float rounding = 0) {
  const float dx = std::abs(p.x) - half_width + rounding, dy = std::abs(p.y) - half_height + rounding;
  return length({std::max(dx, 0.0f), std::max(dy, 0.0f)}) + std::min(std::max(dx, dy), 0.0f) - rounding;
}

inline float capsule(point p, point a, point b, float radius) {
  const point along = b - a, from = p - a;
  const float t = std::clamp(dot(from, along) / std::max(dot(along, along), 1e-9f), 0.0f, 1.0f);
  return length(from - along * t) - radius;
}

inline float polygon(point p, std::span<const point> corners) {
  float nearest = 1e9f;
  bool inside = false;
  for (std::size_t i = 0, j = corners.size() - 1; i < corners.size(); j = i++) {
    const point a = corners[i], b = corners[j];
    nearest = std::min(nearest, capsule(p, a, b, 0));
    if ((a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside ? -nearest : nearest;
}

}  // namespace imgsim::sample_set
