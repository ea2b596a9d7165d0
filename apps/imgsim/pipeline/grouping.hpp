// The photos of an index in groups.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.hpp"

#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/cluster/groups.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/embedding/index_writer.hpp>
#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/report/groups.hpp>

namespace imgsim::app {

struct grouping_request {
  std::optional<std::size_t> k;  // nullopt: chosen by choose_k
  bool k_means = false;
  std::string metric = "cosine";
  std::size_t restarts = 1;
};

struct grouping_result {
  imgsim::groups groups;
  std::vector<std::uint32_t> labels;  // [M]
  std::vector<float> distances;       // [M] to the medoid, or to the centroid for k-means
  tensor<float, 2> centroids;         // [K, D] for k-means, else empty
  std::string verdict;                // of choose_k, where it chose K
};

/// The largest K that is tried where none is named: with more groups than half the photos, many hold a single one.
[[nodiscard]] std::size_t largest_useful_k(std::size_t photos);

struct sweep_request {
  std::string metric = "cosine";
  std::size_t k_min = 2;
  std::optional<std::size_t> k_max = {};  // nullopt: largest_useful_k()
  double sensitivity = 1.0;               // of Kneedle
};

/// The curve over K with progress. `k_max` is lowered to what M photos allow. Throws invalid_argument, cancelled.
[[nodiscard]] choose_k_result sweep_groups(session& session, const photo_index& index, const sweep_request& request);

/// Throws invalid_argument where K is more than the photos, cancelled on a stop.
[[nodiscard]] grouping_result make_groups(session& session, const photo_index& index, const grouping_request& request);

/// Keeps the grouping in the index, for predict. `writer` was opened before the photos were grouped, so that they are
/// still those. Throws io_error.
void store_groups(index_writer& writer, const grouping_result& result);

/// The groups, the largest first.
[[nodiscard]] std::vector<group_summary> summarise(const grouping_result& result);

struct group_choice {
  std::size_t group = 0;
  float similarity = 0;  // to the group's medoid, or minus the distance to its centroid
};

/// The group of the last clustering that each embedding [Q, D] belongs to. Throws io_error where the index holds no
/// groups.
struct stored_grouping {
  imgsim::groups groups;
  std::vector<group_choice> choices;  // [Q]
};
[[nodiscard]] stored_grouping predict_groups(session& session, const photo_index& index,
                                             matrix_view<const float> embeddings);

}  // namespace imgsim::app
