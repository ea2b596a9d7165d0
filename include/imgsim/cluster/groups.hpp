// A finished grouping of photos, and its file k_groups.json.
//
//   {"k": 2, "method": "k-medoids", "cost": 1.5, "seed": 0, "medoids": [3, 1], "clusters": [[0, 3], [1, 2]],
//    "paths": ["a.jpg", "b.jpg", "c.jpg", "d.jpg"], "metric": "cosine"}
//
// Rows are positions in "paths". "clusters" lists each row once, each cluster's rows ascending; medoids[i] is in
// clusters[i]. For k-means the medoid is the photo nearest the centroid. Paths hold any bytes, see core/path_text.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <imgsim/core/error.hpp>
#include <imgsim/core/path_text.hpp>

namespace imgsim {

struct groups {
  std::string method;  // "k-medoids" or "k-means"
  std::string metric;  // "cosine", "euclidean", ...; may be empty
  double cost = 0;     // what the method minimises: sum of distances (k-medoids) or of squared distances (k-means)
  std::uint64_t seed = 0;
  std::vector<std::size_t> medoids;                // [K] row of the photo that stands for each group
  std::vector<std::vector<std::size_t>> clusters;  // [K] rows of each group, ascending
  std::vector<std::string> paths;                  // [M] path of each row, raw bytes

  [[nodiscard]] std::size_t k() const noexcept { return clusters.size(); }

  friend bool operator==(const groups&, const groups&) = default;
};

/// clusters[i] = the rows labelled i, ascending, for labels below `k`.
[[nodiscard]] std::vector<std::vector<std::size_t>> rows_by_label(std::span<const std::uint32_t> labels, std::size_t k);

/// The group of each row; the inverse of rows_by_label.
[[nodiscard]] std::vector<std::uint32_t> labels_of(const groups& grouping);

/// Throws invalid_argument, in one sentence, where the grouping breaks a rule above.
void check(const groups& grouping);

/// Throws invalid_argument where check() would.
[[nodiscard]] nlohmann::json to_json(const groups& grouping);

/// Fields that are not known are ignored; throws invalid_argument naming the field that is missing or wrong.
[[nodiscard]] groups parse_groups(const nlohmann::json& document);

}  // namespace imgsim
