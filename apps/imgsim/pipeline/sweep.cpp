#include "pipeline/sweep.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "cli/progress.hpp"
#include "device/compute.hpp"
#include "device/point_distances.hpp"
#include "pipeline/gather_rows.hpp"
#include "pipeline/grouping.hpp"
#include "pipeline/photo_sample.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

/// The gap statistic compares this many photos, and resamples hold at most as many as this: enough to tell, in a
/// second.
constexpr std::size_t kGapPhotos = 512;
constexpr std::size_t kGapLeast = 8;  // with fewer photos nothing can be told
constexpr std::size_t kResampledPhotos = 1024;

/// Of the principal components of a sample, where for cosine each photo has length 1.
std::optional<gap_statistic_result> find_gap(session& session, const photo_index& index, const std::string& metric,
                                             std::size_t k_max) {
  if (index.size() < kGapLeast || k_max < 2) return std::nullopt;
  tensor<float, 2> sample =
      gather_rows(index.embeddings(), draw_rows(index.size(), kGapPhotos, session.options().seed));
  if (is_spherical(metric)) sample = imgsim::detail::normalised_rows(sample.view());
  const tensor<float, 2> turned = session.device().principal_component_features(sample.view());
  gap_statistic_options options{.seed = session.options().seed};
  options.k_max = std::min(options.k_max, k_max);
  options.stop = session.stop();
  progress bar(session.options(), "gap statistic", "sets of points", 1 + options.references);
  options.on_progress = [&](std::size_t done, std::size_t) { bar.update(done); };
  gap_statistic_result found = session.device().gap_statistic(turned.view(), options);
  bar.finish();
  return found;
}

std::vector<k_stability> find_stability(session& session, const point_distances& distances, const sweep_result& swept) {
  const choose_k_result& choice = swept.choice;
  std::set<std::size_t> candidates{choice.recommended_k, choice.best_silhouette_k, choice.best_calinski_harabasz_k,
                                   choice.best_davies_bouldin_k};
  if (choice.elbow) candidates.insert(choice.curve[choice.elbow->position].k);
  if (const std::size_t separated = swept.best_separated_k(); separated > 0) candidates.insert(separated);
  if (choice.bend) candidates.insert(choice.curve[choice.bend->position].k);
  if (swept.gap) candidates.insert(swept.gap->k);
  std::vector<k_stability> found;
  progress bar(session.options(), "stability", "values of K", candidates.size());
  std::size_t done = 0;
  for (const std::size_t k : candidates) {
    bar.update(done++);
    if (k < 2 || 2 * k > swept.photos) continue;  // half the photos have to make K groups
    stability_options options{.k = k, .most_points = std::max(kResampledPhotos, 4 * k), .seed = session.options().seed};
    options.stop = session.stop();
    found.push_back({k, distances.group_stability(options)});
  }
  session.check_stop("nothing was written");
  bar.finish();
  return found;
}

/// Whether there are groups at all goes before the number of them. Where all photos are the same, or too few, nothing
/// more is to be said.
void weigh(choose_k_result& choice, const gap_statistic_result& gap) {
  const std::string how_sure =
      "(gap statistic up to K = " + std::to_string(gap.curve.back().k) + ", p = " + fixed_text(gap.p_value, 2) + ")";
  if (choice.recommended_k == 1 || (choice.clear && gap.has_structure())) return;
  if (gap.has_structure()) {
    choice.reason +=
        " There are groups all the same: photos spread evenly gain less from being grouped " + how_sure + ".";
    return;
  }
  choice.clear = false;
  choice.verdict = "no cluster structure";
  choice.reason =
      "Photos spread evenly gain as much from being grouped " + how_sure + "; of the other signs: " + choice.reason;
}

std::vector<silhouette_choice> find_silhouettes(session& session, const point_distances& distances,
                                                const choose_k_options& range, std::size_t photos) {
  const std::size_t k_min = std::max<std::size_t>(2, range.k_min);
  const std::size_t k_max = std::min({range.k_max, photos - 1, std::max(k_min, largest_separated_k(photos))});
  if (k_min > k_max) return {};
  progress bar(session.options(), "silhouettes", "values of K", k_max - k_min + 1);
  silhouette_options options{.k_min = k_min, .k_max = k_max, .seed = session.options().seed, .stop = session.stop()};
  options.on_progress = [&](std::size_t done, std::size_t) { bar.update(done); };
  std::vector<silhouette_choice> found = distances.silhouette_medoids(options);
  session.check_stop("nothing was written");
  bar.finish();
  return found;
}

}  // namespace

std::size_t largest_useful_k(std::size_t photos) {
  return std::min<std::size_t>(100, photos / 2 + 1);
}

std::size_t largest_judged_k(std::size_t photos) {
  return std::max<std::size_t>(2, photos / 2);
}

std::size_t largest_separated_k(std::size_t photos) {
  constexpr double kComparisons = 2.4e9;  // a second for some 5e8 of them and a thread
  const double all = static_cast<double>(photos) * static_cast<double>(photos);
  const auto affordable = static_cast<std::size_t>(std::max(20.0, std::floor(kComparisons / all)));
  return std::min(affordable, largest_judged_k(photos));
}

std::size_t sweep_result::best_separated_k() const {
  if (silhouettes.empty()) return 0;
  return std::ranges::max_element(silhouettes, {}, &silhouette_choice::medoid_silhouette)->k;
}

bool sweep_result::groups_without_structure() const {
  return gap && !gap->has_structure() && choice.recommended_k > 1;
}

void check_range(std::optional<std::size_t> k_min, std::optional<std::size_t> k_max) {
  const std::size_t least = k_min.value_or(2);
  if (k_max && least > *k_max)
    throw usage_error("--k-min " + std::to_string(least) + " is more than --k-max " + std::to_string(*k_max));
}

void check_k(const char* option, std::size_t k, std::size_t photos) {
  if (k > photos)
    throw usage_error(std::string(option) + " " + std::to_string(k) + " is more than the " +
                      count_text(photos, "photo") + " of the index");
}

sweep_result sweep_groups(session& session, const photo_index& index, const sweep_request& request,
                          const point_distances* distances) {
  const std::size_t k_min = request.k_min.value_or(std::min<std::size_t>(2, index.size()));
  check_k("--k-min", k_min, index.size());
  const photo_sample sample(session, index, request.metric, distances);
  check_k("--k-min", k_min, sample.size());
  const point_distances& compared = sample.distances();
  sweep_result swept{.choice = {}, .photos = sample.size(), .gap = {}, .stability = {}, .silhouettes = {}};
  const std::size_t k_max = request.k_max.value_or(std::max(k_min, largest_useful_k(swept.photos)));
  choose_k_options options{.k_min = k_min,
                           .k_max = std::min(k_max, swept.photos),
                           .seed = session.options().seed,
                           .sensitivity = request.sensitivity};
  options.stop = session.stop();
  progress bar(session.options(), "choose K", "values of K", options.k_max - options.k_min + 1);
  options.on_progress = [&](const choose_k_progress& state) { bar.update(state.done); };
  swept.choice = compared.choose_k(options);
  session.check_stop("nothing was written");
  bar.finish();
  swept.gap = find_gap(session, index, request.metric, options.k_max);
  if (swept.gap) weigh(swept.choice, *swept.gap);
  if (request.explains && swept.choice.recommended_k > 1)
    swept.silhouettes = find_silhouettes(session, compared, options, swept.photos);
  if (request.explains) swept.stability = find_stability(session, compared, swept);
  session.check_stop("nothing was written");
  for (k_choice& choice : swept.choice.curve) sample.to_rows(choice.medoids);
  for (silhouette_choice& choice : swept.silhouettes) sample.to_rows(choice.medoids);
  return swept;
}

}  // namespace imgsim::app
