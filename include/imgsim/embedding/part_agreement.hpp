// Weighs the parts of an embedding, and the directions within each, without labels, by how far the parts agree.
//
// Parts that see different things of a photo (its shapes, its texture, its colours) err in different ways. So a pair of
// photos that two of them find close is more often of one thing than chance has it, and this tells three numbers that
// otherwise need labels:
//
//   directions  In part a, direction d counts as far as it is alike in the pairs that the other parts nominate (the
//               mutual nearest neighbours there): with R the mean of x_i x_j^T over such pairs, x_a becomes
//               R^(1/2) x_a, less what chance gives R. This is canonical correlation analysis (Hotelling, 1936) with
//               neighbours in the place of second measurements, as co-training has it (Blum and Mitchell, 1998,
//               doi:10.1145/279943.279962).
//   weights     With errors that are independent, the agreement L_ab of two parts beyond chance is the product of what
//               each is worth, so that three parts tell each one's worth (Parisi et al., 2014,
//               doi:10.1073/pnas.1219097111): colour is worth (L_ct / L_st)^2 of what shape is, where texture t is the
//               third. Weights are worths cubed.
//   kinds       On which photos each is worth more: the folder is split in two along its main axis (Boley, 1998,
//               doi:10.1023/A:1009740529316, then Lloyd's steps), and each half has weights of its own.
//
// bench/quality has what each of these gains.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
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
#include <imgsim/image/photo_statistics.hpp>

namespace imgsim {

/// With fewer photos than this, who is near whom tells nothing: parts are not refined and count alike.
inline constexpr std::size_t kMinAgreementPhotos = 20;
/// Photos that one kind must have at least; also how many photos the whole folder's agreement stands for beside a
/// kind's own.
inline constexpr std::size_t kMinKindPhotos = 150;

namespace detail {

inline constexpr std::size_t kAgreementNeighbours = 5;
/// The share of the weights that the parts beside shape and colour have, each; those see some of both.
inline constexpr double kOtherPartWeight = 0.13 / 1.26;
inline constexpr double kLeastAgreement = 0.02;  ///< beyond chance, in units of chance
inline constexpr double kMaxLogRatio = 4.0;      ///< of two weights

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

using photo_pairs = std::vector<std::pair<std::size_t, std::size_t>>;

/// R of a part over pairs of other parts, each list counting alike, and R's noise: the deviation of an entry of it by
/// chance.
struct pair_moments {
  Eigen::MatrixXd moments;
  double noise = 0.0;
};

[[nodiscard]] inline pair_moments moments_of_pairs(const Eigen::MatrixXf& columns,
                                                   std::span<const photo_pairs* const> nominations) {
  const auto index = [](std::size_t n) { return static_cast<Eigen::Index>(n); };
  pair_moments sum{.moments = Eigen::MatrixXd::Zero(columns.rows(), columns.rows())};
  double pairs = 0.0;
  for (const photo_pairs* list : nominations) {
    Eigen::MatrixXf left(columns.rows(), index(list->size()));
    Eigen::MatrixXf right(columns.rows(), index(list->size()));
    for (std::size_t k = 0; k < list->size(); ++k) {
      left.col(index(k)) = columns.col(index((*list)[k].first));
      right.col(index(k)) = columns.col(index((*list)[k].second));
    }
    if (list->empty()) continue;
    const Eigen::MatrixXd product = (left * right.transpose()).cast<double>() / static_cast<double>(list->size());
    sum.moments += (product + product.transpose()) / (2.0 * static_cast<double>(nominations.size()));
    pairs += static_cast<double>(list->size()) / static_cast<double>(nominations.size());
  }
  sum.noise = pairs > 0 ? 1.0 / std::sqrt(pairs) : 1.0;
  return sum;
}

/// R^(1/2) P in place of the part's projection P; nothing where no direction stands out from the noise.
inline void refine_part(embedding_part& part, const Eigen::MatrixXf& columns,
                        std::span<const photo_pairs* const> nominations) {
  if (part.projection.empty()) return;
  // Scaled so that a coordinate's mean square is 1, and R's entries are correlations.
  const double scale = std::sqrt(static_cast<double>(columns.size()) / columns.cast<double>().squaredNorm());
  const pair_moments found = moments_of_pairs(columns * static_cast<float>(scale), nominations);
  const eigenpairs directions = dense_eigenpairs(found.moments, found.moments.rows());
  Eigen::Index kept = 0;
  while (kept < directions.values.size() && directions.values[kept] > found.noise) ++kept;
  if (kept == 0) return;
  const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> projection(
      part.projection.data(), columns.rows(), static_cast<Eigen::Index>(part.raw));
  const Eigen::VectorXd roots = (directions.values.head(kept).array() - found.noise).sqrt() * scale;
  const Eigen::MatrixXd refined =
      roots.asDiagonal() * (directions.vectors.leftCols(kept).transpose() * projection.cast<double>());
  tensor<float, 2> out({static_cast<std::size_t>(kept), part.raw});
  for (Eigen::Index d = 0; d < kept; ++d)
    for (Eigen::Index j = 0; j < refined.cols(); ++j)
      out(static_cast<std::size_t>(d), static_cast<std::size_t>(j)) = static_cast<float>(refined(d, j));
  part.projection = std::move(out);
}

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

/// What `shares` [n] of the photos agree on beyond chance, in units of chance; `prior` counts as kMinKindPhotos more.
[[nodiscard]] inline double mean_agreement(std::span<const double> agreement, std::span<const float> shares,
                                           double prior) {
  double sum = prior * static_cast<double>(kMinKindPhotos);
  double photos = static_cast<double>(kMinKindPhotos);
  for (std::size_t i = 0; i < agreement.size(); ++i) {
    sum += agreement[i] * shares[i];
    photos += shares[i];
  }
  return sum / photos;
}

/// How many neighbours each photo has in common in two parts, less what chance gives, in units of chance.
[[nodiscard]] inline std::vector<double> agreement_of(const nearest_sets& a, const nearest_sets& b) {
  std::vector<double> agreement(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double chance = static_cast<double>(a[i].size() * b[i].size()) / static_cast<double>(a.size() - 1);
    agreement[i] = static_cast<double>(shared_members(a[i], b[i])) / chance - 1.0;
  }
  return agreement;
}

}  // namespace detail

/// Refines and weighs the parts of `transform`, which are those of features [n, raw]: the network's, then one for each
/// of `statistics`. Weights are told by agreement where edges, texture and colour are all there; else, and with fewer
/// than kMinAgreementPhotos photos, the parts count alike. O(n^2 D).
template <execution_context Context>
void weigh_by_agreement(const Context& context, matrix_view<const float> features,
                        std::span<const photo_statistic> statistics, embedding_transform& transform) {
  const std::size_t photos = features.extent(0);
  const std::size_t parts = transform.parts.size();
  const auto all_parts = [&](auto&& body) { context.host_pool().for_each(parts, body); };
  const auto columns_of_parts = [&] {
    std::vector<Eigen::MatrixXf> columns;
    std::size_t first = 0;
    for (const embedding_part& part : transform.parts) {
      columns.push_back(detail::part_columns(context, part, features, first));
      first += part.raw;
    }
    return columns;
  };
  transform.weighting = {};
  transform.weighting.weights = tensor<float, 2>({1, parts});
  std::ranges::fill(transform.weighting.weights, 1.0F / static_cast<float>(parts));
  if (photos < kMinAgreementPhotos) return;

  // Of few photos, fewer are alike.
  const std::size_t neighbours = std::clamp<std::size_t>(photos / 20, 2, detail::kAgreementNeighbours);
  std::vector<detail::nearest_sets> nearest;
  std::vector<detail::photo_pairs> pairs;
  {
    const std::vector<Eigen::MatrixXf> columns = columns_of_parts();
    for (const Eigen::MatrixXf& part : columns) {
      nearest.push_back(detail::find_nearest_sets(context, detail::to_unit_columns(part), neighbours));
      pairs.push_back(detail::mutual_pairs(nearest.back()));
    }
    all_parts([&](std::size_t p) {
      std::vector<const detail::photo_pairs*> others;
      for (std::size_t other = 0; other < parts; ++other)
        if (other != p) others.push_back(&pairs[other]);
      detail::refine_part(transform.parts[p], columns[p], others);
    });
  }

  const auto part_of = [&](photo_statistic statistic) -> std::optional<std::size_t> {
    const auto found = std::ranges::find(statistics, statistic);
    if (found == statistics.end()) return std::nullopt;
    return static_cast<std::size_t>(found - statistics.begin()) + 1;
  };
  const auto edges = part_of(photo_statistic::edges);
  const auto texture = part_of(photo_statistic::texture);
  const auto colour = part_of(photo_statistic::colour);
  if (!edges || !texture || !colour) return;
  const std::vector<double> by_shape = detail::agreement_of(nearest[*edges], nearest[*texture]);
  const std::vector<double> by_colour = detail::agreement_of(nearest[*colour], nearest[*texture]);

  Eigen::MatrixXf joined(static_cast<Eigen::Index>(transform.dimension()), static_cast<Eigen::Index>(photos));
  Eigen::Index row = 0;
  for (Eigen::MatrixXf& part : columns_of_parts()) {
    const Eigen::Index rows = part.rows();
    joined.middleRows(row, rows) = detail::to_unit_columns(std::move(part));
    row += rows;
  }
  joined = detail::to_unit_columns(std::move(joined));
  transform.weighting.centres = detail::split_in_two(context, joined);
  const std::size_t kinds = std::max<std::size_t>(transform.weighting.centres.extent(0), 1);
  tensor<float, 2> shares({kinds, photos});
  std::ranges::fill(shares, 1.0F);
  if (kinds > 1) {
    for (std::size_t i = 0; i < photos; ++i) {
      const std::vector<float> of_photo =
          detail::kind_shares(transform.weighting.centres, joined.col(static_cast<Eigen::Index>(i)).data());
      for (std::size_t g = 0; g < kinds; ++g) shares(g, i) = of_photo[g];
    }
  }

  const std::vector<float> everyone(photos, 1.0F);
  const double shape_overall = detail::mean_agreement(by_shape, everyone, 0.0);
  const double colour_overall = detail::mean_agreement(by_colour, everyone, 0.0);
  tensor<float, 2> weights({kinds, parts});
  for (std::size_t g = 0; g < kinds; ++g) {
    const std::span<const float> of_kind(shares.view().row(g), photos);
    const double shape = detail::mean_agreement(by_shape, of_kind, shape_overall);
    const double colour_worth = detail::mean_agreement(by_colour, of_kind, colour_overall);
    const double log_ratio =
        6.0 * std::log(std::max(colour_worth, detail::kLeastAgreement) / std::max(shape, detail::kLeastAgreement));
    const double ratio = std::exp(std::clamp(log_ratio, -detail::kMaxLogRatio, detail::kMaxLogRatio));
    const double left = 1.0 - static_cast<double>(parts - 2) * detail::kOtherPartWeight;
    for (std::size_t p = 0; p < parts; ++p) weights(g, p) = static_cast<float>(detail::kOtherPartWeight);
    weights(g, *edges) = static_cast<float>(left / (1.0 + ratio));
    weights(g, *colour) = static_cast<float>(left * ratio / (1.0 + ratio));
  }
  transform.weighting.weights = std::move(weights);
}

}  // namespace imgsim
