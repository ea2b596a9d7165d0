#include "pipeline/sweep.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <set>

#include "cli/progress.hpp"
#include "device/compute.hpp"
#include "device/point_distances.hpp"
#include "pipeline/gather_rows.hpp"
#include "pipeline/grouping.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

/// The gap statistic compares this many photos, and resamples hold at most as many as this: enough to tell, in a
/// second.
constexpr std::size_t kGapPhotos = 512;
constexpr std::size_t kGapLeast = 8;  // with fewer photos nothing can be told
constexpr std::size_t kResampledPhotos = 1024;

/// `count` rows of `size`, or all of them, ascending.
std::vector<std::size_t> draw_rows(std::size_t size, std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> rows(size);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  if (count >= size) return rows;
  random_stream random(seed, 0x5a3);
  random.shuffle(std::span(rows));
  rows.resize(count);
  std::ranges::sort(rows);
  return rows;
}

/// Of the principal components of a sample, where for cosine each photo has length 1.
std::optional<gap_statistic_result> find_gap(session& session, const photo_index& index, const std::string& metric) {
  if (index.size() < kGapLeast) return std::nullopt;
  tensor<float, 2> sample =
      gather_rows(index.embeddings(), draw_rows(index.size(), kGapPhotos, session.options().seed));
  if (is_spherical(metric)) sample = imgsim::detail::normalised_rows(sample.view());
  const tensor<float, 2> turned = session.device().principal_component_features(sample.view());
  gap_statistic_options options{.seed = session.options().seed};
  options.stop = session.stop();
  return session.device().gap_statistic(turned.view(), options);
}

std::vector<k_stability> find_stability(session& session, const point_distances& distances, const sweep_result& swept) {
  const choose_k_result& choice = swept.choice;
  std::set<std::size_t> candidates{choice.recommended_k, choice.best_silhouette_k, choice.best_calinski_harabasz_k,
                                   choice.best_davies_bouldin_k};
  if (choice.elbow) candidates.insert(choice.curve[choice.elbow->position].k);
  if (choice.bend) candidates.insert(choice.curve[choice.bend->position].k);
  if (swept.gap) candidates.insert(swept.gap->k);
  std::vector<k_stability> found;
  for (const std::size_t k : candidates) {
    if (k < 2 || 2 * k > swept.photos) continue;  // half the photos have to make K groups
    stability_options options{.k = k, .most_points = std::max(kResampledPhotos, 4 * k), .seed = session.options().seed};
    options.stop = session.stop();
    found.push_back({k, distances.group_stability(options)});
  }
  return found;
}

void doubt(choose_k_result& choice, const gap_statistic_result& gap) {
  if (gap.has_structure()) return;
  choice.clear = false;
  choice.verdict = "no cluster structure";
  choice.reason =
      "The error falls with K as it does for photos spread evenly (gap statistic, p = " + fixed_text(gap.p_value, 2) +
      "); of the other signs: " + choice.reason;
}

}  // namespace

std::size_t largest_useful_k(std::size_t photos) {
  return std::min<std::size_t>(100, photos / 2 + 1);
}

std::size_t compared_photos(session& session) {
  return std::min(kComparedPhotos, session.device().most_kept_points());
}

void check_k(const char* option, std::size_t k, std::size_t photos) {
  if (k > photos)
    throw usage_error(std::string(option) + " " + std::to_string(k) + " is more than the " +
                      count_text(photos, "photo") + " of the index");
}

sweep_result sweep_groups(session& session, const photo_index& index, const sweep_request& request,
                          const point_distances* distances) {
  if (index.size() < 2)
    throw error("the index holds " + count_text(index.size(), "photo") + ": there is no number of groups to choose");
  check_k("--k-min", request.k_min, index.size());
  sweep_result swept{
      .choice = {}, .photos = std::min(index.size(), compared_photos(session)), .gap = {}, .stability = {}};
  const std::vector<std::size_t> rows = draw_rows(index.size(), swept.photos, session.options().seed);
  tensor<float, 2> sample;
  std::unique_ptr<point_distances> opened;
  if (swept.photos < index.size()) {
    check_k("--k-min", request.k_min, swept.photos);
    sample = gather_rows(index.embeddings(), rows);
    opened = session.device().open_distances(std::as_const(sample).view(), request.metric, true);
  } else if (distances == nullptr) {
    opened = session.device().open_distances(index.embeddings(), request.metric, true);
  }
  const point_distances& compared = opened ? *opened : *distances;

  const std::size_t k_max = request.k_max.value_or(std::max(request.k_min, largest_useful_k(swept.photos)));
  choose_k_options options{.k_min = request.k_min,
                           .k_max = std::min(k_max, swept.photos),
                           .seed = session.options().seed,
                           .sensitivity = request.sensitivity};
  options.stop = session.stop();
  progress bar(session.options(), "choose K", "values of K", options.k_max - options.k_min + 1);
  options.on_progress = [&](const choose_k_progress& state) { bar.update(state.done); };
  swept.choice = compared.choose_k(options);
  swept.gap = find_gap(session, index, request.metric);
  if (swept.gap) doubt(swept.choice, *swept.gap);
  if (request.judges_stability) swept.stability = find_stability(session, compared, swept);
  session.check_stop("nothing was written");
  bar.finish();
  for (k_choice& choice : swept.choice.curve)
    for (std::size_t& medoid : choice.medoids) medoid = rows[medoid];
  return swept;
}

}  // namespace imgsim::app
