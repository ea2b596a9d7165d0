// Euclidean distance: d = |a - b|; similarity -d. Rows are ranked by -d^2, the sum of squared differences: where rows
// are close, this keeps the digits that |a|^2 + |b|^2 - 2 a . b loses.
#pragma once

#include <cmath>
#include <string_view>

#include <imgsim/core/macros.hpp>
#include <imgsim/metric/metric.hpp>

namespace imgsim {

struct euclidean {
  static constexpr std::string_view name = "euclidean";

  template <class T>
  IMGSIM_HOST_DEVICE static constexpr void accumulate(T& sum, const T& a, const T& b) noexcept {
    const T difference = a - b;
    const T square = difference * difference;
    add_rounded(sum, square);
  }

  [[nodiscard]] IMGSIM_HOST_DEVICE static double finish(double sum, double, double) noexcept { return 0 - sum; }
  [[nodiscard]] IMGSIM_HOST_DEVICE static double similarity(double key) noexcept { return 0 - std::sqrt(0 - key); }
  [[nodiscard]] IMGSIM_HOST_DEVICE static double distance(double key) noexcept { return std::sqrt(0 - key); }
  [[nodiscard]] IMGSIM_HOST_DEVICE static double largest_distance(double norm) noexcept { return 2 * norm; }

  template <class T>
  static constexpr void key_from_cosine(T& key, const T& cosine, const T& norm_a, const T& norm_b) noexcept {
    key = 2 * norm_a * norm_b * cosine - (norm_a * norm_a + norm_b * norm_b);
  }
  template <class T>
  static constexpr void key_scale(T& scale, const T& norm_a, const T& norm_b) noexcept {
    scale = (norm_a + norm_b) * (norm_a + norm_b);
  }
};

static_assert(cosine_form_metric<euclidean>);

}  // namespace imgsim
