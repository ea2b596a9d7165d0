// What the medoid silhouette counts, in integers: the same on every backend.
#pragma once

#include <cstdint>

#include <imgsim/core/macros.hpp>

namespace imgsim {

inline constexpr double kSilhouetteUnit = 0x1p-40;

/// Doubles from here to twice as much lie one unit apart: adding this rounds to units.
inline constexpr double kSilhouetteBegin = 0x1p12;

/// near / far in units, rounded to the nearest; near <= far. A point that lies on both has 1; a negative distance
/// counts as 0, so that of two the loss is 1 as well. `far` may be infinite.
[[nodiscard]] IMGSIM_HOST_DEVICE inline std::int64_t silhouette_loss(float near, float far) noexcept {
  if (!(far > 0)) return static_cast<std::int64_t>(1 / kSilhouetteUnit);
  const double ratio = static_cast<double>(near > 0 ? near : 0.0f) / static_cast<double>(far);
  return static_cast<std::int64_t>((ratio + kSilhouetteBegin - kSilhouetteBegin) / kSilhouetteUnit);
}

/// The same of the two smallest of near <= far and other.
[[nodiscard]] IMGSIM_HOST_DEVICE inline std::int64_t silhouette_loss(float near, float far, float other) noexcept {
  return other < near ? silhouette_loss(other, near) : silhouette_loss(near, far < other ? far : other);
}

}  // namespace imgsim
