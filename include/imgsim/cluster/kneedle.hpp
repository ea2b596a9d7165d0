// The knee of a curve: where more stops paying.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <imgsim/core/error.hpp>

namespace imgsim {

struct kneedle_result {
  std::size_t position = 0;  // in the curve
  double x = 0;
  /// How far the curve lies below the straight line between its ends there, where both axes run from 0 to 1: in (0, 1)
  /// of a curve that falls from its first point to its last, more of one that falls below its last.
  double strength = 0;
};

/// The elbow of a falling, convex curve by Kneedle (Satopaa, Albrecht, Irwin and Raghavan, 2011,
/// doi:10.1109/ICDCSW.2011.20): both axes are brought to [0, 1] and the difference between the falling diagonal and the
/// curve is taken. A local maximum of the difference is an elbow if, before it rises to the next one, the difference
/// drops by more than `sensitivity` mean steps of x. Of several elbows the strongest is returned, ties to the first.
///
/// `x` [n] ascends strictly; `y` [n]; all finite; sensitivity >= 0 (the paper's S: larger finds only sharper elbows).
/// Nothing is returned where no maximum qualifies: fewer than 3 points, a curve that does not fall from its first to
/// its last point, a straight line, one that bends the other way. Throws invalid_argument where the inputs break the
/// rules. O(n).
[[nodiscard]] inline std::optional<kneedle_result> kneedle(std::span<const double> x, std::span<const double> y,
                                                           double sensitivity = 1.0) {
  IMGSIM_EXPECTS(x.size() == y.size(), "a curve with ", x.size(), " x values has ", y.size(), " y values");
  IMGSIM_EXPECTS(sensitivity >= 0 && std::isfinite(sensitivity), "Kneedle's sensitivity must be at least 0, not ",
                 sensitivity);
  const std::size_t n = x.size();
  for (std::size_t i = 0; i < n; ++i) {
    IMGSIM_EXPECTS(std::isfinite(x[i]) && std::isfinite(y[i]), "point ", i, " of the curve is not finite");
    IMGSIM_EXPECTS(i == 0 || x[i - 1] < x[i], "the x values of a curve must rise, but ", x[i == 0 ? 0 : i - 1],
                   " comes before ", x[i]);
  }
  if (n < 3 || !(y[0] > y[n - 1])) return std::nullopt;

  double largest = 0;
  for (const double value : y) largest = std::max(largest, std::abs(value));
  const double rounding = 0x1p-50 * static_cast<double>(n) * largest / (y[0] - y[n - 1]);  // of a straight line
  std::vector<double> difference(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double across = (x[i] - x[0]) / (x[n - 1] - x[0]);
    const double down = (y[i] - y[n - 1]) / (y[0] - y[n - 1]);
    difference[i] = (1 - across) - down;
  }
  const double step = 1.0 / static_cast<double>(n - 1);  // of x in [0, 1], on average
  std::optional<kneedle_result> strongest;
  std::size_t candidate = n;  // the last local maximum; n where there is none that has not been accepted
  for (std::size_t i = 1; i < n; ++i) {
    const bool falls_next = i + 1 < n && difference[i + 1] < difference[i];
    if (difference[i - 1] <= difference[i] && falls_next) candidate = i;
    if (candidate == n || !(difference[i] < difference[candidate] - sensitivity * step)) continue;
    const double strength = difference[candidate];
    if (strength > rounding && (!strongest || strength > strongest->strength)) {
      strongest = kneedle_result{candidate, x[candidate], strength};
    }
    candidate = n;
  }
  return strongest;
}

}  // namespace imgsim
