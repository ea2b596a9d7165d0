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
//   weights     With errors that are independent, the agreement L_ab of two parts beyond chance is the product of how
//               right each is (Parisi et al., 2014, doi:10.1073/pnas.1219097111), so that a third, texture t, tells how
//               right colour c is beside shape s: L_ct / L_st. The ratio of their weights is its sixth power (better
//               than the fourth on each of three sets), between e^-4 and e^4; the network's part and texture, which
//               see some of both, have fixed shares.
//   kinds       On which photos each is worth more: the folder is split in two along its main axis (Boley, 1998,
//               doi:10.1023/A:1009740529316, then Lloyd's steps), and each half has weights of its own.
//
// bench/results/quality.md has what each of these gains.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/embedding/nearest_sets.hpp>
#include <imgsim/embedding/part_refinement.hpp>
#include <imgsim/embedding/photo_kinds.hpp>
#include <imgsim/embedding/transform.hpp>
#include <imgsim/image/photo_statistics.hpp>

namespace imgsim {

/// With fewer photos than this, who is near whom tells nothing: parts are not refined and count alike.
inline constexpr std::size_t kMinAgreementPhotos = 20;

/// What weigh_by_agreement() does, each to be left out in experiments (bench/quality/ablation.cpp).
struct agreement_steps {
  bool directions = true;  ///< refine parts; else they stay as they are
  bool weights = true;     ///< tell weights; else parts count alike
  bool kinds = true;       ///< of two kinds of photos; else of all
};

namespace detail {

inline constexpr std::size_t kAgreementNeighbours = 5;
/// The share of the weights that the parts beside shape and colour have, each; those see some of both.
inline constexpr double kOtherPartWeight = 0.1;
inline constexpr double kWeightPower = 6.0;
inline constexpr double kMaxLogRatio = 4.0;  ///< of two weights
/// Deviations by chance that are added to each agreement, so that what chance can give tells little: two of them in
/// opposite directions then change the ratio of weights threefold.
inline constexpr double kAgreementNoise = 10.0;

/// How many neighbours each photo has in common in two parts, less what chance gives, in units of chance; 0 where it
/// has none in one of them.
[[nodiscard]] inline std::vector<double> agreement_of(const nearest_sets& a, const nearest_sets& b) {
  std::vector<double> agreement(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double chance = static_cast<double>(a[i].size() * b[i].size()) / static_cast<double>(a.size() - 1);
    agreement[i] = chance > 0 ? static_cast<double>(shared_members(a[i], b[i])) / chance - 1.0 : 0.0;
  }
  return agreement;
}

/// The mean over each kind, in which that of all photos counts as kMinKindPhotos photos more, and what chance can give:
/// of sets of `neighbours`, a mean over all n photos deviates by 1 / neighbours whatever n is, that over m of them by
/// sqrt(n / m) as much.
[[nodiscard]] inline std::vector<double> agreement_by_kind(std::span<const double> agreement, std::size_t neighbours,
                                                           const tensor<float, 2>& shares) {
  const auto all = static_cast<double>(agreement.size());
  const double overall = std::accumulate(agreement.begin(), agreement.end(), 0.0) / all;
  std::vector<double> means;
  for (std::size_t g = 0; g < shares.extent(0); ++g) {
    double sum = overall * static_cast<double>(kMinKindPhotos);
    double photos = static_cast<double>(kMinKindPhotos);
    for (std::size_t i = 0; i < agreement.size(); ++i) {
      sum += agreement[i] * shares(g, i);
      photos += shares(g, i);
    }
    const double deviation = std::sqrt(std::max(all / photos, 1.0)) / static_cast<double>(neighbours);
    means.push_back(std::max(sum / photos, 0.0) + kAgreementNoise * deviation);
  }
  return means;
}

/// Where each statistic stands among the parts.
struct judged_parts {
  std::size_t edges;
  std::size_t texture;
  std::size_t colour;
};
[[nodiscard]] inline std::optional<judged_parts> find_judged_parts(std::span<const photo_statistic> statistics) {
  std::array<std::size_t, kPhotoStatistics.size()> at{};  // 0 is the network's
  for (std::size_t s = 0; s < statistics.size(); ++s) at[static_cast<std::size_t>(statistics[s])] = s + 1;
  const judged_parts found{.edges = at[static_cast<std::size_t>(photo_statistic::edges)],
                           .texture = at[static_cast<std::size_t>(photo_statistic::texture)],
                           .colour = at[static_cast<std::size_t>(photo_statistic::colour)]};
  return found.edges > 0 && found.texture > 0 && found.colour > 0 ? std::optional(found) : std::nullopt;
}

/// Weights [G, parts] of kinds with memberships `shares` [G, n].
[[nodiscard]] inline tensor<float, 2> weights_of_kinds(std::span<const nearest_sets> nearest,
                                                       const judged_parts& judged, std::size_t neighbours,
                                                       const tensor<float, 2>& shares) {
  const std::size_t parts = nearest.size();
  const std::vector<double> shape =
      agreement_by_kind(agreement_of(nearest[judged.edges], nearest[judged.texture]), neighbours, shares);
  const std::vector<double> colour =
      agreement_by_kind(agreement_of(nearest[judged.colour], nearest[judged.texture]), neighbours, shares);
  const double left = 1.0 - static_cast<double>(parts - 2) * kOtherPartWeight;
  tensor<float, 2> weights({shares.extent(0), parts});
  std::ranges::fill(weights, static_cast<float>(kOtherPartWeight));
  for (std::size_t g = 0; g < shares.extent(0); ++g) {
    const double log_ratio = kWeightPower * std::log(colour[g] / shape[g]);
    const double ratio = std::exp(std::clamp(log_ratio, -kMaxLogRatio, kMaxLogRatio));
    weights(g, judged.edges) = static_cast<float>(left / (1.0 + ratio));
    weights(g, judged.colour) = static_cast<float>(left * ratio / (1.0 + ratio));
  }
  return weights;
}

/// The parts' y of each photo as unit vectors, joined and scaled to length 1: [D, n].
[[nodiscard]] inline Eigen::MatrixXf join_columns(std::vector<Eigen::MatrixXf> columns) {
  Eigen::Index rows = 0;
  for (const Eigen::MatrixXf& part : columns) rows += part.rows();
  Eigen::MatrixXf joined(rows, columns.front().cols());
  rows = 0;
  for (Eigen::MatrixXf& part : columns) {
    const Eigen::Index height = part.rows();
    joined.middleRows(rows, height) = to_unit_columns(std::move(part));
    rows += height;
  }
  return to_unit_columns(std::move(joined));
}

}  // namespace detail

/// Refines and weighs the parts of `transform`, which are those of features [n, raw]: the network's, then one for each
/// of `statistics`. Weights are told by agreement where edges, texture and colour are all there; else, and with fewer
/// than kMinAgreementPhotos photos, the parts count alike. O(n^2 D + D^3). Throws invalid_argument for parts that are
/// not these.
template <execution_context Context>
void weigh_by_agreement(const Context& context, matrix_view<const float> features,
                        std::span<const photo_statistic> statistics, embedding_transform& transform,
                        const agreement_steps& steps = {}) {
  const std::size_t photos = features.extent(0);
  const std::size_t parts = transform.parts.size();
  IMGSIM_EXPECTS(parts == statistics.size() + 1 && transform.raw() == features.extent(1), "an embedding of ", parts,
                 " parts of ", transform.raw(), " features does not fit features ", shape_text(features), " and ",
                 statistics.size(), " statistics");
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
    for (std::size_t p = 0; p < parts; ++p) {
      nearest.push_back(detail::find_nearest_sets(context, detail::to_unit_columns(columns[p]), neighbours));
      pairs.push_back(detail::mutual_pairs(nearest[p]));
    }
    for (std::size_t p = 0; steps.directions && p < parts; ++p) {
      std::vector<const detail::photo_pairs*> others;
      for (std::size_t other = 0; other < parts; ++other)
        if (other != p && !pairs[other].empty()) others.push_back(&pairs[other]);
      detail::refine_part(transform.parts[p], columns[p], others);
    }
  }

  const std::optional<detail::judged_parts> judged = detail::find_judged_parts(statistics);
  if (!steps.weights || !judged) return;
  const Eigen::MatrixXf joined = detail::join_columns(columns_of_parts());
  if (steps.kinds) transform.weighting.centres = detail::split_in_two(context, joined);
  transform.weighting.weights = detail::weights_of_kinds(nearest, *judged, neighbours,
                                                         detail::kind_shares_of(transform.weighting.centres, joined));
}

}  // namespace imgsim
