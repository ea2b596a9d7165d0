// How many groups? The curve over K, what each criterion says, and whether there are groups at all.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.hpp"

#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/cluster/gap_statistic.hpp>
#include <imgsim/cluster/silhouette_medoids.hpp>
#include <imgsim/cluster/stability.hpp>
#include <imgsim/embedding/photo_index.hpp>

namespace imgsim::app {

/// The largest K that is tried where none is named: with more groups than half the photos, many hold a single one.
[[nodiscard]] std::size_t largest_useful_k(std::size_t photos);

/// The largest K whose silhouette says something: of more groups than half the photos many hold a single one, which is
/// as well separated as can be.
[[nodiscard]] std::size_t largest_judged_k(std::size_t photos);

/// The largest K for which medoids are chosen for the silhouette, where K is looked for: up to
/// largest_judged_k(), but no more than takes seconds, 100 for some 4,900 photos and at least 20 for more. A K costs as
/// much as many of the curve.
[[nodiscard]] std::size_t largest_separated_k(std::size_t photos);

struct sweep_request {
  std::string metric = "cosine";
  std::optional<std::size_t> k_min = {};  // nullopt: 2, or 1 where there is a single photo
  std::optional<std::size_t> k_max = {};  // nullopt: largest_useful_k()
  double sensitivity = 1.0;               // of Kneedle
  bool explains = false;                  // also what K does not follow from: stability, medoids for the silhouette
};

/// Whether the groups of one K come back in parts of the photos.
struct k_stability {
  std::size_t k = 0;
  stability_result agreement;
};

struct sweep_result {
  choose_k_result choice;                      // medoids are rows of the index
  std::size_t photos = 0;                      // that were compared: all, or a sample of kComparedPhotos
  std::optional<gap_statistic_result> gap;     // where there are photos enough
  std::vector<k_stability> stability;          // of the recommended K and of each criterion's best, ascending in K
  std::vector<silhouette_choice> silhouettes;  // ascending in K: medoids for the silhouette itself, where asked for

  /// The K whose medoids for the silhouette have the largest, ties to the smaller; 0 where none were asked for.
  [[nodiscard]] std::size_t best_separated_k() const;

  /// Whether groups are recommended all the same where the gap statistic finds no structure.
  [[nodiscard]] bool groups_without_structure() const;
};

class point_distances;

/// The curve over K with progress, from the photos' `distances` where they were opened already. `k_max` is lowered to
/// what the photos allow. Where the gap statistic finds no structure, the verdict says so. The recommended K is 1 where
/// there is nothing to choose: cluster -k auto makes as many groups as choose-k recommends. Throws usage_error where
/// k_min is more than the photos, cancelled.
[[nodiscard]] sweep_result sweep_groups(session& session, const photo_index& index, const sweep_request& request,
                                        const point_distances* distances = nullptr);

/// Throws usage_error where --k-min is more than --k-max.
void check_range(std::optional<std::size_t> k_min, std::optional<std::size_t> k_max);

/// Throws usage_error where `k`, given by `option`, is more than the photos.
void check_k(const char* option, std::size_t k, std::size_t photos);

}  // namespace imgsim::app
