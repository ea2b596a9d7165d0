#include "pipeline/predict_groups.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <utility>

#include "device/compute.hpp"
#include "device/point_distances.hpp"
#include "pipeline/gather_rows.hpp"
#include "pipeline/grouping.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/core/json.hpp>
#include <imgsim/metric/cosine.hpp>

namespace imgsim::app {

namespace {

constexpr std::size_t kQueriesTogether = 1024;

}  // namespace

stored_grouping predict_groups(session& session, const photo_index& index, matrix_view<const float> embeddings) {
  const std::string how = " with: imgsim cluster --index " + index.folder().string() + " -k K";
  if (!index.groups()) throw io_error(index.folder(), "holds no groups; make them" + how);
  const std::filesystem::path file = index.folder() / index_file::kGroups;
  stored_grouping stored{.groups = parse_groups(parse_json(*index.groups(), file), file), .choices = {}};
  const groups& grouping = stored.groups;
  const auto centroids = index.centroids();
  const bool same_photos = std::ranges::equal(grouping.paths, index.photos(), {}, {}, &indexed_photo::path);
  if (grouping.k() == 0 || !same_photos || (centroids && centroids->extent(0) != grouping.k()))
    throw io_error(index.folder(), "holds groups that are not of its photos; make them again" + how);

  const bool is_cosine = grouping.metric == cosine::name;
  const std::optional<double> reach = stored.reach();
  const auto choose = [&](std::size_t group, double distance) {
    stored.choices.push_back({.group = group,
                              .distance = static_cast<float>(distance),
                              .similarity = static_cast<float>(is_cosine ? 1 - distance : -distance),
                              .is_outlier = reach && static_cast<float>(distance) > *reach});  // as members are judged
  };
  if (centroids) {
    const nearest_centroids nearest =
        session.device().assign_to_nearest(embeddings, *centroids, is_spherical(grouping.metric));
    for (std::size_t q = 0; q < embeddings.extent(0); ++q)
      choose(nearest.labels[q], metric_distance(nearest.squared_distances[q], grouping.metric));
    return stored;
  }
  // By the distances that groups are made by: 1 - a similarity that is rounded already is not always the same float.
  // (An embedding of zeros is at 1 from every other by cosine, also from a medoid of zeros, which is at 0 from itself.)
  const tensor<float, 2> medoids = gather_rows(index.embeddings(), grouping.medoids);
  std::vector<std::size_t> first_rows(grouping.k());
  std::iota(first_rows.begin(), first_rows.end(), std::size_t{0});
  for (std::size_t first = 0; first < embeddings.extent(0); first += kQueriesTogether) {
    const std::size_t queries = std::min(kQueriesTogether, embeddings.extent(0) - first);
    tensor<float, 2> points({grouping.k() + queries, embeddings.extent(1)});
    std::ranges::copy(medoids, points.begin());
    std::copy_n(embeddings.row(first), queries * embeddings.extent(1), points.view().row(grouping.k()));
    const k_medoids_result nearest = session.device()
                                         .open_distances(std::as_const(points).view(), grouping.metric, false)
                                         ->groups_around(first_rows);
    for (std::size_t row = grouping.k(); row < points.extent(0); ++row)
      choose(nearest.labels[row], static_cast<double>(nearest.distances[row]));
  }
  return stored;
}

}  // namespace imgsim::app
