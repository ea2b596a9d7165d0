// A baseline that an encoder has to beat (see baselines.hpp): principal components of the pixels.
#pragma once

#include <cstddef>

#include <Eigen/Core>

#include <imgsim/core/context.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/embedding/principal_axes.hpp>

namespace imgsim {

/// Principal components of the pixels that photos are compared by.
inline constexpr std::size_t kPrincipalComponents = 64;

/// Coordinates of features [M, F] along their `count` leading principal axes about their mean: [M, K], K = count or
/// fewer where the features span fewer dimensions. No whitening.
template <execution_context Context>
[[nodiscard]] tensor<float, 2> principal_component_features(const Context& context, matrix_view<const float> features,
                                                            std::size_t count = kPrincipalComponents) {
  if (features.empty() || count == 0) return tensor<float, 2>({features.extent(0), 0});
  const auto index = [](std::size_t n) { return static_cast<Eigen::Index>(n); };
  const detail::feature_columns columns = detail::columns_of(features);
  const Eigen::VectorXd mean = detail::mean_of(columns);
  const principal_axes found = find_principal_axes(context, columns, mean, count);

  tensor<float, 2> coordinates({features.extent(0), static_cast<std::size_t>(found.axes.cols())});
  context.host_pool().for_each(features.extent(0), [&](std::size_t i) {
    const Eigen::VectorXd along = found.axes.transpose() * (columns.col(index(i)).template cast<double>() - mean);
    for (std::size_t k = 0; k < coordinates.extent(1); ++k) coordinates(i, k) = static_cast<float>(along[index(k)]);
  });
  return coordinates;
}

}  // namespace imgsim
