// The distances between the photos of an index, ready to be grouped.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/cluster/cost_bound.hpp>
#include <imgsim/cluster/covering_medoids.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/cluster/sampled_k_medoids.hpp>
#include <imgsim/cluster/silhouette_medoids.hpp>
#include <imgsim/cluster/stability.hpp>

namespace imgsim::app {

/// Everything is as in the library's functions of these names. compute::open_distances() makes one.
class point_distances {
 public:
  point_distances() = default;
  point_distances(const point_distances&) = delete;
  point_distances& operator=(const point_distances&) = delete;
  virtual ~point_distances() = default;

  [[nodiscard]] virtual k_medoids_result k_medoids(const k_medoids_options& options) const = 0;
  [[nodiscard]] virtual sampled_k_medoids_result sampled_k_medoids(const sampled_k_medoids_options& options) const = 0;
  [[nodiscard]] virtual covering_result covering_medoids(const covering_options& options) const = 0;
  [[nodiscard]] virtual k_medoids_result groups_around(std::span<const std::size_t> medoids) const = 0;
  [[nodiscard]] virtual std::vector<silhouette_choice> silhouette_medoids(const silhouette_options& options) const = 0;
  /// With the indices of the centroids.
  [[nodiscard]] virtual choose_k_result choose_k(const choose_k_options& options) const = 0;
  [[nodiscard]] virtual stability_result group_stability(const stability_options& options) const = 0;
  /// Nothing where the distances are not kept: every pass would compute them again.
  [[nodiscard]] virtual std::optional<cost_bound> bound_cost(std::span<const std::size_t> medoids,
                                                             const cost_bound_options& options) const = 0;
};

}  // namespace imgsim::app
