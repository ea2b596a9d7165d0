// Sums of distances that do not depend on the order of summation.
//
// K-medoids accepts a swap when a sum of distances falls, however little. In floating point the sign of a small change
// depends on the order of the additions, so threads, vector widths and devices would take different swaps and end in
// different groups. Here each distance is rounded once to a multiple of a fixed unit and sums are 64-bit integers:
// exact, associative, and free of drift however often a running sum is updated. The unit is the smallest power of two
// that keeps the sum of M distances below 2^60: for M = 4738 2^-47 of the largest distance (or of the bound that is
// stated for them), far below float32's own 2^-24. Distances that are more than about 2^20 times smaller than the
// largest lose digits, and those below the unit count as 0: where that is so of the distances to the medoids, a search
// does not claim to have converged.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <imgsim/core/macros.hpp>

namespace imgsim {

class fixed_point {
 public:
  fixed_point() = default;

  /// For sums of at most `terms` values of magnitude at most `largest` (finite). Sums stay below 2^60, so that a few
  /// of them can be added and subtracted freely.
  fixed_point(float largest, std::size_t terms)
      : scale_(largest > 0 ? std::ldexp(1.0, 60 - static_cast<int>(std::bit_width(terms)) - (std::ilogb(largest) + 1))
                           : 1.0) {}

  /// In units, rounded towards zero: monotone in `value`.
  [[nodiscard]] IMGSIM_HOST_DEVICE std::int64_t quantise(float value) const noexcept {
    return static_cast<std::int64_t>(static_cast<double>(value) * scale_);
  }
  [[nodiscard]] double to_double(std::int64_t units) const noexcept { return static_cast<double>(units) / scale_; }

  /// Units in 1; a power of two.
  [[nodiscard]] double scale() const noexcept { return scale_; }

 private:
  double scale_ = 1.0;
};

}  // namespace imgsim
