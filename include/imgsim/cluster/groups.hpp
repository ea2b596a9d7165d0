// A finished grouping of photos, and its file k_groups.json.
//
//   {"k": 2, "method": "k-medoids", "cost": 1.5, "seed": 0, "medoids": [3, 1], "clusters": [[0, 3], [1, 2]],
//    "paths": ["a.jpg", "b.jpg", "c.jpg", "d.jpg"], "metric": "cosine"}
//
// Rows are positions in "paths". "clusters" lists each row once, each cluster's rows ascending; medoids[i] is in
// clusters[i]. For k-means the medoid is the photo nearest the centroid. Paths hold any bytes, see core/path_text.hpp.
//
// Two fields more where they were asked for: "max_distance": T, every member is within T of its medoid; and
// "outlier_distance": T with "outliers": [2], the rows farther than T from their medoid (k-means: centroid), ascending,
// which are then in no cluster (their distances are part of the cost). A medoid is no outlier.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <imgsim/cluster/outliers.hpp>
#include <imgsim/cluster/rows_by_label.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/json_fields.hpp>
#include <imgsim/core/path_text.hpp>

namespace imgsim {

struct groups {
  std::string method = {};  // "k-medoids", "k-means", "silhouette" or "cover" (covering_medoids)
  std::string metric = {};  // "cosine", "euclidean", ...; may be empty
  double cost = 0;          // sum of distances to the medoids, or of squared distances (k-means), over all photos
  std::uint64_t seed = 0;
  std::vector<std::size_t> medoids = {};                // [K] row of the photo that stands for each group
  std::vector<std::vector<std::size_t>> clusters = {};  // [K] rows of each group, ascending
  std::optional<double> max_distance = {};              // of a member from its medoid, where that was asked for
  std::optional<double> outlier_distance = {};
  std::vector<std::size_t> outliers = {};  // rows beyond outlier_distance, ascending
  std::vector<std::string> paths = {};     // [M] path of each row, raw bytes

  [[nodiscard]] std::size_t k() const noexcept { return clusters.size(); }

  friend bool operator==(const groups&, const groups&) = default;
};

/// Throws invalid_argument, in one sentence, where the grouping breaks a rule at the top of this file.
inline void check(const groups& grouping) {
  const std::size_t size = grouping.paths.size();
  IMGSIM_EXPECTS(grouping.medoids.size() == grouping.clusters.size(), grouping.medoids.size(), " medoids for ",
                 grouping.clusters.size(), " clusters");
  IMGSIM_EXPECTS(!grouping.method.empty(), "the method has no name");
  IMGSIM_EXPECTS(std::isfinite(grouping.cost), "the cost is not a finite number");
  std::vector<bool> seen(size, false);
  std::size_t listed = 0;
  for (std::size_t i = 0; i < grouping.clusters.size(); ++i) {
    const std::vector<std::size_t>& rows = grouping.clusters[i];
    for (const std::size_t row : rows) {
      IMGSIM_EXPECTS(row < size, "cluster ", i, " lists row ", row, " of ", size, " photos");
      IMGSIM_EXPECTS(!seen[row], "row ", row, " is listed twice");
      seen[row] = true;
    }
    listed += rows.size();
    IMGSIM_EXPECTS(std::ranges::is_sorted(rows), "the rows of cluster ", i, " do not ascend");
    IMGSIM_EXPECTS(std::ranges::binary_search(rows, grouping.medoids[i]), "medoid ", grouping.medoids[i],
                   " is not in its cluster ", i);
  }
  IMGSIM_EXPECTS(grouping.outlier_distance || grouping.outliers.empty(), "there are outliers but no outlier distance");
  for (const std::size_t row : grouping.outliers) {
    IMGSIM_EXPECTS(row < size, "row ", row, " of ", size, " photos is an outlier");
    IMGSIM_EXPECTS(!seen[row], "row ", row, " is listed twice");
    seen[row] = true;
  }
  IMGSIM_EXPECTS(std::ranges::is_sorted(grouping.outliers), "the outliers do not ascend");
  listed += grouping.outliers.size();
  IMGSIM_EXPECTS(listed == size, "the clusters list ", listed, " of ", size, " photos");
}

/// The cluster of each row, [M]; kNoGroup for outliers. Throws invalid_argument where check() does.
[[nodiscard]] inline std::vector<std::uint32_t> labels_of(const groups& grouping) {
  check(grouping);
  std::vector<std::uint32_t> labels(grouping.paths.size(), kNoGroup);
  for (std::size_t i = 0; i < grouping.clusters.size(); ++i) {
    for (const std::size_t row : grouping.clusters[i]) labels[row] = static_cast<std::uint32_t>(i);
  }
  return labels;
}

/// Throws invalid_argument where check() does.
[[nodiscard]] inline nlohmann::ordered_json to_json(const groups& grouping) {
  check(grouping);
  nlohmann::ordered_json document{
      {"k", grouping.k()},     {"method", grouping.method},   {"metric", grouping.metric},    {"cost", grouping.cost},
      {"seed", grouping.seed}, {"medoids", grouping.medoids}, {"clusters", grouping.clusters}};
  if (grouping.max_distance) document["max_distance"] = *grouping.max_distance;
  if (grouping.outlier_distance) {
    document["outlier_distance"] = *grouping.outlier_distance;
    document["outliers"] = grouping.outliers;
  }
  nlohmann::ordered_json& paths = document["paths"] = nlohmann::ordered_json::array();
  for (const std::string& path : grouping.paths) paths.push_back(path_to_text(path));
  return document;
}

/// The inverse of to_json, of a document that came from `path`; the order of rows within a cluster is free and fields
/// that are not known are passed over. Throws io_error for a field that is missing or of the wrong kind, and where
/// check() finds a broken rule.
[[nodiscard]] inline groups parse_groups(const nlohmann::json& document, const std::filesystem::path& path) {
  const json_fields fields(document, path);
  groups grouping;
  grouping.method = fields.text("method");
  if (fields.has("metric")) grouping.metric = fields.text("metric");
  grouping.cost = fields.number("cost");
  grouping.seed = fields.integer<std::uint64_t>("seed");
  grouping.medoids = fields.whole_numbers("medoids", fields.at("medoids"));
  for (const nlohmann::json& cluster : fields.array("clusters")) {
    grouping.clusters.push_back(fields.whole_numbers("clusters", cluster));
    std::ranges::sort(grouping.clusters.back());
  }
  if (fields.has("max_distance")) grouping.max_distance = fields.number("max_distance");
  if (fields.has("outlier_distance")) {
    grouping.outlier_distance = fields.number("outlier_distance");
    grouping.outliers = fields.whole_numbers("outliers", fields.at("outliers"));
    std::ranges::sort(grouping.outliers);
  }
  if (fields.integer<std::size_t>("k") != grouping.k()) fields.fail("\"k\" must be the number of clusters");
  for (const nlohmann::json& photo : fields.array("paths")) {
    if (!photo.is_string()) fields.fail("\"paths\" must be a list of paths");
    grouping.paths.push_back(fields.file_name("paths", photo.get_ref<const std::string&>()));
  }
  try {
    check(grouping);
  } catch (const invalid_argument& reason) {
    fields.fail(reason.what());
  }
  return grouping;
}

}  // namespace imgsim
