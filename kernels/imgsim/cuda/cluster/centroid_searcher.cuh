// The passes of k-means on a CUDA device; models the concept centroid_search (cluster/backend.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cuda/cluster/centroid_kernel.cuh>
#include <imgsim/cuda/cluster/gather_launch.cuh>
#include <imgsim/cuda/cluster/policy.hpp>
#include <imgsim/cuda/context.hpp>
#include <imgsim/cuda/launch.cuh>
#include <imgsim/cuda/search/gallery.cuh>
#include <imgsim/cuda/search/pairs_launch.cuh>
#include <imgsim/metric/euclidean.hpp>

namespace imgsim::cuda {

/// See centroid_search for the meaning of the members; each waits for its answer. A copy of `points` [M, D] is kept on
/// the device. All distances are computed in float64.
class centroid_searcher {
 public:
  centroid_searcher(const cuda_context& context, matrix_view<const float> points, const cluster_policy& policy = {})
      : context_(context), policy_(policy), points_(context, points) {}

  void squared_distances(matrix_view<const float> centroids, matrix_view<float> out) const {
    if (out.empty()) return;
    const cuda_context::waits_if_thrown wait(context_);
    const gallery<float> to(context_, centroids);
    const std::size_t most = rows_in(sizeof(float) * centroids.extent(0));
    const device_buffer<float> distances = context_.allocate<float>(most * centroids.extent(0));
    for (std::size_t first = 0; first < size(); first += most) {
      const std::size_t count = std::min(most, size() - first);
      const matrix_view<float, device_space> part = distances.matrix(count, centroids.extent(0));
      queue_values<squared_euclidean, pair_value::distance, float>(context_, points_.rows().slice(first, count),
                                                                   points_.squared_norms() + first, to.rows(),
                                                                   to.squared_norms(), part);
      context_.copy(matrix_view<const float, device_space>(part), out.slice(first, count));
    }
    context_.synchronize();
  }

  void nearest(matrix_view<const float> centroids, std::span<std::uint32_t> labels, std::span<double> distances) const {
    if (size() == 0) return;
    const cuda_context::waits_if_thrown wait(context_);
    const gallery<float> from(context_, centroids);
    const std::size_t most = rows_in(sizeof(double) * centroids.extent(0));
    const device_buffer<double> keys = context_.allocate<double>(most * centroids.extent(0));
    const device_buffer<unsigned> found = context_.allocate<unsigned>(size());
    const device_buffer<double> at = context_.allocate<double>(size());
    const auto groups = checked_count(centroids.extent(0), "centroids");
    for (std::size_t first = 0; first < size(); first += most) {
      const std::size_t count = std::min(most, size() - first);
      queue_keys(from, first, keys.matrix(groups, count));
      launch(cover(count, policy_.threads_for(count)), context_.stream(), nearest_centroids<double>, keys.get(), count,
             groups, static_cast<unsigned>(count), found.get() + first, at.get() + first);
    }
    context_.copy(matrix_view<const unsigned, device_space>(found.matrix(1, size())),
                  matrix_view<std::uint32_t>(labels.data(), {1, size()}));
    context_.copy(matrix_view<const double, device_space>(at.matrix(1, size())),
                  matrix_view<double>(distances.data(), {1, size()}));
    context_.synchronize();
  }

  void sums(std::span<const std::uint32_t> labels, matrix_view<double> out) const {
    const std::size_t depth = points_.rows().extent(1);
    if (out.empty()) return;
    const std::size_t groups = out.extent(0);
    // Rows by group, each in its order.
    std::vector<unsigned> begins(groups + 1, 0);
    for (const std::uint32_t label : labels) ++begins[label + 1];
    for (std::size_t group = 0; group < groups; ++group) begins[group + 1] += begins[group];
    std::vector<unsigned> order(labels.size());
    std::vector<unsigned> next(begins.begin(), begins.end() - 1);
    for (std::size_t row = 0; row < labels.size(); ++row) order[next[labels[row]]++] = static_cast<unsigned>(row);

    const uploaded<unsigned> sorted(context_, std::move(order));
    const uploaded<unsigned> first(context_, std::move(begins));
    const device_buffer<double> sums =
        context_.allocate<double>(checked_size(std::array{groups, depth}, sizeof(double)));
    constexpr std::size_t kMostBlocks = 65535;
    launch_shape shape = cover(depth, policy_.threads_for(depth));
    shape.grid.y = static_cast<unsigned>(std::min(groups, kMostBlocks));
    launch(shape, context_.stream(), group_sums<float>, points_.rows().data(), points_.rows().stride(0), sorted.get(),
           first.get(), static_cast<unsigned>(groups), static_cast<unsigned>(depth), sums.get());
    const cuda_context::waits_if_thrown wait(context_);
    context_.copy(matrix_view<const double, device_space>(sums.matrix(groups, depth)), out);
    context_.synchronize();
  }

 private:
  [[nodiscard]] std::size_t size() const noexcept { return points_.rows().extent(0); }

  /// Points whose distances fit in the workspace.
  [[nodiscard]] std::size_t rows_in(std::size_t bytes_each) const {
    return std::clamp<std::size_t>(policy_.tile_bytes / bytes_each, 1, size());
  }

  /// keys [K, count] of the centroids with the points from `first` on.
  void queue_keys(const gallery<float>& from, std::size_t first, const matrix_view<double, device_space>& keys) const {
    const device_rows<float> part = points_.rows().slice(first, keys.extent(1));
    for (std::size_t group = 0; group < keys.extent(0); group += kMostLaunchRows) {
      const std::size_t count = std::min(kMostLaunchRows, keys.extent(0) - group);
      launch(pair_grid(count, part.extent(0)), context_.stream(), canonical_keys<euclidean, float>,
             side_of(from.rows().slice(group, count), from.squared_norms() + group),
             side_of(part, points_.squared_norms() + first), checked_count(part.extent(1), "columns"), keys.row(group),
             keys.stride(0));
    }
  }

  cuda_context context_;
  cluster_policy policy_;
  gallery<float> points_;
};

}  // namespace imgsim::cuda
