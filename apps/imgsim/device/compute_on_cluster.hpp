// The members of compute_on that make groups.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "device/compute_on.hpp"
#include "device/machine_memory.hpp"
#include "device/point_distances.hpp"

#include <imgsim/cluster/distance_source.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cluster/gap_statistic.hpp>
#include <imgsim/cluster/k_means.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/metric/registry.hpp>

namespace imgsim::app {

template <execution_context Context, metric Metric>
class point_distances_on final : public point_distances {
 public:
  /// `table` [M, M] are the distances between `points`, or it is empty.
  point_distances_on(const Context& context, matrix_view<const float> points, tensor<float, 2> table)
      : context_(context),
        points_(points),
        table_(std::move(table)),
        bound_(table_.empty() ? std::nullopt : distance_bound(points, Metric{})) {}

  [[nodiscard]] k_medoids_result k_medoids(const k_medoids_options& options) const override {
    return over_source([&](const auto& source) { return imgsim::k_medoids(context_, source, options); });
  }
  [[nodiscard]] sampled_k_medoids_result sampled_k_medoids(const sampled_k_medoids_options& options) const override {
    return imgsim::sampled_k_medoids(context_, embedding_distances(points_, Metric{}), options);
  }
  [[nodiscard]] covering_result covering_medoids(const covering_options& options) const override {
    return over_source([&](const auto& source) { return imgsim::covering_medoids(context_, source, options); });
  }
  [[nodiscard]] k_medoids_result groups_around(std::span<const std::size_t> medoids) const override {
    return over_source([&](const auto& source) { return imgsim::groups_around(context_, source, medoids); });
  }
  [[nodiscard]] std::vector<silhouette_choice> silhouette_medoids(const silhouette_options& options) const override {
    return over_source([&](const auto& source) { return imgsim::silhouette_medoids(context_, source, options); });
  }
  [[nodiscard]] choose_k_result choose_k(const choose_k_options& options) const override {
    return over_source([&](const auto& source) { return imgsim::choose_k(context_, source, points_, options); });
  }
  [[nodiscard]] stability_result group_stability(const stability_options& options) const override {
    return over_source([&](const auto& source) { return imgsim::group_stability(context_, source, options); });
  }
  [[nodiscard]] std::optional<cost_bound> bound_cost(std::span<const std::size_t> medoids,
                                                     const cost_bound_options& options) const override {
    if (table_.empty()) return std::nullopt;
    return imgsim::bound_cost(context_, resident_distances(table_.view(), bound_), medoids, options);
  }

 private:
  template <class Use>
  auto over_source(Use&& use) const {
    return table_.empty() ? use(embedding_distances(points_, Metric{}))
                          : use(resident_distances(table_.view(), bound_));
  }

  Context context_;
  matrix_view<const float> points_;
  tensor<float, 2> table_;
  std::optional<float> bound_;
};

template <execution_context Context>
std::unique_ptr<point_distances> compute_on<Context>::open_distances(matrix_view<const float> points,
                                                                     std::string_view metric, bool keep) const {
  const std::size_t size = points.extent(0);
  std::uint64_t memory = machine_memory_bytes();
  if constexpr (requires { context_.memory_bytes(); })
    memory = std::min<std::uint64_t>(memory, context_.memory_bytes());
  const auto most_kept = static_cast<std::size_t>(std::sqrt(static_cast<double>(memory / 4 / sizeof(float))));
  tensor<float, 2> table;
  if (keep && size <= most_kept) {
    table = tensor<float, 2>({size, size});
    distance_matrix(points, metric, table.view());
  }
  return visit_metric(metric, [&](auto m) -> std::unique_ptr<point_distances> {
    return std::make_unique<point_distances_on<Context, decltype(m)>>(context_, points, std::move(table));
  });
}

template <execution_context Context>
gap_statistic_result compute_on<Context>::gap_statistic(matrix_view<const float> points,
                                                        const gap_statistic_options& options) const {
  return imgsim::gap_statistic(context_, points, options);
}

template <execution_context Context>
k_means_result compute_on<Context>::k_means(matrix_view<const float> points, const k_means_options& options) const {
  return imgsim::k_means(context_, points, options);
}

template <execution_context Context>
nearest_centroids compute_on<Context>::assign_to_nearest(matrix_view<const float> points,
                                                         matrix_view<const float> centroids, bool spherical) const {
  return imgsim::assign_to_nearest(context_, points, centroids, spherical);
}

}  // namespace imgsim::app

/// In namespace imgsim::app of one source file of a backend.
#define IMGSIM_INSTANTIATE_COMPUTE_CLUSTER(Context)                                                             \
  template std::unique_ptr<point_distances> compute_on<Context>::open_distances(matrix_view<const float>,       \
                                                                                std::string_view, bool) const;  \
  template gap_statistic_result compute_on<Context>::gap_statistic(matrix_view<const float>,                    \
                                                                   const gap_statistic_options&) const;         \
  template k_means_result compute_on<Context>::k_means(matrix_view<const float>, const k_means_options&) const; \
  template nearest_centroids compute_on<Context>::assign_to_nearest(matrix_view<const float>,                   \
                                                                    matrix_view<const float>, bool) const
