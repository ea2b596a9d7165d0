// What the medoid silhouette counts, in integers: the same on every backend.
#pragma once

#include <cstdint>

#include <imgsim/core/macros.hpp>

namespace imgsim {

inline constexpr double kSilhouetteUnit = 0x1p-40;

/// near / far in units, rounded down; 0 <= near <= far. A point that lies on both has 1. `far` may be infinite.
[[nodiscard]] IMGSIM_HOST_DEVICE inline std::int64_t silhouette_loss(float near, float far) noexcept {
  if (far == 0) return static_cast<std::int64_t>(1 / kSilhouetteUnit);
  return static_cast<std::int64_t>(static_cast<double>(near) / static_cast<double>(far) / kSilhouetteUnit);
}

/// The same of the two smallest of near <= far and other.
[[nodiscard]] IMGSIM_HOST_DEVICE inline std::int64_t silhouette_loss(float near, float far, float other) noexcept {
  return other < near ? silhouette_loss(other, near) : silhouette_loss(near, far < other ? far : other);
}

}  // namespace imgsim
