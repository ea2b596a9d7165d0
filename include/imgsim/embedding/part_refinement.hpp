// Directions of a part, weighed by the pairs of photos that other parts nominate: part_agreement.hpp says why.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include <imgsim/core/context.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/embedding/nearest_sets.hpp>
#include <imgsim/embedding/principal_axes.hpp>
#include <imgsim/embedding/transform.hpp>

namespace imgsim::detail {

/// y of each photo, as columns [D, n].
template <execution_context Context>
[[nodiscard]] Eigen::MatrixXf part_columns(const Context& context, const embedding_part& part,
                                           matrix_view<const float> features, std::size_t first) {
  Eigen::MatrixXf columns(static_cast<Eigen::Index>(part.dimension()), static_cast<Eigen::Index>(features.extent(0)));
  context.host_pool().for_each(features.extent(0), [&](std::size_t i) {
    std::vector<float> centred(part.raw);
    apply_part(part, features.row(i) + first, centred.data(), columns.col(static_cast<Eigen::Index>(i)).data());
  });
  return columns;
}

inline Eigen::MatrixXf to_unit_columns(Eigen::MatrixXf columns) {
  const auto rows = static_cast<std::size_t>(columns.rows());
  for (Eigen::Index i = 0; i < columns.cols(); ++i) scale_to_length(columns.col(i).data(), rows, 1.0);
  return columns;
}

/// R of a part over pairs of other parts, each list (none empty) counting alike, and by how much its eigenvalues are
/// lowered: the deviation by chance of an entry on the diagonal, over the pairs of one list. (Eigenvalues deviate more;
/// to leave out all that chance can give costs more of what is true than it spares.)
struct pair_moments {
  Eigen::MatrixXd moments;  // the lower triangle
  double damping = 0.0;
  double pairs = 0.0;  // of a list, in the mean
};

[[nodiscard]] inline pair_moments moments_of_pairs(const Eigen::MatrixXf& columns,
                                                   std::span<const photo_pairs* const> nominations) {
  const auto index = [](std::size_t n) { return static_cast<Eigen::Index>(n); };
  pair_moments sum{.moments = Eigen::MatrixXd::Zero(columns.rows(), columns.rows())};
  const auto lists = static_cast<double>(nominations.size());
  for (const photo_pairs* list : nominations) {
    Eigen::MatrixXf left(columns.rows(), index(list->size()));
    Eigen::MatrixXf right(columns.rows(), index(list->size()));
    for (std::size_t k = 0; k < list->size(); ++k) {
      left.col(index(k)) = columns.col(index((*list)[k].first));
      right.col(index(k)) = columns.col(index((*list)[k].second));
    }
    // (x y^T + y x^T) / 2 = ((x + y)(x + y)^T - (x - y)(x - y)^T) / 4
    const auto pairs = static_cast<double>(list->size());
    const double share = 0.25 / (pairs * lists);
    auto lower = sum.moments.selfadjointView<Eigen::Lower>();
    lower.rankUpdate((left + right).cast<double>().eval(), share);
    lower.rankUpdate((left - right).cast<double>().eval(), -share);
    sum.damping += 1.0 / (pairs * lists);
    sum.pairs += pairs / lists;
  }
  sum.damping = std::sqrt(sum.damping);
  return sum;
}

/// R^(1/2) P in place of the part's projection P; P stays where there are fewer pairs than directions. O(D^3).
inline void refine_part(embedding_part& part, const Eigen::MatrixXf& columns,
                        std::span<const photo_pairs* const> nominations) {
  if (part.projection.empty() || nominations.empty()) return;
  // Scaled so that a coordinate's mean square is 1, and R's entries are correlations.
  const double scale = std::sqrt(static_cast<double>(columns.size()) / columns.cast<double>().squaredNorm());
  const pair_moments found = moments_of_pairs(columns * static_cast<float>(scale), nominations);
  if (found.pairs < static_cast<double>(columns.rows())) return;
  const eigenpairs directions = dense_eigenpairs(found.moments, found.moments.rows());
  Eigen::Index kept = 0;
  while (kept < directions.values.size() && directions.values[kept] > found.damping) ++kept;
  if (kept == 0) return;
  const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> projection(
      part.projection.data(), columns.rows(), static_cast<Eigen::Index>(part.raw));
  const Eigen::VectorXd roots = (directions.values.head(kept).array() - found.damping).sqrt() * scale;
  const Eigen::MatrixXd refined =
      roots.asDiagonal() * (directions.vectors.leftCols(kept).transpose() * projection.cast<double>());
  tensor<float, 2> out({static_cast<std::size_t>(kept), part.raw});
  for (Eigen::Index d = 0; d < kept; ++d)
    for (Eigen::Index j = 0; j < refined.cols(); ++j)
      out(static_cast<std::size_t>(d), static_cast<std::size_t>(j)) = static_cast<float>(refined(d, j));
  part.projection = std::move(out);
}

}  // namespace imgsim::detail
