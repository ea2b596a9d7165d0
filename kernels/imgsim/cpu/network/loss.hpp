// The loss, with the sigmoid that ends the network where there is one. Everything here is float32 or wider.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <imgsim/core/simd.hpp>
#include <imgsim/cpu/network/element.hpp>
#include <imgsim/cpu/network/elementwise.hpp>
#include <imgsim/model/architecture.hpp>

namespace imgsim::cpu {

/// exp(x) for x <= 0 to about 1 ulp, branch-free; below -87.3 it stays at exp(-87.3), about 1e-38.
IMGSIM_ALWAYS_INLINE float exp_of_negative(float x) {
  constexpr float kLog2E = 1.44269504f;
  constexpr float kLn2High = 0.693359375f;
  constexpr float kLn2Low = -2.12194440e-4f;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
  x = x < -87.3f ? -87.3f : x;
  const float k = (x * kLog2E + kRound) - kRound;
  const float r = (x - k * kLn2High) - k * kLn2Low;
  float p = 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p * std::bit_cast<float>((static_cast<std::int32_t>(k) + 127) << 23);
}

/// log(1 + u) for u in [0, 1]: 2 atanh(u / (2 + u)) by its series.
IMGSIM_ALWAYS_INLINE float log_of_one_plus(float u) {
  const float s = u / (2.0f + u);
  const float q = s * s;
  float p = 1.0f / 13.0f;
  p = p * q + 1.0f / 11.0f;
  p = p * q + 1.0f / 9.0f;
  p = p * q + 1.0f / 7.0f;
  p = p * q + 1.0f / 5.0f;
  p = p * q + 1.0f / 3.0f;
  p = p * q + 1.0f;
  return 2.0f * s * p;
}

/// Loss of one value and its derivative, before the division by the number of values.
struct loss_term {
  float loss;
  float slope;
};

/// -t log p - (1 - t) log(1 - p) with p = sigmoid(z), from z: max(z, 0) - z t + log(1 + exp(-|z|)).
struct cross_entropy_of_logits {
  IMGSIM_ALWAYS_INLINE loss_term operator()(float z, float target) const {
    const float u = exp_of_negative(-std::fabs(z));
    const float p = (z >= 0.0f ? 1.0f : u) / (1.0f + u);
    return {(z > 0.0f ? z : 0.0f) - z * target + log_of_one_plus(u), p - target};
  }
};

struct squared_error_of_logits {
  IMGSIM_ALWAYS_INLINE loss_term operator()(float z, float target) const {
    const float u = exp_of_negative(-std::fabs(z));
    const float p = (z >= 0.0f ? 1.0f : u) / (1.0f + u);
    const float error = p - target;
    return {error * error, 2.0f * error * p * (1.0f - p)};
  }
};

/// Keras' form for outputs that are not a sigmoid's: p is held within [1e-7, 1 - 1e-7], and has no slope outside.
struct cross_entropy_of_probabilities {
  loss_term operator()(float y, float target) const {
    constexpr double kEdge = 1e-7;
    const double p = std::clamp(static_cast<double>(y), kEdge, 1.0 - kEdge);
    const auto t = static_cast<double>(target);
    const double loss = -t * std::log(p) - (1.0 - t) * std::log1p(-p);
    const double slope = p == static_cast<double>(y) ? (p - t) / (p * (1.0 - p)) : 0.0;
    return {static_cast<float>(loss), static_cast<float>(slope)};
  }
};

struct squared_error {
  IMGSIM_ALWAYS_INLINE loss_term operator()(float y, float target) const {
    const float error = y - target;
    return {error * error, 2.0f * error};
  }
};

struct loss_head {
  loss_kind kind;
  bool after_sigmoid;

  template <class F>
  void visit(F&& f) const {
    const bool entropy = kind == loss_kind::binary_cross_entropy;
    if (after_sigmoid) {
      entropy ? f(cross_entropy_of_logits{}) : f(squared_error_of_logits{});
    } else {
      entropy ? f(cross_entropy_of_probabilities{}) : f(squared_error{});
    }
  }

  /// The sum of the losses of n values; gradient[i] = slope * scale where it is wanted (not null). Blocks of values,
  /// targets and slopes pass through float32, so that the terms are compiled for one type of each.
  template <class T, class Pixel, class Gradient>
  [[nodiscard]] double evaluate(const T* values, const Pixel* targets, std::size_t n, Gradient* gradient,
                                float scale) const {
    float value[kBlock], target[kBlock], slope[kBlock];
    double lanes[kLanes] = {};
    for (std::size_t begin = 0; begin < n; begin += kBlock) {
      const std::size_t count = std::min(kBlock, n - begin);
      copy_as(values + begin, count, value);
      scale_pixels(targets + begin, count, target);
      visit([&](auto term) { add_terms(term, value, target, count, scale, slope, lanes); });
      if (gradient != nullptr) copy_as(slope, count, gradient + begin);
    }
    double total = 0.0;
    for (const double lane : lanes) total += lane;
    return total;
  }

  /// The network's output in [0, 1] (or as it is, without a sigmoid).
  template <class T>
  void output(const T* values, std::size_t n, float* out) const {
    if (!after_sigmoid) return copy_as(values, n, out);
    vectorised([=]() IMGSIM_VECTORISED {
      for (std::size_t i = 0; i < n; ++i) {
        const float z = load_float(values + i);
        const float u = exp_of_negative(-std::fabs(z));
        out[i] = (z >= 0.0f ? 1.0f : u) / (1.0f + u);
      }
    });
  }

 private:
  static constexpr std::size_t kBlock = 512;
  static constexpr std::size_t kLanes = 16;

  template <class From, class To>
  static void copy_as(const From* from, std::size_t n, To* to) {
    if constexpr (std::is_same_v<From, To>) {
      std::memcpy(to, from, n * sizeof(To));
    } else {
      vectorised([=]() IMGSIM_VECTORISED {
        for (std::size_t i = 0; i < n; ++i) store_float(to + i, load_float(from + i));
      });
    }
  }

  /// Terms are added in lanes, in double, so that the loop vectorises and the sum has one order.
  template <class Term>
  static void add_terms(Term term, const float* value, const float* target, std::size_t count, float scale,
                        float* slope, double* lanes) {
    vectorised([=]() IMGSIM_VECTORISED {
      float losses[kBlock];
      for (std::size_t i = 0; i < count; ++i) {
        const loss_term t = term(value[i], target[i]);
        losses[i] = t.loss;
        slope[i] = t.slope * scale;
      }
      const std::size_t padded = (count + kLanes - 1) / kLanes * kLanes;
      for (std::size_t i = count; i < padded; ++i) losses[i] = 0.0f;
      for (std::size_t i = 0; i < padded; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += static_cast<double>(losses[i + lane]);
      }
    });
  }
};

}  // namespace imgsim::cpu
