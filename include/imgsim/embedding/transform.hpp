// From a network's features to the vectors that are compared: centre, whiten, normalise.
//
// Whitening gives every principal direction of the photos' features the same weight. It is damped by shrinking the
// variances v towards their mean m over all raw dimensions, v' = (1 - s) v + s m (Ledoit and Wolf, 2004,
// doi:10.1016/S0047-259X(03)00096-4), so that directions that hold mostly noise are not blown up.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/embedding/embedding_spec.hpp>
#include <imgsim/embedding/principal_axes.hpp>

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

/// Photos that the whitening is fitted on where both they and the raw dimensions are more: evenly spaced ones.
inline constexpr std::size_t kMaxWhiteningSide = 4096;

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

[[nodiscard]] inline Eigen::VectorXd mean_of(const feature_columns& features) {
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(features.rows());
  for (Eigen::Index i = 0; i < features.cols(); ++i) sum += features.col(i).cast<double>();
  return sum / static_cast<double>(features.cols());
}

}  // namespace detail

/// Fits what `spec` asks for (centre, whiten, shrinkage, normalise) to features [M, raw]. The dimension is the smaller
/// of spec.whiten and the number of dimensions that the features span. Where they span none (one photo, or all alike)
/// there is nothing to centre or whiten by, and the transform only normalises. Whitening costs O(M raw min(M, raw)).
/// The answer does not depend on the number of threads. Throws invalid_argument for no photos, for features that are
/// not finite and for a shrinkage outside [0, 1].
template <execution_context Context>
[[nodiscard]] embedding_transform fit_embedding(const Context& context, matrix_view<const float> features,
                                                const embedding_spec& spec) {
  const std::size_t photos = features.extent(0);
  const std::size_t raw = features.extent(1);
  IMGSIM_EXPECTS(photos > 0 && raw > 0, "an embedding cannot be fitted to features ", shape_text(features));
  IMGSIM_EXPECTS(spec.shrinkage >= 0.0 && spec.shrinkage <= 1.0, "the shrinkage must be in [0, 1], not ",
                 spec.shrinkage);
  embedding_transform transform{.raw = raw, .mean = {}, .projection = {}, .normalise = spec.normalise};
  if (!spec.centre && spec.whiten == 0) return transform;

  const std::size_t step =
      spec.whiten > 0 && raw > kMaxWhiteningSide ? (photos + kMaxWhiteningSide - 1) / kMaxWhiteningSide : 1;
  const auto index = [](std::size_t n) { return static_cast<Eigen::Index>(n); };
  const detail::feature_columns columns(features.data(), index(raw), index((photos + step - 1) / step),
                                        Eigen::OuterStride<>(index(features.stride(0) * step)));
  for (std::size_t i = 0; i < photos; i += step)
    IMGSIM_EXPECTS(columns.col(index(i / step)).allFinite(), "the features of photo ", i,
                   " are not finite: the network's weights are damaged or its training diverged");
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(index(raw));
  if (spec.centre) mean = detail::mean_of(columns);
  if (spec.whiten > 0) {
    const principal_axes found = find_principal_axes(context, columns, mean, spec.whiten);
    if (found.variances.size() == 0) return transform;
    const double target = found.total / static_cast<double>(raw);
    transform.projection = tensor<float, 2>({static_cast<std::size_t>(found.variances.size()), raw});
    for (std::size_t d = 0; d < transform.projection.extent(0); ++d) {
      const double shrunk = (1.0 - spec.shrinkage) * found.variances[index(d)] + spec.shrinkage * target;
      for (std::size_t j = 0; j < raw; ++j)
        transform.projection(d, j) = static_cast<float>(found.axes(index(j), index(d)) / std::sqrt(shrunk));
    }
  } else {
    bool all_alike = true;
    for (Eigen::Index i = 1; i < columns.cols() && all_alike; ++i) all_alike = columns.col(i) == columns.col(0);
    if (all_alike) return transform;
  }
  if (spec.centre) {
    transform.mean.resize(raw);
    for (std::size_t j = 0; j < raw; ++j) transform.mean[j] = static_cast<float>(mean[index(j)]);
  }
  return transform;
}

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
