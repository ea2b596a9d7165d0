// K-medoids of more points than can be compared with one another: FastCLARA (Schubert and Rousseeuw, 2021,
// doi:10.1016/j.is.2021.101804, section 3.4; CLARA is Kaufman and Rousseeuw's, 1990), then swaps over all points.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include <imgsim/cluster/cost_bound.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>

namespace imgsim {

struct sampled_k_medoids_options {
  std::size_t k = 2;
  medoid_initialisation initialisation = medoid_initialisation::k_means_plus_plus;  // of each sample
  std::size_t samples = 5;
  std::size_t sample_size = 0;  // points of each; 0: the larger of 4096 and 80 + 4 K; M where that is smaller
  std::size_t max_swaps = std::numeric_limits<std::size_t>::max();  // in each sample
  std::size_t candidates = 1000;       // points tried as medoids over all points, after the best sample is known
  std::size_t bound_iterations = 100;  // see cost_bound; 0: no bound
  std::uint64_t seed = 0;
  std::function<void(std::size_t done, std::size_t total)> on_progress = {};  // samples and candidates
  std::stop_token stop = {};
};

struct sampled_k_medoids_result {
  k_medoids_result groups;      // over all points; `converged` is false, `swaps` counts those over all points, unless
                                // the sample was all points
  std::size_t sample_size = 0;  // points of each sample
  double sampled_cost = 0;      // of the best sample's medoids over all points, before the swaps
  double sample_mean = 0;       // mean distance within that sample to its own best medoids ...
  double sample_bound = 0;      // ... and how small the mean could be there at the least: what the loss is measured by
};

namespace detail {

/// A point that is no medoid and near one: the nearest to its medoid of a few that are drawn. Medoids lie in the middle
/// of their groups, where a point drawn evenly seldom does.
template <medoid_search Search>
std::size_t draw_central(const Search& search, random_stream& random) {
  constexpr int kDrawn = 8;
  std::size_t best = draw_uniform(search, random);
  for (int i = 1; i < kDrawn; ++i) {
    const std::size_t row = draw_uniform(search, random);
    if (search.nearest()[row] < search.nearest()[best]) best = row;
  }
  return best;
}

}  // namespace detail

/// K medoids of the M points of `source`. FasterPAM runs on samples, the medoids found before among them; the medoids
/// that cost least over all points are kept. Then points near the middle of their groups are tried as medoids over all
/// points, and each that lowers the cost is swapped in. With M points or more in a sample it is k_medoids.
///
/// O(samples (sample_size^2 + K M) + candidates M) distances, and all M^2 once more where the source states no bound
/// (distance_source.hpp; a metric's largest_distance): state one; memory O(sample_size^2 + M), on a CUDA device K M
/// floats more. The result is a function of the distances and the options.
///
/// Throws invalid_argument where k_medoids does, or where a sample would hold fewer than K points; cancelled when a
/// stop is requested.
template <execution_context Context, class Source>
[[nodiscard]] sampled_k_medoids_result sampled_k_medoids(const Context& context, const Source& source,
                                                         const sampled_k_medoids_options& options) {
  static_assert(has_distance_sample<Context, Source>,
                "no K-medoids for this context and source: include the backend's cluster header "
                "(imgsim/cpu/cluster.hpp, imgsim/cuda/cluster.cuh)");
  const std::size_t size = source.size();
  detail::expect_same_request(
      context, {options.k, static_cast<std::uint64_t>(options.initialisation), options.samples, options.sample_size,
                options.max_swaps, options.candidates, options.bound_iterations, options.seed});
  IMGSIM_EXPECTS(options.k >= 1 && options.k <= size, "cannot make ", options.k, " groups of ", size, " points");
  IMGSIM_EXPECTS(options.samples >= 1, "samples must be at least 1");
  const std::size_t wanted =
      options.sample_size > 0 ? options.sample_size : std::max<std::size_t>(4096, 80 + 4 * options.k);
  IMGSIM_EXPECTS(wanted >= options.k, "a sample of ", wanted, " points has no ", options.k, " medoids");
  const bool is_whole = wanted >= size;
  const std::size_t samples = is_whole ? 1 : options.samples;
  const std::size_t candidates = is_whole || options.k == size ? 0 : options.candidates;
  const auto report = [&](std::size_t done) {
    detail::throw_if_stopped(options.stop, "k-medoids");
    if (options.on_progress) options.on_progress(done, samples + candidates);
  };

  medoid_searcher_for<Context, Source> search(context, source);
  sampled_k_medoids_result result;
  result.sample_size = std::min(wanted, size);
  detail::swap_outcome of_all_points;
  std::vector<std::size_t> best_medoids;
  std::int64_t best_cost = std::numeric_limits<std::int64_t>::max();
  const auto hold_best = [&] {  // K M distances, unless the sample before was the best
    if (!std::ranges::equal(search.medoids(), best_medoids)) search.assign(best_medoids);
  };
  for (std::size_t turn = 0; turn < samples; ++turn) {
    report(turn);
    random_stream random(options.seed, turn);
    hold_best();
    std::vector<std::size_t> rows = detail::sample_free_rows(search, result.sample_size - best_medoids.size(), random);
    rows.insert(rows.end(), best_medoids.begin(), best_medoids.end());
    std::ranges::sort(rows);
    const tensor<float, 2> distances = cluster_backend<Context>::distances_among(context, source, rows);
    const resident_distances sample(distances.view());
    const k_medoids_result found = k_medoids(context, sample,
                                             {.k = options.k,
                                              .initialisation = options.initialisation,
                                              // A sample of all points is the search of this seed.
                                              .seed = turn == 0 ? options.seed : random.next(),
                                              .max_swaps = options.max_swaps,
                                              .stop = options.stop});
    std::vector<std::size_t> medoids;
    for (const std::size_t position : found.medoids) medoids.push_back(rows[position]);
    search.assign(medoids);
    if (is_whole) of_all_points = {.swaps = found.swaps, .passes = found.passes, .converged = found.converged};
    if (search.cost() >= best_cost) continue;
    best_cost = search.cost();
    best_medoids = medoids;
    const auto points = static_cast<double>(rows.size());
    result.sample_mean = found.cost / points;
    if (options.bound_iterations > 0)
      result.sample_bound =
          bound_cost(context, sample, found.medoids, {.iterations = options.bound_iterations, .stop = options.stop})
              .lower_bound /
          points;
  }

  hold_best();
  result.sampled_cost = search.unit().to_double(search.cost());
  random_stream random(options.seed, samples);
  detail::swap_outcome outcome = of_all_points;
  for (std::size_t tried = 0; tried < candidates;) {
    std::vector<std::size_t> drawn(std::min(detail::kRowsTogether, candidates - tried));
    for (std::size_t& row : drawn) row = detail::draw_central(search, random);
    detail::read_ahead(search, drawn);
    for (const std::size_t row : drawn) {
      report(samples + tried++);
      if (const std::optional<medoid_swap> better = search.first_improving_swap(row, row + 1)) {
        search.swap(*better);
        ++outcome.swaps;
      }
    }
  }
  result.groups = detail::read_result(search, outcome);
  return result;
}

}  // namespace imgsim
