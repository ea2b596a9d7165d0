// The photos of an index in groups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "pipeline/sweep.hpp"

#include <imgsim/cluster/groups.hpp>
#include <imgsim/cluster/initial_medoids.hpp>
#include <imgsim/cluster/weak_places.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/embedding/index_writer.hpp>
#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/report/groups.hpp>

namespace imgsim::app {

enum class grouping_method {
  k_medoids,
  k_means,
  silhouette  // medoids of the largest mean medoid silhouette (DynMSC)
};

/// Of more photos than this, k-means follows batches.
inline constexpr std::size_t kBatchedPhotos = 100'000;

/// Starts from other seeds cost little where photos are few, and often gain a part in a thousand.
inline constexpr std::size_t kManyStarts = 5;
inline constexpr std::size_t kManyStartsPhotos = 10'000;

struct grouping_request {
  std::optional<std::size_t> k = {};  // nullopt: chosen by choose_k, or as the K of the largest silhouette
  std::optional<std::size_t> k_min = {}, k_max = {};  // of that choice, as in sweep_request
  bool explains = false;                              // that choice, as in sweep_request
  grouping_method method = grouping_method::k_medoids;
  std::string metric = "cosine";
  std::optional<std::size_t> restarts = {};  // nullopt: kManyStarts of up to kManyStartsPhotos photos, else one
  medoid_initialisation initialisation = medoid_initialisation::k_means_plus_plus;
  std::size_t max_swaps = std::numeric_limits<std::size_t>::max();
  std::optional<double> max_distance = {};      // groups with a guarantee in place of K of them
  std::optional<double> outlier_distance = {};  // photos farther from their medoid are left out
  /// Photos in a sample of K-medoids or in a batch of k-means, 0: all are taken; nullopt: all where they are no more
  /// than kComparedPhotos (pipeline/photo_sample.hpp), for k-means kBatchedPhotos.
  std::optional<std::size_t> sample = {};
};

/// More groups than this are not compared with one another: K^2 distances.
inline constexpr std::size_t kComparedGroups = 4096;

/// A photo that is in no group, with the group it is nearest to.
struct outlier {
  std::size_t row = 0;
  std::size_t group = 0;
  float distance = 0;
};

/// The sample of the photos that the medoids began with. Both figures are of the sample alone: it holds its medoids
/// themselves, and they were chosen for it, so that over all photos distances are larger, the best ones, too.
struct sample_judgement {
  std::size_t photos = 0;
  double cost = 0;         // mean distance in it to its own medoids
  double lower_bound = 0;  // of that, for any K medoids
};

/// Of the photos compared, where medoids were chosen for it.
struct silhouette_judgement {
  double mean = 0;        // medoid silhouette, in [0, 1]
  bool is_limit = false;  // K was looked for, and is the largest that was tried
};

struct grouping_result {
  imgsim::groups groups;
  std::vector<std::uint32_t> labels;            // [M] kNoGroup for outliers
  std::vector<float> distances;                 // [M] by the metric to the medoid, or to the centroid for k-means
  tensor<float, 2> centroids;                   // [K, D] for k-means, else empty
  std::vector<outlier> outliers = {};           // the farthest first
  std::optional<std::size_t> starts = {};       // the best of which was kept: of K-medoids of all photos, of k-means
  std::optional<double> lower_bound = {};       // of the cost of any K medoids
  std::optional<std::size_t> least_k = {};      // of groups with a guarantee: fewer cannot keep it
  std::optional<sample_judgement> sample = {};  // where samples were compared
  std::optional<weak_places> weak = {};         // where there are not too many groups to compare
  std::size_t twice = 0;                        // groups whose medoid has the embedding of an earlier one's
  std::optional<sweep_result> chosen = {};      // the curve that K was chosen from
  std::optional<silhouette_judgement> silhouette = {};
};

/// Throws usage_error where the photos are fewer than K, cancelled on a stop.
[[nodiscard]] grouping_result make_groups(session& session, const photo_index& index, const grouping_request& request);

/// Keeps the grouping in the index, for predict. `writer` was opened before the photos were grouped, so that they are
/// still those. Throws io_error.
void store_groups(index_writer& writer, const grouping_result& result);

/// The groups, the largest first.
[[nodiscard]] std::vector<group_summary> summarise(const grouping_result& result);

/// K-means groups are those of cosine similarity where points and centroids have length 1.
[[nodiscard]] bool is_spherical(const std::string& metric);
/// Of a k-means group: the distance by the metric, from the squared Euclidean one. (Of a zero embedding by cosine it is
/// 0.5, as it lies in the middle of the sphere.)
[[nodiscard]] double metric_distance(double squared_distance, const std::string& metric);

}  // namespace imgsim::app
