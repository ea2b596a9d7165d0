#include "pipeline/grouping.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "cli/progress.hpp"
#include "device/compute.hpp"
#include "device/point_distances.hpp"
#include "pipeline/gather_rows.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/photo_sample.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

/// K-means of batches: photos in one, and the passes over all photos that follow them.
constexpr std::size_t kBatch = 10'240;
constexpr std::size_t kIterationsAfterBatches = 10;

bool is_sampled(const grouping_request& request, std::size_t photos) {
  return request.sample ? *request.sample > 0 : photos > kComparedPhotos;
}

grouping_result around_medoids(const session& session, const photo_index& index, const grouping_request& request,
                               const char* method, k_medoids_result found) {
  const std::size_t k = found.medoids.size();
  return {.groups = {.method = method,
                     .metric = request.metric,
                     .cost = found.cost,
                     .seed = session.options().seed,
                     .medoids = std::move(found.medoids),
                     .clusters = rows_by_label(found.labels, k),
                     .paths = paths_of(index)},
          .labels = std::move(found.labels),
          .distances = std::move(found.distances),
          .centroids = {}};
}

grouping_result group_by_cover(session& session, const photo_index& index, const grouping_request& request,
                               const point_distances& distances) {
  covering_options options{.max_distance = *request.max_distance, .stop = session.stop()};
  progress bar(session.options(), "cover", "photos", index.size());
  options.on_progress = [&](std::size_t done, std::size_t) { bar.update(done / 3); };
  covering_result found = distances.covering_medoids(options);
  session.check_stop("nothing was written");
  bar.finish();
  grouping_result result = around_medoids(session, index, request, "cover", std::move(found.groups));
  result.groups.max_distance = request.max_distance;
  result.least_k = found.least_k;
  return result;
}

/// A pass over the distances takes as long whatever it finds, and most is found in the first.
cost_bound_options bound_options(std::size_t photos) {
  constexpr double kComparisons = 4e9;
  const double passes = kComparisons / (static_cast<double>(photos) * static_cast<double>(photos));
  return {.iterations = static_cast<std::size_t>(std::clamp(passes, 20.0, 200.0))};
}

std::size_t starts_of(const grouping_request& request, std::size_t photos) {
  return request.restarts.value_or(photos <= kManyStartsPhotos ? kManyStarts : 1);
}

grouping_result group_by_k_medoids(session& session, const photo_index& index, const grouping_request& request,
                                   const point_distances& distances, std::size_t k,
                                   std::vector<std::size_t> known_medoids) {
  k_medoids_options options{.k = k,
                            .initialisation = request.initialisation,
                            .seed = session.options().seed,
                            .restarts = starts_of(request, index.size()),
                            .known_medoids = std::move(known_medoids),
                            .max_swaps = request.max_swaps};
  options.stop = session.stop();
  if (options.initialisation == medoid_initialisation::build) {
    if (request.restarts.value_or(1) > 1)
      session.note("--restarts " + std::to_string(*request.restarts) +
                   " changes nothing with --init build: without chance every start is the same");
    options.restarts = 1;
  }
  const std::size_t starts = options.restarts + (options.known_medoids.empty() ? 0 : 1);
  progress bar(session.options(), "group", "starts", starts);
  options.on_progress = [&](const k_medoids_progress& state) { bar.update(state.restart); };
  k_medoids_result found = distances.k_medoids(options);
  session.check_stop("nothing was written");
  bar.finish();

  cost_bound_options judging = bound_options(index.size());
  progress passes(session.options(), "bound", "passes", judging.iterations);
  judging.stop = session.stop();
  judging.on_progress = [&](std::size_t done, std::size_t) { passes.update(done); };
  const std::optional<cost_bound> bound = distances.bound_cost(found.medoids, judging);
  session.check_stop("nothing was written");
  passes.finish();
  grouping_result result = around_medoids(session, index, request, "k-medoids", std::move(found));
  if (bound) result.lower_bound = bound->lower_bound;
  result.starts = starts;
  return result;
}

grouping_result group_by_sampled_k_medoids(session& session, const photo_index& index, const grouping_request& request,
                                           const point_distances& distances, std::size_t k) {
  const sampled_k_medoids_options defaults;
  sampled_k_medoids_options options{.k = k,
                                    .initialisation = request.initialisation,
                                    .samples = std::max(defaults.samples, request.restarts.value_or(1)),
                                    .sample_size = request.sample.value_or(0),
                                    .max_swaps = request.max_swaps,
                                    .seed = session.options().seed};
  options.stop = session.stop();
  progress bar(session.options(), "group", "steps", options.samples + options.candidates);
  options.on_progress = [&](std::size_t done, std::size_t) { bar.update(done); };
  sampled_k_medoids_result found = distances.sampled_k_medoids(options);
  session.check_stop("nothing was written");
  bar.finish();
  grouping_result result = around_medoids(session, index, request, "k-medoids", std::move(found.groups));
  const auto photos = static_cast<double>(index.size());
  if (found.sample_size < index.size()) {
    result.sample = {.photos = found.sample_size, .cost = found.sample_mean, .lower_bound = found.sample_bound};
  } else {
    result.lower_bound = found.sample_bound * photos;
  }
  return result;
}

/// Of more photos than can be compared, the medoids are those of a sample.
grouping_result group_by_silhouette(session& session, const photo_index& index, const grouping_request& request,
                                    const point_distances& distances) {
  const photo_sample sample(session, index, request.metric, &distances);
  const std::size_t affordable = std::min(largest_useful_k(sample.size()), largest_separated_k(sample.size()));
  const std::size_t k_min = request.k.value_or(std::max<std::size_t>(2, request.k_min.value_or(2)));
  const std::size_t k_max = request.k.value_or(request.k_max.value_or(std::max(k_min, affordable)));
  if (k_min >= sample.size())
    throw usage_error((request.k ? "-k " : "--k-min ") + std::to_string(k_min) +
                      ": a silhouette compares fewer groups than the " + count_text(sample.size(), "photo") +
                      " it looks at");
  silhouette_options options{
      .k_min = k_min, .k_max = std::clamp(k_max, k_min, sample.size() - 1), .seed = session.options().seed};
  options.stop = session.stop();
  progress bar(session.options(), "group", "values of K", options.k_max - options.k_min + 1);
  options.on_progress = [&](std::size_t done, std::size_t) { bar.update(done); };
  const std::vector<silhouette_choice> curve = sample.distances().silhouette_medoids(options);
  session.check_stop("nothing was written");
  bar.finish();
  silhouette_choice best = *std::ranges::max_element(curve, {}, &silhouette_choice::medoid_silhouette);
  const bool alike = !request.k && !(best.medoid_silhouette > 0);  // every photo is as near to each medoid
  if (alike) best.medoids.resize(1);
  sample.to_rows(best.medoids);
  grouping_result result = around_medoids(session, index, request, "silhouette", distances.groups_around(best.medoids));
  if (!alike) result.silhouette = {best.medoid_silhouette, !request.k && best.k == options.k_max};
  return result;
}

grouping_result group_by_k_means(session& session, const photo_index& index, const grouping_request& request,
                                 std::size_t k) {
  const bool spherical = is_spherical(request.metric);
  k_means_options options{
      .k = k, .seed = session.options().seed, .restarts = starts_of(request, index.size()), .spherical = spherical};
  options.batch = request.sample.value_or(index.size() > kBatchedPhotos ? std::max(kBatch, 10 * k) : 0);
  if (options.batch > 0) options.max_iterations = kIterationsAfterBatches;
  options.stop = session.stop();
  progress bar(session.options(), "group", "restarts", options.restarts);
  options.on_progress = [&](const k_means_progress& state) { bar.update(state.restart); };
  const k_means_result found = session.device().k_means(index.embeddings(), options);
  session.check_stop("nothing was written");
  bar.finish();

  // Of equal centroids, which there are where K is more than the different photos, only the first is nearest to any
  // photo; the others make no group.
  const matrix_view<const float> all = found.centroids.view();
  nearest_centroids nearest = session.device().assign_to_nearest(index.embeddings(), all, spherical);
  std::vector<std::size_t> used(nearest.labels.begin(), nearest.labels.end());
  std::ranges::sort(used);
  used.erase(std::ranges::unique(used).begin(), used.end());
  tensor<float, 2> centroids = gather_rows(all, used);
  for (std::uint32_t& label : nearest.labels)
    label = static_cast<std::uint32_t>(std::ranges::lower_bound(used, label) - used.begin());

  std::vector<std::size_t> medoids(used.size(), index.size());
  for (std::size_t row = 0; row < index.size(); ++row) {
    std::size_t& medoid = medoids[nearest.labels[row]];
    if (medoid == index.size() || nearest.squared_distances[row] < nearest.squared_distances[medoid]) medoid = row;
  }
  std::vector<float> distances;
  double cost = 0;
  for (const double squared : nearest.squared_distances) {
    distances.push_back(static_cast<float>(metric_distance(squared, request.metric)));
    cost += squared;
  }
  return {.groups = {.method = "k-means",
                     .metric = request.metric,
                     .cost = cost,
                     .seed = session.options().seed,
                     .medoids = std::move(medoids),
                     .clusters = rows_by_label(nearest.labels, used.size()),
                     .paths = paths_of(index)},
          .labels = std::move(nearest.labels),
          .distances = std::move(distances),
          .centroids = std::move(centroids),
          .starts = options.restarts};
}

void leave_out(grouping_result& result, double distance) {
  const std::vector<std::uint32_t> nearest = result.labels;
  groups& made = result.groups;
  made.outlier_distance = distance;
  made.outliers = leave_out_outliers(result.labels, result.distances, made.medoids, distance);
  made.clusters = rows_by_label(result.labels, made.k());
  for (const std::size_t row : made.outliers) result.outliers.push_back({row, nearest[row], result.distances[row]});
  std::ranges::stable_sort(result.outliers, std::greater{}, &outlier::distance);
}

/// Compares the medoids, or for k-means the centroids, with one another, unless there are too many.
void find_weak_places(session& session, const photo_index& index, grouping_result& result) {
  const std::size_t k = result.groups.k();
  if (k > kComparedGroups) {
    result.weak = imgsim::find_weak_places(result.labels, result.distances, k, std::nullopt);
    return;
  }
  tensor<float, 2> medoids;
  if (result.centroids.empty()) medoids = gather_rows(index.embeddings(), result.groups.medoids);
  const tensor<float, 2>& centres = result.centroids.empty() ? medoids : result.centroids;
  tensor<float, 2> between({k, k});
  session.device().distance_matrix(centres.view(), result.groups.metric, between.view());
  result.weak = imgsim::find_weak_places(result.labels, result.distances, k, std::as_const(between).view());
}

/// Medoids whose embedding is that of an earlier one, bit for bit.
std::size_t count_twice(matrix_view<const float> embeddings, std::vector<std::size_t> medoids) {
  const auto row_of = [&](std::size_t medoid) { return std::span(embeddings.row(medoid), embeddings.extent(1)); };
  std::ranges::sort(medoids, [&](std::size_t a, std::size_t b) {
    return std::ranges::lexicographical_compare(row_of(a), row_of(b));
  });
  std::size_t twice = 0;
  for (std::size_t i = 1; i < medoids.size(); ++i)
    twice += std::ranges::equal(row_of(medoids[i - 1]), row_of(medoids[i])) ? 1 : 0;
  return twice;
}

/// Those of the curve, of which the choice of K may be better than what one start finds.
std::vector<std::size_t> medoids_of(const sweep_result& swept, std::size_t k) {
  const auto found = std::ranges::find(swept.choice.curve, k, &k_choice::k);
  return found == swept.choice.curve.end() ? std::vector<std::size_t>{} : found->medoids;
}

}  // namespace

bool is_spherical(const std::string& metric) {
  return metric == cosine::name;
}

double metric_distance(double squared_distance, const std::string& metric) {
  // Between vectors of length 1, |x - y|^2 = 2 - 2 cos(x, y).
  return is_spherical(metric) ? squared_distance / 2 : std::sqrt(squared_distance);
}

grouping_result make_groups(session& session, const photo_index& index, const grouping_request& request) {
  const std::size_t photos = index.size();
  if (request.k) check_k("-k", *request.k, photos);
  if (request.k_min) check_k("--k-min", *request.k_min, photos);
  const bool by_silhouette = request.method == grouping_method::silhouette && (request.k || photos > 2);
  const bool by_k_means = request.method == grouping_method::k_means;
  const bool chooses = !request.k && !request.max_distance && !by_silhouette && photos > 1;
  const bool samples = !by_k_means && !by_silhouette && !request.max_distance && is_sampled(request, photos);
  // Of more than can be compared, the choice of K and silhouettes take a sample.
  const bool compares_all = request.max_distance || (!by_k_means && !by_silhouette && !samples) ||
                            ((chooses || by_silhouette) && photos <= kComparedPhotos);
  const std::unique_ptr<point_distances> distances =
      session.device().open_distances(index.embeddings(), request.metric, compares_all);
  std::optional<sweep_result> chosen;
  if (chooses)
    chosen = sweep_groups(
        session, index,
        {.metric = request.metric, .k_min = request.k_min, .k_max = request.k_max, .explains = request.explains},
        distances.get());
  const std::size_t k = chosen ? chosen->choice.recommended_k : request.k.value_or(1);
  if (samples && request.sample && *request.sample < k)
    throw usage_error("--sample " + std::to_string(*request.sample) + " is less than the " + count_text(k, "group"));
  grouping_result result = by_k_means             ? group_by_k_means(session, index, request, k)
                           : by_silhouette        ? group_by_silhouette(session, index, request, *distances)
                           : request.max_distance ? group_by_cover(session, index, request, *distances)
                           : samples              ? group_by_sampled_k_medoids(session, index, request, *distances, k)
                                                  : group_by_k_medoids(session, index, request, *distances, k,
                                                          chosen ? medoids_of(*chosen, k) : std::vector<std::size_t>{});
  if (request.outlier_distance) leave_out(result, *request.outlier_distance);
  find_weak_places(session, index, result);
  if (result.centroids.empty()) result.twice = count_twice(index.embeddings(), result.groups.medoids);
  result.chosen = std::move(chosen);
  return result;
}

void store_groups(index_writer& writer, const grouping_result& result) {
  std::optional<matrix_view<const float>> centroids;
  if (!result.centroids.empty()) centroids = result.centroids.view();
  writer.set_groups(to_json(result.groups).dump(), centroids);
  writer.commit();
}

std::vector<group_summary> summarise(const grouping_result& result) {
  return summarise_groups(result.groups.medoids, result.labels, result.distances);
}

}  // namespace imgsim::app
