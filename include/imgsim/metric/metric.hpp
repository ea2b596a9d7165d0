// What a metric is. A metric is one struct in one file of this folder, and one line in registry.hpp; a struct of your
// own works in top_n, similarity_matrix and distance_matrix without being registered.
//
// The value that a metric gives two rows a, b [D] is canonical: defined to the last bit by this page, whatever the
// device, the tile, the thread count or the instruction set.
//
//   1. elements become float64; element i is accumulated into lane i mod 8, lanes begin at 0, i ascends;
//   2. the lanes are added as ((0+4)+(2+6)) + ((1+5)+(3+7)): the sum S(a, b);
//   3. key = finish(S(a, b), |a|^2, |b|^2), where |x|^2 is the sum of x_i * x_i, in the same order;
//   4. a pair in which either row holds a NaN or an infinity has the key NaN, for every metric.
//
// Rankings compare keys, in float64: larger first, equal keys by smaller row, NaN last. What a person reads is
// similarity(key), rounded to float32 once, at the very end.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <string_view>

#include <imgsim/core/macros.hpp>

namespace imgsim {

/// Lanes of the canonical sum.
inline constexpr std::size_t kSumLanes = 8;

/// sum += product, with the product rounded first. A compiler may fuse the two into one rounding where the instruction
/// set allows, and the sum would then depend on it. Products of two float32 numbers need no such care: in float64 they
/// are exact.
template <class T>
IMGSIM_HOST_DEVICE IMGSIM_ALWAYS_INLINE constexpr void add_rounded(T& sum, const T& product) noexcept {
#if defined(__CUDA_ARCH__)
  sum = __dadd_rn(sum, product);
#elif defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__)
  sum += __builtin_assoc_barrier(product);
#else
  sum += product;  // clang fuses within one expression only
#endif
}

/// A metric:
///
///   static constexpr std::string_view name;
///   template <class T> static constexpr void accumulate(T& sum, const T& a, const T& b);
///       // step 1: adds the term of one element. T is double or a vector of doubles (GCC's vector extension):
///       // write it with + - * / and ?: only, and add products with add_rounded(). Vectors go by
///       // reference because passing them by value would depend on the instruction set. For CUDA, mark it and the
///       // next three IMGSIM_HOST_DEVICE.
///   static double finish(double sum, double squared_norm_a, double squared_norm_b);   // step 3, symmetric in a and b
///   static double similarity(double key);          // non-decreasing; larger is closer
///   static double distance(double key);            // non-increasing, >= 0; 0 for equal rows
///   static double largest_distance(double norm);   // optional: no two rows of at most this norm are farther apart;
///       // spares K-medoids over embeddings a pass over all pairs
template <class M>
concept metric =
    std::default_initializable<M> && requires(double& sum, const double& a, const double& b, const double& key) {
      { M::name } -> std::convertible_to<std::string_view>;
      M::accumulate(sum, a, b);
      { M::finish(sum, a, b) } -> std::same_as<double>;
      { M::similarity(key) } -> std::same_as<double>;
      { M::distance(key) } -> std::same_as<double>;
    };

/// A metric whose key is a function of the two norms and the cosine between the rows alone, non-decreasing in the
/// cosine. For these a backend rules out most rows with a product in low precision, and computes the canonical value
/// of the rest only:
///
///   template <class T> static constexpr void key_from_cosine(T& key, const T& cosine, const T& norm_a, const T&
///   norm_b); template <class T> static constexpr void key_scale(T& scale, const T& norm_a, const T& norm_b);
///       // a bound of the absolute values added in key_from_cosine and in finish: the rounding errors of both are
///       // below (D + 64) * 2^-53 * key_scale
template <class M>
concept cosine_form_metric = metric<M> && requires(double& out, const double& x) {
  M::key_from_cosine(out, x, x, x);
  M::key_scale(out, x, x);
};

/// What a pair has that holds a NaN or an infinity: always the same quiet, positive NaN.
inline constexpr double kNoKey = std::numeric_limits<double>::quiet_NaN();
inline constexpr float kNoSimilarity = std::numeric_limits<float>::quiet_NaN();

/// Step 4 of the definition: the key of two rows, from their sum and squared norms.
template <metric Metric>
[[nodiscard]] IMGSIM_HOST_DEVICE inline double canonical_key(double sum, double squared_norm_a,
                                                             double squared_norm_b) noexcept {
  if (!std::isfinite(squared_norm_a + squared_norm_b)) return kNoKey;
  return Metric::finish(sum, squared_norm_a, squared_norm_b);
}

/// The rounding to float32 at the end. Every NaN becomes kNoSimilarity, so that equal answers are equal bytes.
[[nodiscard]] IMGSIM_HOST_DEVICE inline float rounded_to_float(double value) noexcept {
  return std::isnan(value) ? kNoSimilarity : static_cast<float>(value);
}

}  // namespace imgsim
