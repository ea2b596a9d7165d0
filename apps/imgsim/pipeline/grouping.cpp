#include "pipeline/grouping.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cli/progress.hpp"
#include "device/compute.hpp"
#include "pipeline/open_model.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/core/json.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

constexpr const char* kKMedoids = "k-medoids";
constexpr const char* kKMeans = "k-means";

/// K-means groups are those of cosine similarity where points and centroids have length 1.
bool is_spherical(const std::string& metric) {
  return metric == cosine::name;
}

std::vector<std::string> paths_of(const photo_index& index) {
  std::vector<std::string> paths;
  for (const indexed_photo& photo : index.photos()) paths.push_back(photo.path);
  return paths;
}

void check_k(const char* option, std::size_t k, std::size_t photos) {
  IMGSIM_EXPECTS(k <= photos, option, " ", k, " is more than the ", count_text(photos, "photo"), " of the index");
}

grouping_result group_by_k_medoids(session& session, const photo_index& index, const grouping_request& request,
                                   std::size_t k) {
  k_medoids_options options{.k = k, .seed = session.options().seed, .restarts = request.restarts};
  options.stop = session.stop();
  progress bar(session.options(), "group", "restarts", request.restarts);
  options.on_progress = [&](const k_medoids_progress& state) { bar.update(state.restart); };
  k_medoids_result found = session.device().k_medoids(index.embeddings(), request.metric, options);
  session.check_stop("nothing was written");
  bar.finish();
  return {.groups = {.method = kKMedoids,
                     .metric = request.metric,
                     .cost = found.cost,
                     .seed = session.options().seed,
                     .medoids = std::move(found.medoids),
                     .clusters = rows_by_label(found.labels, k),
                     .paths = paths_of(index)},
          .labels = std::move(found.labels),
          .distances = std::move(found.distances),
          .centroids = {},
          .verdict = {}};
}

grouping_result group_by_k_means(session& session, const photo_index& index, const grouping_request& request,
                                 std::size_t k) {
  const bool spherical = is_spherical(request.metric);
  k_means_options options{.k = k, .seed = session.options().seed, .restarts = request.restarts, .spherical = spherical};
  options.stop = session.stop();
  progress bar(session.options(), "group", "restarts", request.restarts);
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
  tensor<float, 2> centroids({used.size(), all.extent(1)});
  for (std::size_t g = 0; g < used.size(); ++g) std::copy_n(all.row(used[g]), all.extent(1), centroids.view().row(g));
  for (std::uint32_t& label : nearest.labels)
    label = static_cast<std::uint32_t>(std::ranges::lower_bound(used, label) - used.begin());

  std::vector<std::size_t> medoids(used.size(), index.size());
  for (std::size_t row = 0; row < index.size(); ++row) {
    std::size_t& medoid = medoids[nearest.labels[row]];
    if (medoid == index.size() || nearest.squared_distances[row] < nearest.squared_distances[medoid]) medoid = row;
  }
  std::vector<float> distances;
  for (const double squared : nearest.squared_distances) distances.push_back(static_cast<float>(std::sqrt(squared)));
  return {.groups = {.method = kKMeans,
                     .metric = request.metric,
                     .cost = found.inertia,
                     .seed = session.options().seed,
                     .medoids = std::move(medoids),
                     .clusters = rows_by_label(nearest.labels, used.size()),
                     .paths = paths_of(index)},
          .labels = std::move(nearest.labels),
          .distances = std::move(distances),
          .centroids = std::move(centroids),
          .verdict = {}};
}

}  // namespace

std::size_t largest_useful_k(std::size_t photos) {
  return std::min<std::size_t>(100, photos / 2 + 1);
}

choose_k_result sweep_groups(session& session, const photo_index& index, const sweep_request& request) {
  check_k("--k-min", request.k_min, index.size());
  const std::size_t k_max = request.k_max.value_or(std::max(request.k_min, largest_useful_k(index.size())));
  choose_k_options options{.k_min = request.k_min,
                           .k_max = std::min(k_max, index.size()),
                           .seed = session.options().seed,
                           .sensitivity = request.sensitivity};
  options.stop = session.stop();
  progress bar(session.options(), "choose K", "values of K", options.k_max - options.k_min + 1);
  options.on_progress = [&](const choose_k_progress& state) { bar.update(state.done); };
  choose_k_result result = session.device().choose_k(index.embeddings(), request.metric, options);
  session.check_stop("nothing was written");
  bar.finish();
  return result;
}

grouping_result make_groups(session& session, const photo_index& index, const grouping_request& request) {
  if (request.k) check_k("-k", *request.k, index.size());
  std::string verdict;
  std::size_t k = request.k.value_or(1);
  if (!request.k && index.size() > 2) {
    const choose_k_result chosen = sweep_groups(session, index, {.metric = request.metric});
    k = chosen.recommended_k;
    verdict = chosen.verdict;
  }
  grouping_result result =
      request.k_means ? group_by_k_means(session, index, request, k) : group_by_k_medoids(session, index, request, k);
  result.verdict = std::move(verdict);
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

stored_grouping predict_groups(session& session, const photo_index& index, matrix_view<const float> embeddings) {
  const std::string how = " with: imgsim cluster --index " + index.folder().string() + " -k K";
  if (!index.groups()) throw io_error(index.folder(), "holds no groups; make them" + how);
  const std::filesystem::path file = index.folder() / index_file::kGroups;
  stored_grouping stored{.groups = parse_groups(parse_json(*index.groups(), file), file), .choices = {}};
  const groups& grouping = stored.groups;
  const auto centroids = index.centroids();
  if (grouping.k() == 0 || grouping.paths != paths_of(index) || (centroids && centroids->extent(0) != grouping.k()))
    throw io_error(index.folder(), "holds groups that are not of its photos; make them again" + how);
  if (centroids) {
    const bool spherical = is_spherical(grouping.metric);
    const nearest_centroids nearest = session.device().assign_to_nearest(embeddings, *centroids, spherical);
    for (std::size_t q = 0; q < embeddings.extent(0); ++q) {
      // Between vectors of length 1, |x - y|^2 = 2 - 2 cos(x, y).
      const double squared = nearest.squared_distances[q];
      stored.choices.push_back(
          {nearest.labels[q], static_cast<float>(spherical ? 1.0 - squared / 2.0 : -std::sqrt(squared))});
    }
    return stored;
  }
  tensor<float, 2> medoids({grouping.k(), index.dimension()});
  for (std::size_t g = 0; g < grouping.k(); ++g)
    std::copy_n(index.embeddings().row(grouping.medoids[g]), index.dimension(), medoids.view().row(g));
  const top_n_result found = session.device().top_n(std::as_const(medoids).view(), embeddings, grouping.metric,
                                                    {.n = 1, .exclude_self = false, .first_row = 0, .on_progress = {}});
  for (std::size_t q = 0; q < embeddings.extent(0); ++q)
    stored.choices.push_back({static_cast<std::size_t>(found.rows(q, 0)), found.similarity(q, 0)});
  return stored;
}

}  // namespace imgsim::app
