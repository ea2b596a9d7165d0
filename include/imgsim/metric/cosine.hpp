// Cosine similarity: s = a . b / (|a| |b|), in [-1, 1]; distance 1 - s. A zero vector has similarity 0 to everything,
// itself included.
#pragma once

#include <cmath>
#include <string_view>

#include <imgsim/core/macros.hpp>
#include <imgsim/metric/metric.hpp>

namespace imgsim {

struct cosine {
  static constexpr std::string_view name = "cosine";

  template <class T>
  IMGSIM_HOST_DEVICE static constexpr void accumulate(T& sum, const T& a, const T& b) noexcept {
    sum += a * b;  // exact, hence fused or not the same
  }

  /// One square root of the product: sqrt(n * n) is n, so that equal rows have similarity 1 exactly.
  [[nodiscard]] IMGSIM_HOST_DEVICE static double finish(double sum, double squared_norm_a,
                                                        double squared_norm_b) noexcept {
    if (squared_norm_a == 0 || squared_norm_b == 0) return 0;
    const double cosine = sum / std::sqrt(squared_norm_a * squared_norm_b);
    return cosine < -1 ? -1 : (cosine > 1 ? 1 : cosine);
  }

  [[nodiscard]] IMGSIM_HOST_DEVICE static double similarity(double key) noexcept { return key; }
  [[nodiscard]] IMGSIM_HOST_DEVICE static double distance(double key) noexcept { return 1 - key; }
  [[nodiscard]] IMGSIM_HOST_DEVICE static double largest_distance(double) noexcept { return 2; }

  template <class T>
  static constexpr void key_from_cosine(T& key, const T& cosine, const T&, const T&) noexcept {
    key = cosine;
  }
  template <class T>
  static constexpr void key_scale(T& scale, const T&, const T&) noexcept {
    scale = T{} + 1;
  }
};

static_assert(cosine_form_metric<cosine>);

}  // namespace imgsim
