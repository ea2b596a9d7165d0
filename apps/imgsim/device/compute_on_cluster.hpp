// The members of compute_on that make groups.
#pragma once

#include "device/compute_on.hpp"
#include "device/cpu_features.hpp"

#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cluster/k_means.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/metric/registry.hpp>

namespace imgsim::app {

template <execution_context Context>
template <class Use>
auto compute_on<Context>::with_distances(matrix_view<const float> points, std::string_view metric, Use&& use) const {
  return visit_metric(metric, [&](auto m) {
    const std::size_t size = points.extent(0);
    if (size * size > describe_cpu().memory_bytes / 4 / sizeof(float)) return use(embedding_distances(points, m));
    tensor<float, 2> distances({size, size});
    distance_matrix(points, metric, distances.view());
    return use(resident_distances(distances.view()));
  });
}

template <execution_context Context>
k_medoids_result compute_on<Context>::k_medoids(matrix_view<const float> points, std::string_view metric,
                                                const k_medoids_options& options) const {
  return with_distances(points, metric,
                        [&](const auto& source) { return imgsim::k_medoids(context_, source, options); });
}

template <execution_context Context>
choose_k_result compute_on<Context>::choose_k(matrix_view<const float> points, std::string_view metric,
                                              const choose_k_options& options) const {
  return with_distances(points, metric,
                        [&](const auto& source) { return imgsim::choose_k(context_, source, options); });
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
