// The two kinds of photos that a folder holds most clearly.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include <imgsim/core/context.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/embedding/principal_axes.hpp>
#include <imgsim/embedding/transform.hpp>

namespace imgsim {

/// Photos that one kind must have at least; also how many photos the whole folder's agreement stands for beside a
/// kind's own (part_agreement.hpp).
inline constexpr std::size_t kMinKindPhotos = 150;

namespace detail {

/// The two halves of `points` [D, n] (unit columns): unit centres [2, D]; none where one would have fewer than
/// kMinKindPhotos.
template <execution_context Context>
[[nodiscard]] tensor<float, 2> split_in_two(const Context& context, const Eigen::MatrixXf& points) {
  constexpr int kMaxSteps = 30;
  const Eigen::Index n = points.cols();
  const feature_columns columns(points.data(), points.rows(), n, Eigen::OuterStride<>(points.rows()));
  const Eigen::VectorXd mean = mean_of(columns);
  const principal_axes axis = find_principal_axes(context, columns, mean, 1);
  if (axis.variances.size() == 0) return {};
  std::vector<std::size_t> side_of(static_cast<std::size_t>(n));
  for (Eigen::Index i = 0; i < n; ++i)
    side_of[static_cast<std::size_t>(i)] = axis.axes.col(0).dot(points.col(i).cast<double>() - mean) > 0.0 ? 1 : 0;

  std::array<Eigen::VectorXd, 2> centres;
  for (int step = 0; step < kMaxSteps; ++step) {
    std::array<std::size_t, 2> sizes{};
    centres.fill(Eigen::VectorXd::Zero(points.rows()));
    for (Eigen::Index i = 0; i < n; ++i) {
      const std::size_t side = side_of[static_cast<std::size_t>(i)];
      centres[side] += points.col(i).cast<double>();
      ++sizes[side];
    }
    if (std::min(sizes[0], sizes[1]) < kMinKindPhotos) return {};
    for (std::size_t side = 0; side < 2; ++side) centres[side] /= static_cast<double>(sizes[side]);
    bool changed = false;
    for (Eigen::Index i = 0; i < n; ++i) {
      const Eigen::VectorXd point = points.col(i).cast<double>();
      const std::size_t side = (point - centres[1]).squaredNorm() < (point - centres[0]).squaredNorm() ? 1 : 0;
      changed |= std::exchange(side_of[static_cast<std::size_t>(i)], side) != side;
    }
    if (!changed) break;
  }
  tensor<float, 2> out({2, static_cast<std::size_t>(points.rows())});
  for (std::size_t side = 0; side < 2; ++side) {
    for (Eigen::Index d = 0; d < points.rows(); ++d)
      out(side, static_cast<std::size_t>(d)) = static_cast<float>(centres[side][d]);
    scale_to_length(out.view().row(side), out.extent(1), 1.0);
  }
  return out;
}

/// Membership of each of `points` [D, n] in each kind: [G, n], with one kind where there are no `centres`.
[[nodiscard]] inline tensor<float, 2> kind_shares_of(const tensor<float, 2>& centres, const Eigen::MatrixXf& points) {
  tensor<float, 2> shares({std::max<std::size_t>(centres.extent(0), 1), static_cast<std::size_t>(points.cols())});
  std::ranges::fill(shares, 1.0F);
  if (centres.empty()) return shares;
  for (std::size_t i = 0; i < shares.extent(1); ++i) {
    const std::vector<float> of_photo = kind_shares(centres, points.col(static_cast<Eigen::Index>(i)).data());
    for (std::size_t g = 0; g < shares.extent(0); ++g) shares(g, i) = of_photo[g];
  }
  return shares;
}

}  // namespace detail

}  // namespace imgsim
