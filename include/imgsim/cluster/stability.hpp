// Whether groups come back when some of the points are left out.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <stop_token>
#include <vector>

#include <imgsim/cluster/agreement.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>

namespace imgsim {

struct stability_options {
  std::size_t k = 2;
  std::size_t resamples = 8;
  double fraction = 0.5;           // of the points, in each resample
  std::size_t most_points = 4096;  // in each resample
  std::uint64_t seed = 0;
  std::stop_token stop = {};
};

/// Adjusted Rand indices between the groups of pairs of resamples.
struct stability_result {
  double mean = 0;  // 1: always the same groups; about 0: no more alike than by chance
  double least = 0;
};

/// K-medoids runs on `resamples` random parts of the points of `source`; all M points go to the nearest of the medoids
/// found, and the groups of each two parts are compared (the scheme of Ben-Hur, Elisseeff and Guyon, 2002, with the
/// adjusted Rand index). A function of the distances and the options.
///
/// Throws invalid_argument where k is 0 or more than the points of a part, resamples is below 2 or fraction is not in
/// (0, 1]; cancelled when a stop is requested.
template <execution_context Context, class Source>
[[nodiscard]] stability_result group_stability(const Context& context, const Source& source,
                                               const stability_options& options) {
  static_assert(has_distance_sample<Context, Source>,
                "no K-medoids for this context and source: include the backend's cluster header "
                "(imgsim/cpu/cluster.hpp, imgsim/cuda/cluster.cuh)");
  IMGSIM_EXPECTS(options.resamples >= 2, "stability compares at least 2 resamples");
  IMGSIM_EXPECTS(options.fraction > 0 && options.fraction <= 1, "a resample takes a part in (0, 1] of the points, not ",
                 options.fraction);
  const std::size_t size = source.size();
  const std::size_t part =
      std::min(options.most_points, static_cast<std::size_t>(std::ceil(options.fraction * static_cast<double>(size))));
  IMGSIM_EXPECTS(options.k >= 1 && options.k <= part, "cannot make ", options.k, " groups of a resample of ", part,
                 " points");
  medoid_searcher_for<Context, Source> search(context, source);
  std::vector<std::vector<std::uint32_t>> labels;
  for (std::size_t turn = 0; turn < options.resamples; ++turn) {
    random_stream random(options.seed, turn);
    search.assign({});
    const std::vector<std::size_t> rows = detail::sample_free_rows(search, part, random);
    const tensor<float, 2> distances = cluster_backend<Context>::distances_among(context, source, rows);
    std::vector<std::size_t> medoids =
        k_medoids(context, distances.view(), {.k = options.k, .seed = random.next(), .stop = options.stop}).medoids;
    for (std::size_t& row : medoids) row = rows[row];
    search.assign(medoids);
    labels.emplace_back(search.labels().begin(), search.labels().end());
  }
  stability_result result{.mean = 0, .least = 1};
  std::size_t pairs = 0;
  for (std::size_t a = 0; a < labels.size(); ++a)
    for (std::size_t b = 0; b < a; ++b, ++pairs) {
      const double agreement = adjusted_rand_index(labels[a], labels[b]);
      result.mean += agreement;
      result.least = std::min(result.least, agreement);
    }
  result.mean /= static_cast<double>(pairs);
  return result;
}

}  // namespace imgsim
