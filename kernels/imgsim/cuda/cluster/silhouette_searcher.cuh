// The state of a search for medoid silhouettes on a CUDA device; models silhouette_search
// (cluster/silhouette_medoids.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/cluster/silhouette_medoids.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/cuda/cluster/candidate_rows.cuh>
#include <imgsim/cuda/cluster/distance_rows.cuh>
#include <imgsim/cuda/cluster/gather_launch.cuh>
#include <imgsim/cuda/cluster/medoid_list.cuh>
#include <imgsim/cuda/cluster/policy.hpp>
#include <imgsim/cuda/cluster/silhouette_kernel.cuh>
#include <imgsim/cuda/cluster/swap_launch.cuh>
#include <imgsim/cuda/context.hpp>

namespace imgsim::cuda {

/// Each member waits for its answer. `source` must outlive the object.
template <class Source>
class silhouette_searcher {
 public:
  silhouette_searcher(const cuda_context& context, const Source& source, const cluster_policy& policy = {})
      : context_(context),
        policy_(policy),
        source_(context_, source),
        rows_(context_, source_, policy_),
        medoids_(context_, source_, rows_),
        exchanges_(context_, policy_.candidates_in(source_.size())),
        distances_(context_.allocate<float>(3 * source_.size())),
        labels_(context_.allocate<unsigned>(2 * source_.size())),
        losses_(context_.allocate<long long>(3 * source_.size())) {}

  silhouette_searcher(const silhouette_searcher&) = delete;  // its parts refer to one another
  silhouette_searcher& operator=(const silhouette_searcher&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return source_.size(); }
  [[nodiscard]] std::span<const std::size_t> medoids() const noexcept { return medoids_.rows(); }
  [[nodiscard]] std::int64_t loss() const noexcept { return sums_.empty() ? 0 : sums_[0]; }
  [[nodiscard]] std::span<const std::int64_t> removal_changes() const noexcept {
    return std::span(sums_).subspan(sums_.empty() ? 0 : 1);
  }

  void assign(std::span<const std::size_t> rows) {
    medoids_.assign(rows);
    assign_points();
  }

  void swap(const medoid_swap& exchange) {
    medoids_.place(exchange.position, exchange.candidate);
    assign_points();
  }

  void remove(std::size_t position) {
    medoids_.remove(position);
    assign_points();
  }

  [[nodiscard]] std::optional<medoid_swap> first_improving_swap(std::size_t first, std::size_t last) {
    return exchanges_.first_improving_swap(
        context_, rows_, first, last, index_list{on_device_.get(), static_cast<unsigned>(medoids().size())},
        silhouette_terms{points()}, size(), reinterpret_cast<const long long*>(device_sums_.get() + 1),
        medoids().size(), policy_);
  }

 private:
  /// Every point looks at all medoids, after each change: one launch, which the threads of a device make short.
  void assign_points() {
    const std::size_t count = medoids().size();
    if (count > on_device_.size()) {
      on_device_ = context_.allocate<unsigned>(count);
      device_sums_ = context_.allocate<unsigned long long>(1 + count);
    }
    const uploaded<const float*> distances(context_, medoids_.distances());
    const uploaded<unsigned> indices(context_, narrowed(medoids()));
    context_.copy(matrix_view<const unsigned, device_space>(indices.get(), {1, count}), on_device_.matrix(1, count));
    const device_buffer<int> lowest = context_.allocate<int>(1);
    IMGSIM_CUDA_CHECK(cudaMemsetAsync(lowest.get(), 0, sizeof(int), context_.stream()));
    IMGSIM_CUDA_CHECK(
        cudaMemsetAsync(device_sums_.get(), 0, (1 + count) * sizeof(unsigned long long), context_.stream()));
    const bin_shape bins = policy_.bins_for_all(count);
    launch_shape shape = cover(size(), policy_.threads_for(size()));
    shape.dynamic_shared_bytes = bins.bytes(1);
    launch(shape, context_.stream(), assign_silhouettes<int>,
           medoid_rows{{nullptr, 0, distances.get()}, static_cast<unsigned>(count), 0}, points(),
           static_cast<unsigned>(size()), bins, device_sums_.get(), lowest.get());
    sums_.resize(1 + count);
    int negative = 0;
    read_back(context_, reinterpret_cast<const std::int64_t*>(device_sums_.get()), std::span(sums_));
    read_back(context_, static_cast<const int*>(lowest.get()), std::span(&negative, 1));
    IMGSIM_EXPECTS(negative == 0, "silhouettes need distances that are not negative");
  }

  [[nodiscard]] silhouette_arrays points() const noexcept {
    float* const distances = distances_.get();
    unsigned* const labels = labels_.get();
    long long* const losses = losses_.get();
    return {distances, distances + size(), distances + 2 * size(), labels, labels + size(),
            losses,    losses + size(),    losses + 2 * size()};
  }

  cuda_context context_;
  cluster_policy policy_;
  distance_rows<Source> source_;
  candidate_rows<Source> rows_;
  medoid_list<Source> medoids_;
  exchange_queue exchanges_;
  device_buffer<float> distances_;                 // [3, M]
  device_buffer<unsigned> labels_;                 // [2, M]
  device_buffer<long long> losses_;                // [3, M]
  device_buffer<unsigned> on_device_;              // [K] the medoids' rows
  device_buffer<unsigned long long> device_sums_;  // [1 + K] the loss, the removal changes
  std::vector<std::int64_t> sums_;
};

}  // namespace imgsim::cuda
