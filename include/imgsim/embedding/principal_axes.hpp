// Leading eigenvectors of the second moments of features, for whitening.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

/// variances: descending. axes [raw, K]: one unit vector a column, its component of largest magnitude (the first of
/// equals) positive. total: the sum of all variances, kept or not.
struct principal_axes {
  Eigen::VectorXd variances;
  Eigen::MatrixXd axes;
  double total = 0.0;
};

namespace detail {

/// Features [M, raw] as Eigen sees them: column-major [raw, M].
using feature_columns = Eigen::Map<const Eigen::MatrixXf, Eigen::Unaligned, Eigen::OuterStride<>>;

/// Every `step`-th row of `features` [M, raw], from the first on.
[[nodiscard]] inline feature_columns columns_of(matrix_view<const float> features, std::size_t step = 1) {
  const auto index = [](std::size_t n) { return static_cast<Eigen::Index>(n); };
  return {features.data(), index(features.extent(1)), index((features.extent(0) + step - 1) / step),
          Eigen::OuterStride<>(index(features.stride(0) * step))};
}

[[nodiscard]] inline Eigen::VectorXd mean_of(const feature_columns& features) {
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(features.rows());
  for (Eigen::Index i = 0; i < features.cols(); ++i) sum += features.col(i).cast<double>();
  return sum / static_cast<double>(features.cols());
}

/// A dense eigensolver costs about 9 n^3 operations that do not vectorise well (0.9 s at 1000); beyond this side the
/// block Krylov method takes over where few axes are wanted.
inline constexpr Eigen::Index kDenseSide = 1024;
/// Sums are split into this many parts, whatever the number of threads, so that they do not depend on it.
inline constexpr std::size_t kMomentStrands = 4;
inline constexpr Eigen::Index kMomentBlock = 256;
/// Directions whose variance is below this fraction of the largest are rounding noise of float32 features.
inline constexpr double kRankTolerance = 1e-10;
/// So is a largest variance below this fraction of the mean's square: float32's epsilon, squared.
inline constexpr double kFlatTolerance = 0x1p-46;
inline constexpr double kKrylovTolerance = 1e-10;

/// sum over the columns b of block(begin, count) of b b^T, lower triangle, for begin .. over [0, length).
template <execution_context Context, class Block>
Eigen::MatrixXd sum_of_squares(const Context& context, Eigen::Index side, Eigen::Index length, const Block& block) {
  std::array<Eigen::MatrixXd, kMomentStrands> parts;
  context.host_pool().for_each(kMomentStrands, [&](std::size_t strand) {
    const auto cut = [&](std::size_t s) {
      return length * static_cast<Eigen::Index>(s) / static_cast<Eigen::Index>(kMomentStrands);
    };
    Eigen::MatrixXd& sum = parts[strand];
    sum.setZero(side, side);
    for (Eigen::Index begin = cut(strand), end = cut(strand + 1); begin < end; begin += kMomentBlock) {
      const Eigen::MatrixXd columns = block(begin, std::min(kMomentBlock, end - begin));
      sum.selfadjointView<Eigen::Lower>().rankUpdate(columns);
    }
  });
  for (std::size_t strand = 1; strand < kMomentStrands; ++strand) parts[0] += parts[strand];
  return std::move(parts[0]);
}

struct eigenpairs {
  Eigen::VectorXd values;   // descending
  Eigen::MatrixXd vectors;  // [n, K]
};

[[nodiscard]] inline eigenpairs dense_eigenpairs(const Eigen::MatrixXd& lower, Eigen::Index count) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(lower);
  if (solver.info() != Eigen::Success) throw backend_error("Eigen", "the eigenvalues of the features do not converge");
  return {solver.eigenvalues().tail(count).reverse(), solver.eigenvectors().rightCols(count).rowwise().reverse()};
}

/// The `count` leading pairs of a positive semi-definite matrix by block Krylov iteration with restarts (Musco and
/// Musco, 2015, arXiv:1504.05477), to residuals of kKrylovTolerance times the largest eigenvalue.
[[nodiscard]] inline eigenpairs krylov_eigenpairs(const Eigen::MatrixXd& lower, Eigen::Index count) {
  constexpr Eigen::Index kDepth = 4;
  constexpr int kMaxRestarts = 30;
  const Eigen::Index side = lower.rows();
  const Eigen::Index block = count + std::max<Eigen::Index>(16, count / 4);
  const auto matrix = lower.selfadjointView<Eigen::Lower>();
  const auto orthonormal = [](const Eigen::MatrixXd& m) -> Eigen::MatrixXd {
    return Eigen::HouseholderQR<Eigen::MatrixXd>(m).householderQ() * Eigen::MatrixXd::Identity(m.rows(), m.cols());
  };
  random_stream random(0);
  Eigen::MatrixXd start = Eigen::MatrixXd::NullaryExpr(side, block, [&] { return random.normal(); });
  Eigen::MatrixXd basis(side, block * kDepth);
  Eigen::MatrixXd image(side, block * kDepth);
  for (int restart = 0;; ++restart) {
    Eigen::MatrixXd next = orthonormal(start);
    for (Eigen::Index depth = 0; depth < kDepth; ++depth) {
      const Eigen::Index at = depth * block;
      // Twice, since one projection leaves rounding errors of the size of what it removed.
      for (int pass = 0; pass < 2 && depth > 0; ++pass) {
        const Eigen::MatrixXd overlap = basis.leftCols(at).transpose() * next;
        next.noalias() -= basis.leftCols(at) * overlap;
        next = orthonormal(next);
      }
      basis.middleCols(at, block) = next;
      image.middleCols(at, block).noalias() = matrix * next;
      next = image.middleCols(at, block);
    }
    const Eigen::MatrixXd reduced = basis.transpose() * image;
    const eigenpairs ritz = dense_eigenpairs(reduced, block);
    start.noalias() = basis * ritz.vectors;
    const Eigen::MatrixXd residual =
        image * ritz.vectors.leftCols(count) - start.leftCols(count) * ritz.values.head(count).asDiagonal();
    if (residual.colwise().norm().maxCoeff() <= kKrylovTolerance * ritz.values[0])
      return {ritz.values.head(count), start.leftCols(count)};
    if (restart == kMaxRestarts) return dense_eigenpairs(lower, count);
  }
}

[[nodiscard]] inline eigenpairs leading_eigenpairs(const Eigen::MatrixXd& lower, Eigen::Index count) {
  const bool few = count * 8 <= lower.rows();
  return few && lower.rows() > kDenseSide ? krylov_eigenpairs(lower, count) : dense_eigenpairs(lower, count);
}

}  // namespace detail

/// The at most `count` leading principal axes of `features` about `mean` (variance = mean of squares of what stands
/// out along an axis); fewer where the features span fewer dimensions. Works on the smaller of [raw, raw] and [M, M].
/// The answer does not depend on the number of threads.
template <execution_context Context>
principal_axes find_principal_axes(const Context& context, const detail::feature_columns& features,
                                   const Eigen::VectorXd& mean, std::size_t count) {
  const Eigen::Index raw = features.rows();
  const Eigen::Index photos = features.cols();
  const Eigen::Index side = std::min(raw, photos);
  const bool by_feature = raw <= photos;
  Eigen::MatrixXd moments;
  if (by_feature) {
    moments = detail::sum_of_squares(context, side, photos, [&](Eigen::Index begin, Eigen::Index n) -> Eigen::MatrixXd {
      return features.middleCols(begin, n).cast<double>().colwise() - mean;
    });
  } else {
    moments = detail::sum_of_squares(context, side, raw, [&](Eigen::Index begin, Eigen::Index n) -> Eigen::MatrixXd {
      return (features.middleRows(begin, n).cast<double>().colwise() - mean.segment(begin, n)).transpose();
    });
  }
  moments /= static_cast<double>(photos);

  principal_axes result;
  result.total = moments.trace();
  const auto wanted =
      std::min(side, static_cast<Eigen::Index>(std::min<std::size_t>(count, static_cast<std::size_t>(side))));
  detail::eigenpairs pairs = detail::leading_eigenpairs(moments, wanted);
  const double noise = std::max(detail::kRankTolerance * pairs.values[0], detail::kFlatTolerance * mean.squaredNorm());
  Eigen::Index rank = 0;
  while (rank < wanted && pairs.values[rank] > noise) ++rank;
  result.variances = pairs.values.head(rank);
  if (by_feature) {
    result.axes = pairs.vectors.leftCols(rank);
  } else {
    result.axes.noalias() = features.cast<double>() * pairs.vectors.leftCols(rank);
    result.axes.noalias() -= mean * pairs.vectors.leftCols(rank).colwise().sum();
    result.axes.colwise().normalize();
  }
  for (Eigen::Index k = 0; k < rank; ++k) {
    Eigen::Index largest = 0;
    result.axes.col(k).cwiseAbs().maxCoeff(&largest);
    if (result.axes(largest, k) < 0.0) result.axes.col(k) = -result.axes.col(k);
  }
  return result;
}

}  // namespace imgsim
