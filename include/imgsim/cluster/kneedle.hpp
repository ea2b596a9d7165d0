// The knee of a curve: where more stops paying.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace imgsim {

struct kneedle_result {
  std::size_t position;  // in the curve
  double x;
  double strength;  // how far the curve lies below the straight line between its ends, in [0, 1): 0 for a line
};

/// The elbow of a falling, convex curve by Kneedle (Satopaa, Albrecht, Irwin and Raghavan, 2011,
/// doi:10.1109/ICDCSW.2011.20): both axes are brought to [0, 1], and the elbow is the highest point of the difference
/// between the line through the ends and the curve, accepted when the difference falls below it by `sensitivity` mean
/// steps of x before it rises to another maximum. Of several that are accepted the highest is returned.
///
/// `x` ascends strictly, `x` and `y` have the same length [n] and hold finite values; sensitivity >= 0 (the paper's S).
/// Nothing where no maximum is accepted: fewer than 3 points, a flat or rising curve, a straight line, a curve that
/// bends the other way. Throws invalid_argument where the inputs break these rules. O(n).
[[nodiscard]] std::optional<kneedle_result> kneedle(std::span<const double> x, std::span<const double> y,
                                                    double sensitivity = 1.0);

}  // namespace imgsim
