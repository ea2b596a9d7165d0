// From features to the vectors that are compared: centre, whiten, weigh, normalise. fit_embedding.hpp finds the
// transform; this header, which every user of a model reads, only holds and applies it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

/// A run of feature columns x and what becomes of them: y = P (x - mean).
struct embedding_part {
  std::size_t raw = 0;          ///< width of x
  std::vector<float> mean;      ///< [raw]; empty: zero
  tensor<float, 2> projection;  ///< P [D, raw]; empty: the identity

  /// D
  [[nodiscard]] std::size_t dimension() const noexcept { return projection.empty() ? raw : projection.extent(0); }

  [[nodiscard]] embedding_part clone() const {
    return {.raw = raw, .mean = mean, .projection = projection.empty() ? tensor<float, 2>() : projection.clone()};
  }
};

/// How much each of P parts counts, which depends on the kind of photo: shape says more of a garment, colour more of a
/// fruit. With z the parts' unit vectors joined and scaled to length 1, a photo belongs to kind g as far as
/// softmax(kKindSharpness * centres z) says, and its weights are the kinds' weights, mixed so.
struct part_weighting {
  tensor<float, 2> centres;  ///< [G, D], unit vectors; empty where there is one kind
  tensor<float, 2> weights;  ///< [G, P], each row of sum 1; empty: parts are joined as they are

  [[nodiscard]] bool empty() const noexcept { return weights.empty(); }
};

inline constexpr float kKindSharpness = 30;

/// The parts' y, joined. Where they are weighted, each is first scaled to the square root of its weight, whatever its
/// length was, so that the cosine of two photos of one kind is the weighted mean of their parts' cosines. `normalise`
/// then scales the whole to length 1. A zero vector stays zero.
struct embedding_transform {
  std::vector<embedding_part> parts;
  part_weighting weighting;
  bool normalise = false;

  [[nodiscard]] std::size_t raw() const noexcept {
    std::size_t sum = 0;
    for (const embedding_part& part : parts) sum += part.raw;
    return sum;
  }
  /// D
  [[nodiscard]] std::size_t dimension() const noexcept {
    std::size_t sum = 0;
    for (const embedding_part& part : parts) sum += part.dimension();
    return sum;
  }

  [[nodiscard]] embedding_transform clone() const {
    embedding_transform copy{.parts = {}, .weighting = {}, .normalise = normalise};
    for (const embedding_part& part : parts) copy.parts.push_back(part.clone());
    if (!weighting.centres.empty()) copy.weighting.centres = weighting.centres.clone();
    if (!weighting.weights.empty()) copy.weighting.weights = weighting.weights.clone();
    return copy;
  }
};

namespace detail {

inline constexpr std::size_t kDotLanes = 16;

/// Sums in lanes that a compiler can keep in vector registers, in an order that depends on nothing but `n`.
[[nodiscard]] inline float dot(const float* a, const float* b, std::size_t n) noexcept {
  float lanes[kDotLanes] = {};
  std::size_t i = 0;
  for (; i + kDotLanes <= n; i += kDotLanes)
    for (std::size_t lane = 0; lane < kDotLanes; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  for (std::size_t lane = 0; i < n; ++i, ++lane) lanes[lane] += a[i] * b[i];
  for (std::size_t width = kDotLanes / 2; width > 0; width /= 2)
    for (std::size_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  return lanes[0];
}

inline void scale_to_length(float* values, std::size_t n, double length) noexcept {
  double squares = 0.0;
  for (std::size_t i = 0; i < n; ++i) squares += static_cast<double>(values[i]) * values[i];
  if (squares == 0.0) return;
  const double factor = length / std::sqrt(squares);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<float>(values[i] * factor);
}

/// y = P (x - mean) of one photo; `centred` is room for `part.raw` numbers, and may be `x`.
inline void apply_part(const embedding_part& part, const float* x, float* centred, float* y) {
  for (std::size_t j = 0; j < part.raw; ++j) centred[j] = part.mean.empty() ? x[j] : x[j] - part.mean[j];
  if (part.projection.empty()) {
    std::copy_n(centred, part.raw, y);
  } else {
    for (std::size_t d = 0; d < part.dimension(); ++d) y[d] = dot(part.projection.view().row(d), centred, part.raw);
  }
}

/// Membership of a photo in each kind, [G]; `joined` [D] of length 1.
inline std::vector<float> kind_shares(const tensor<float, 2>& centres, const float* joined) {
  std::vector<float> shares(centres.extent(0));
  for (std::size_t g = 0; g < shares.size(); ++g)
    shares[g] = kKindSharpness * dot(centres.view().row(g), joined, centres.extent(1));
  const float largest = std::ranges::max(shares);
  float sum = 0;
  for (float& share : shares) sum += share = std::exp(share - largest);
  for (float& share : shares) share /= sum;
  return shares;
}

/// Turns the parts' y, joined in `embedding`, into parts of length sqrt(weight).
inline void weigh_parts(const embedding_transform& transform, float* embedding) {
  const part_weighting& weighting = transform.weighting;
  const std::size_t parts = transform.parts.size();
  const auto scale_parts = [&](auto&& length_of) {
    float* part = embedding;
    for (std::size_t p = 0; p < parts; part += transform.parts[p++].dimension())
      scale_to_length(part, transform.parts[p].dimension(), length_of(p));
  };
  std::vector<float> shares{1.0F};
  if (!weighting.centres.empty()) {
    scale_parts([](std::size_t) { return 1.0; });
    scale_to_length(embedding, transform.dimension(), 1.0);
    shares = kind_shares(weighting.centres, embedding);
  }
  scale_parts([&](std::size_t p) {
    double weight = 0.0;
    for (std::size_t g = 0; g < shares.size(); ++g) weight += static_cast<double>(shares[g]) * weighting.weights(g, p);
    return std::sqrt(weight);
  });
}

}  // namespace detail

/// Throws invalid_argument where the shapes of parts and weights do not fit each other, a weight is no share, or a
/// centre is longer than 1.
inline void check_embedding(const embedding_transform& transform) {
  IMGSIM_EXPECTS(!transform.parts.empty(), "an embedding has no parts");
  for (const embedding_part& part : transform.parts) {
    IMGSIM_EXPECTS(part.mean.empty() || part.mean.size() == part.raw, "a mean of ", part.mean.size(),
                   " numbers does not fit ", part.raw, " features");
    IMGSIM_EXPECTS(part.projection.empty() || part.projection.extent(1) == part.raw, "a projection of ",
                   part.projection.extent(1), " columns does not fit ", part.raw, " features");
  }
  const tensor<float, 2>& weights = transform.weighting.weights;
  const tensor<float, 2>& centres = transform.weighting.centres;
  IMGSIM_EXPECTS(centres.empty() || centres.extent(1) == transform.dimension(), "centres of kinds ",
                 shape_text(centres.view()), " do not fit an embedding of ", transform.dimension(), " numbers");
  if (weights.empty() && centres.empty()) return;
  IMGSIM_EXPECTS(
      weights.extent(0) == std::max<std::size_t>(centres.extent(0), 1) && weights.extent(1) == transform.parts.size(),
      "weights ", shape_text(weights.view()), " do not fit ", std::max<std::size_t>(centres.extent(0), 1), " kinds of ",
      transform.parts.size(), " parts");
  constexpr double kRounding = 1e-3;
  for (std::size_t g = 0; g < weights.extent(0); ++g) {
    double sum = 0.0;
    double squares = 0.0;
    for (std::size_t p = 0; p < weights.extent(1); ++p) {
      IMGSIM_EXPECTS(weights(g, p) >= 0.0F, "a part has a weight of ", weights(g, p));
      sum += weights(g, p);
    }
    for (std::size_t d = 0; d < centres.extent(1); ++d) squares += static_cast<double>(centres(g, d)) * centres(g, d);
    IMGSIM_EXPECTS(std::abs(sum - 1.0) <= kRounding, "the weights of parts sum to ", sum, ", not to 1");
    IMGSIM_EXPECTS(squares <= 1.0 + kRounding, "the centre of a kind has length ", std::sqrt(squares), ", not 1");
  }
}

/// out[B, D] = transform(features[B, raw]). A row's result depends on that row alone. `out` may be `features` where
/// there is no projection. Throws invalid_argument for shapes that do not fit.
template <execution_context Context>
void apply_embedding(const Context& context, const embedding_transform& transform, matrix_view<const float> features,
                     matrix_view<float> out) {
  check_embedding(transform);
  const std::size_t raw = transform.raw();
  const std::size_t dimension = transform.dimension();
  IMGSIM_EXPECTS(features.extent(1) == raw, "features ", shape_text(features), " should have ", raw, " columns");
  IMGSIM_EXPECTS(out.extent(0) == features.extent(0) && out.extent(1) == dimension, "embeddings ", shape_text(out),
                 " should be [", features.extent(0), ", ", dimension, "]");
  context.host_pool().for_each(features.extent(0), [&](std::size_t i) {
    const float* x = features.row(i);
    float* y = out.row(i);
    std::vector<float> centred(raw);
    for (const embedding_part& part : transform.parts) {
      detail::apply_part(part, x, centred.data(), y);
      x += part.raw;
      y += part.dimension();
    }
    if (!transform.weighting.empty()) detail::weigh_parts(transform, out.row(i));
    if (transform.normalise) detail::scale_to_length(out.row(i), dimension, 1.0);
  });
}

}  // namespace imgsim
