// Similarities by the textbook, in long double, and canonical keys by the words of metric/metric.hpp, one pair at a
// time.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

namespace imgsim_test {

using row_span = std::span<const float>;

inline bool is_finite_row(row_span row) {
  for (const float value : row)
    if (!std::isfinite(value)) return false;
  return true;
}

/// Cosine similarity, minus the Euclidean distance, or minus the Manhattan distance.
inline long double textbook_similarity(std::string_view metric, row_span a, row_span b) {
  if (!is_finite_row(a) || !is_finite_row(b)) return std::numeric_limits<long double>::quiet_NaN();
  long double products = 0, a_squares = 0, b_squares = 0, squares = 0, absolutes = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const long double x = a[i], y = b[i];
    products += x * y;
    a_squares += x * x;
    b_squares += y * y;
    squares += (x - y) * (x - y);
    absolutes += std::abs(x - y);
  }
  if (metric == "euclidean") return -std::sqrt(squares);
  if (metric == "manhattan") return -absolutes;
  return a_squares == 0 || b_squares == 0 ? 0 : products / std::sqrt(a_squares) / std::sqrt(b_squares);
}

/// Element i goes to lane i mod 8; the lanes meet in pairs. `volatile` keeps a compiler from fusing the addition.
template <class Term>
double canonical_reference_sum(row_span a, row_span b, Term term) {
  double lane[8] = {};
  for (std::size_t i = 0; i < a.size(); ++i) {
    volatile const double rounded_term = term(double(a[i]), double(b[i]));
    lane[i % 8] = lane[i % 8] + rounded_term;
  }
  for (const int half : {4, 2, 1})
    for (int l = 0; l < half; ++l) lane[l] = lane[l] + lane[l + half];
  return lane[0];
}

inline double canonical_reference_key(std::string_view metric, row_span a, row_span b) {
  const auto product = [](double x, double y) { return x * y; };
  if (!is_finite_row(a) || !is_finite_row(b)) return std::numeric_limits<double>::quiet_NaN();
  if (metric == "euclidean")
    return 0 - canonical_reference_sum(a, b, [](double x, double y) { return (x - y) * (x - y); });
  if (metric == "manhattan")
    return 0 - canonical_reference_sum(a, b, [](double x, double y) { return std::abs(x - y); });
  const double norms = canonical_reference_sum(a, a, product) * canonical_reference_sum(b, b, product);
  return norms == 0 ? 0 : std::fmin(1, std::fmax(-1, canonical_reference_sum(a, b, product) / std::sqrt(norms)));
}

}  // namespace imgsim_test
