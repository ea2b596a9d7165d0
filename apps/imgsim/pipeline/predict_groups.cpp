#include "pipeline/predict_groups.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "device/compute.hpp"
#include "pipeline/gather_rows.hpp"
#include "pipeline/grouping.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/core/json.hpp>
#include <imgsim/metric/cosine.hpp>

namespace imgsim::app {

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
  const tensor<float, 2> medoids = gather_rows(index.embeddings(), grouping.medoids);
  const top_n_result found = session.device().top_n(medoids.view(), embeddings, grouping.metric,
                                                    {.n = 1, .exclude_self = false, .first_row = 0, .on_progress = {}});
  for (std::size_t q = 0; q < embeddings.extent(0); ++q) {
    const auto similarity = static_cast<double>(found.similarity(q, 0));
    choose(static_cast<std::size_t>(found.rows(q, 0)), is_cosine ? 1 - similarity : -similarity);
  }
  return stored;
}

}  // namespace imgsim::app
