// From a network's features to the vectors that are compared: centre, whiten, normalise. fit_embedding.hpp finds the
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

/// y = P (x - mean), then y / |y|. A zero y stays zero.
struct embedding_transform {
  std::size_t raw = 0;          ///< width of the features x
  std::vector<float> mean;      ///< [raw]; empty: zero
  tensor<float, 2> projection;  ///< P [D, raw]; empty: the identity
  bool normalise = false;

  /// D
  [[nodiscard]] std::size_t dimension() const noexcept { return projection.empty() ? raw : projection.extent(0); }

  [[nodiscard]] embedding_transform clone() const {
    return {.raw = raw,
            .mean = mean,
            .projection = projection.empty() ? tensor<float, 2>() : projection.clone(),
            .normalise = normalise};
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

inline void scale_to_unit_length(float* values, std::size_t n) noexcept {
  double squares = 0.0;
  for (std::size_t i = 0; i < n; ++i) squares += static_cast<double>(values[i]) * values[i];
  if (squares == 0.0) return;
  const double factor = 1.0 / std::sqrt(squares);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<float>(values[i] * factor);
}

}  // namespace detail

/// out[B, D] = transform(features[B, raw]). A row's result depends on that row alone. `out` may be `features` where
/// there is no projection. Throws invalid_argument for shapes that do not fit.
template <execution_context Context>
void apply_embedding(const Context& context, const embedding_transform& transform, matrix_view<const float> features,
                     matrix_view<float> out) {
  const std::size_t dimension = transform.dimension();
  IMGSIM_EXPECTS(features.extent(1) == transform.raw, "features ", shape_text(features), " should have ", transform.raw,
                 " columns");
  IMGSIM_EXPECTS(out.extent(0) == features.extent(0) && out.extent(1) == dimension, "embeddings ", shape_text(out),
                 " should be [", features.extent(0), ", ", dimension, "]");
  context.host_pool().for_each(features.extent(0), [&](std::size_t i) {
    const float* raw = features.row(i);
    float* embedding = out.row(i);
    std::vector<float> centred(raw, raw + transform.raw);
    for (std::size_t j = 0; j < transform.mean.size(); ++j) centred[j] -= transform.mean[j];
    if (transform.projection.empty()) {
      std::copy(centred.begin(), centred.end(), embedding);
    } else {
      for (std::size_t d = 0; d < dimension; ++d)
        embedding[d] = detail::dot(transform.projection.view().row(d), centred.data(), transform.raw);
    }
    if (transform.normalise) detail::scale_to_unit_length(embedding, dimension);
  });
}

}  // namespace imgsim
