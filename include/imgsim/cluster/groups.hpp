// A finished grouping of photos, and its file k_groups.json.
//
//   {"k": 2, "method": "k-medoids", "cost": 1.5, "seed": 0, "medoids": [3, 1], "clusters": [[0, 3], [1, 2]],
//    "paths": ["a.jpg", "b.jpg", "c.jpg", "d.jpg"], "metric": "cosine"}
//
// Rows are positions in "paths". "clusters" lists each row once, each cluster's rows ascending; medoids[i] is in
// clusters[i]. For k-means the medoid is the photo nearest the centroid. Paths hold any bytes, see core/path_text.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <imgsim/core/error.hpp>
#include <imgsim/core/path_text.hpp>

namespace imgsim {

struct groups {
  std::string method = {};  // "k-medoids" or "k-means"
  std::string metric = {};  // "cosine", "euclidean", ...; may be empty
  double cost = 0;          // what the method minimises: sum of distances (k-medoids) or of squared distances (k-means)
  std::uint64_t seed = 0;
  std::vector<std::size_t> medoids = {};                // [K] row of the photo that stands for each group
  std::vector<std::vector<std::size_t>> clusters = {};  // [K] rows of each group, ascending
  std::vector<std::string> paths = {};                  // [M] path of each row, raw bytes

  [[nodiscard]] std::size_t k() const noexcept { return clusters.size(); }

  friend bool operator==(const groups&, const groups&) = default;
};

/// [K] lists of rows: those with label i in list i, ascending. Throws invalid_argument for a label of `k` or more.
[[nodiscard]] inline std::vector<std::vector<std::size_t>> rows_by_label(std::span<const std::uint32_t> labels,
                                                                         std::size_t k) {
  std::vector<std::vector<std::size_t>> rows(k);
  for (std::size_t row = 0; row < labels.size(); ++row) {
    IMGSIM_EXPECTS(labels[row] < k, "row ", row, " has label ", labels[row], " where there are ", k, " groups");
    rows[labels[row]].push_back(row);
  }
  return rows;
}

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
  IMGSIM_EXPECTS(listed == size, "the clusters list ", listed, " of ", size, " photos");
}

/// The cluster of each row, [M]. Throws invalid_argument where check() does.
[[nodiscard]] inline std::vector<std::uint32_t> labels_of(const groups& grouping) {
  check(grouping);
  std::vector<std::uint32_t> labels(grouping.paths.size());
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
  nlohmann::ordered_json& paths = document["paths"] = nlohmann::ordered_json::array();
  for (const std::string& path : grouping.paths) paths.push_back(path_to_text(path));
  return document;
}

namespace detail {

[[noreturn]] inline void throw_bad_field(const std::string& field, const char* wanted) {
  throw invalid_argument(concat("the field \"", field, "\" of the groups must be ", wanted));
}

inline const nlohmann::json& groups_field(const nlohmann::json& document, const std::string& field) {
  const auto found = document.find(field);
  if (found == document.end()) throw invalid_argument(concat("the groups have no field \"", field, "\""));
  return *found;
}

inline std::string groups_text(const nlohmann::json& document, const std::string& field) {
  const nlohmann::json& value = groups_field(document, field);
  if (!value.is_string()) throw_bad_field(field, "a text");
  return value.get<std::string>();
}

inline std::vector<std::size_t> groups_rows(const nlohmann::json& value, const std::string& field) {
  if (!value.is_array()) throw_bad_field(field, "a list of rows");
  std::vector<std::size_t> rows;
  rows.reserve(value.size());
  for (const nlohmann::json& row : value) {
    if (!row.is_number_unsigned()) throw_bad_field(field, "a list of rows, which are whole numbers from 0");
    rows.push_back(row.get<std::size_t>());
  }
  return rows;
}

}  // namespace detail

/// The inverse of to_json; the order of rows within a cluster is free and fields that are not known are passed over.
/// Throws invalid_argument for a field that is missing or of the wrong kind, and where check() does.
[[nodiscard]] inline groups parse_groups(const nlohmann::json& document) {
  if (!document.is_object()) throw invalid_argument("the groups are not a JSON object");
  groups grouping;
  grouping.method = detail::groups_text(document, "method");
  if (document.contains("metric")) grouping.metric = detail::groups_text(document, "metric");
  const nlohmann::json& cost = detail::groups_field(document, "cost");
  if (!cost.is_number()) detail::throw_bad_field("cost", "a number");
  grouping.cost = cost.get<double>();
  const nlohmann::json& seed = detail::groups_field(document, "seed");
  if (!seed.is_number_unsigned()) detail::throw_bad_field("seed", "a whole number from 0");
  grouping.seed = seed.get<std::uint64_t>();
  grouping.medoids = detail::groups_rows(detail::groups_field(document, "medoids"), "medoids");

  const nlohmann::json& clusters = detail::groups_field(document, "clusters");
  if (!clusters.is_array()) detail::throw_bad_field("clusters", "a list of lists of rows");
  for (const nlohmann::json& cluster : clusters) {
    grouping.clusters.push_back(detail::groups_rows(cluster, "clusters"));
    std::ranges::sort(grouping.clusters.back());
  }
  const nlohmann::json& k = detail::groups_field(document, "k");
  if (!k.is_number_unsigned() || k.get<std::uint64_t>() != grouping.k()) {
    detail::throw_bad_field("k", "the number of clusters");
  }
  const nlohmann::json& paths = detail::groups_field(document, "paths");
  if (!paths.is_array()) detail::throw_bad_field("paths", "a list of paths");
  for (const nlohmann::json& path : paths) {
    if (!path.is_string()) detail::throw_bad_field("paths", "a list of paths");
    std::optional<std::string> bytes = path_from_text(path.get_ref<const std::string&>());
    if (!bytes) detail::throw_bad_field("paths", "a list of paths, with two hexadecimal digits after each U+0000");
    grouping.paths.push_back(std::move(*bytes));
  }
  check(grouping);
  return grouping;
}

}  // namespace imgsim
