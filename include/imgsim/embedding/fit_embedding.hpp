// Finds the embedding transform of a set of photos' features.
//
// Whitening gives every principal direction of the photos' features the same weight. It is damped by shrinking the
// variances v towards their mean m over all raw dimensions, v' = (1 - s) v + s m (Ledoit and Wolf, 2004,
// doi:10.1016/S0047-259X(03)00096-4), so that directions that hold mostly noise are not blown up.
//
// A sample of M photos spreads about 1 / M of the total variance over directions that mean nothing (Marchenko and
// Pastur, 1967), whatever the raw dimension. With sampling noise c, v'' = v' + c (sum of v) / M, so that a folder of 60
// photos is hardly whitened and one of 3000 almost fully. Precision at 10 of a network's part (that of the default
// preset) by cosine, from 96 directions of 0.8 of the photos, c = 0 and c = 2, where a cap of M / 5 directions gives
// what stands between:
//
//   photos        60                 150                300               1000          2075 and 3781
//   clothing10    .203 .203 .232     .219 .223 .234     .268 .272 .277    .340  .333    .431  .434
//   mini53        .254 .299 .366     .165 .209 .231     .170 .185 .199    .188  .193    .228  .233
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <Eigen/Core>

#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/embedding/embedding_spec.hpp>
#include <imgsim/embedding/part_agreement.hpp>
#include <imgsim/embedding/principal_axes.hpp>
#include <imgsim/embedding/transform.hpp>

namespace imgsim {

/// Photos that the whitening, and the weights of parts, are fitted on where there are more: evenly spaced ones.
inline constexpr std::size_t kMaxWhiteningSide = 4096;

namespace detail {

/// The part of features that `columns` show: centred and whitened as `spec` asks, else the identity.
template <execution_context Context>
[[nodiscard]] embedding_part fit_part(const Context& context, matrix_view<const float> features,
                                      const embedding_spec& spec) {
  const std::size_t photos = features.extent(0);
  const std::size_t raw = features.extent(1);
  embedding_part part{.raw = raw, .mean = {}, .projection = {}};
  if (!spec.centre && spec.whiten == 0) return part;

  const std::size_t step =
      spec.whiten > 0 && raw > kMaxWhiteningSide ? (photos + kMaxWhiteningSide - 1) / kMaxWhiteningSide : 1;
  const auto index = [](std::size_t n) { return static_cast<Eigen::Index>(n); };
  const feature_columns columns = columns_of(features, step);
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(index(raw));
  if (spec.centre) mean = mean_of(columns);
  if (spec.whiten > 0) {
    const principal_axes found = find_principal_axes(context, columns, mean, spec.whiten);
    if (found.variances.size() == 0) return part;
    const double target = found.total / static_cast<double>(raw);
    const double noise = spec.sampling_noise * found.total / static_cast<double>(columns.cols());
    part.projection = tensor<float, 2>({static_cast<std::size_t>(found.variances.size()), raw});
    for (std::size_t d = 0; d < part.projection.extent(0); ++d) {
      const double shrunk = (1.0 - spec.shrinkage) * found.variances[index(d)] + spec.shrinkage * target;
      const double deviation = std::sqrt(shrunk + noise);
      for (std::size_t j = 0; j < raw; ++j)
        part.projection(d, j) = static_cast<float>(found.axes(index(j), index(d)) / deviation);
    }
  } else {
    bool all_alike = true;
    for (Eigen::Index i = 1; i < columns.cols() && all_alike; ++i) all_alike = columns.col(i) == columns.col(0);
    if (all_alike) return part;
  }
  if (spec.centre) {
    part.mean.resize(raw);
    for (std::size_t j = 0; j < raw; ++j) part.mean[j] = static_cast<float>(mean[index(j)]);
  }
  return part;
}

}  // namespace detail

/// Fits what `spec` asks for to features [M, raw]: the taps' columns, then those of each statistic. Each of these parts
/// is centred and whitened (centre, whiten, shrinkage, sampling noise); where there are several, they are refined and
/// weighted by how far they agree (part_agreement.hpp). A part's dimension is at most the smaller of spec.whiten and
/// the number of dimensions that its features span. Where they span none (one photo, or all alike) there is nothing to
/// centre or whiten by. Whitening costs O(M raw min(M, raw)), agreement O(M^2 D) for the at most kMaxWhiteningSide
/// photos that it looks at. The answer does not depend on the number of threads. Throws invalid_argument for no photos,
/// for features that are not finite or not wider than the statistics, for statistics without whitening, for a shrinkage
/// outside [0, 1] and for a sampling noise below 0. `steps`: of the weighing of parts, where not all of it is wanted.
template <execution_context Context>
[[nodiscard]] embedding_transform fit_embedding(const Context& context, matrix_view<const float> features,
                                                const embedding_spec& spec, const agreement_steps& steps = {}) {
  const std::size_t photos = features.extent(0);
  const std::size_t raw = features.extent(1);
  const std::size_t statistics = statistics_width(spec);
  IMGSIM_EXPECTS(photos > 0 && raw > statistics, "an embedding cannot be fitted to features ", shape_text(features),
                 statistics > 0 ? " of which the last " + std::to_string(statistics) + " are statistics" : "");
  IMGSIM_EXPECTS(spec.shrinkage >= 0.0 && spec.shrinkage <= 1.0, "the shrinkage must be in [0, 1], not ",
                 spec.shrinkage);
  IMGSIM_EXPECTS(spec.sampling_noise >= 0.0 && std::isfinite(spec.sampling_noise),
                 "the sampling noise must be at least 0, not ", spec.sampling_noise);
  IMGSIM_EXPECTS(statistics == 0 || spec.whiten > 0,
                 "parts of an embedding are compared whitened: whiten must be above 0");
  for (std::size_t i = 0; i < photos; ++i)
    IMGSIM_EXPECTS(std::all_of(features.row(i), features.row(i) + raw, [](float x) { return std::isfinite(x); }),
                   "the features of photo ", i,
                   " are not finite: the network's weights are damaged or its training diverged");
  std::vector<std::size_t> widths{raw - statistics};
  for (const photo_statistic statistic : spec.statistics) widths.push_back(entry_of(statistic).width);

  embedding_transform transform{.parts = {}, .weighting = {}, .normalise = spec.normalise};
  std::size_t first = 0;
  for (const std::size_t width : widths) {
    const matrix_view<const float> columns(features.data() + first, {photos, width}, {features.stride(0), 1});
    transform.parts.push_back(detail::fit_part(context, columns, spec));
    first += width;
  }
  if (transform.parts.size() > 1) {
    const std::size_t step = (photos + kMaxWhiteningSide - 1) / kMaxWhiteningSide;
    const matrix_view<const float> sample(features.data(), {(photos + step - 1) / step, raw},
                                          {features.stride(0) * step, 1});
    weigh_by_agreement(context, sample, spec.statistics, transform, steps);
  }
  return transform;
}

}  // namespace imgsim
