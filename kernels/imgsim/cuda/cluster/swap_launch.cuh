// Launches of the kernels that look at rows of candidates: exchanges, savings, counts and the check.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <source_location>
#include <span>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/cluster/fixed_point.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cuda/cluster/candidate_rows.cuh>
#include <imgsim/cuda/cluster/check_kernel.cuh>
#include <imgsim/cuda/cluster/gather_launch.cuh>
#include <imgsim/cuda/cluster/policy.hpp>
#include <imgsim/cuda/cluster/price_kernel.cuh>
#include <imgsim/cuda/cluster/row_list.cuh>
#include <imgsim/cuda/cluster/swap_kernel.cuh>
#include <imgsim/cuda/context.hpp>
#include <imgsim/cuda/launch.cuh>

namespace imgsim::cuda {

/// The blocks that share `count` rows, kBlockCandidates each.
[[nodiscard]] inline launch_shape candidate_grid(std::size_t count, std::size_t size, const cluster_policy& policy,
                                                 const std::source_location& where = std::source_location::current()) {
  return {dim3(static_cast<unsigned>((count + kBlockCandidates - 1) / kBlockCandidates)),
          dim3(policy.threads_for(size)), 0, where};
}

/// Tries candidates in place of medoids, a launch at a time.
class exchange_queue {
 public:
  /// For `most` candidates in a launch.
  exchange_queue(const cuda_context& context, std::size_t most)
      : found_(context.allocate<exchange>(most)), first_(context.allocate<unsigned>(1)), found_on_host_(most) {}

  /// The first candidate in [first, last) that lowers the sum in the place of a medoid, K >= 1; waits for the answer.
  /// `excluded` are not tried; `removal_changes` [K] and what the terms (swap_kernel.cuh) read are on the device.
  template <class Source, class Terms>
  [[nodiscard]] std::optional<medoid_swap> first_improving_swap(const cuda_context& context,
                                                                candidate_rows<Source>& rows, std::size_t first,
                                                                std::size_t last, const index_list& excluded,
                                                                const Terms& terms, std::size_t size,
                                                                const long long* removal_changes, std::size_t medoids,
                                                                const cluster_policy& policy) {
    while (first < last) {
      const std::size_t end = rows.load(first, std::min(last, first + found_.size()));
      const auto count = static_cast<unsigned>(end - first);
      queue({list_of(rows.rows(first, count)), static_cast<unsigned>(first), count, excluded}, context, terms, size,
            removal_changes, medoids, policy);
      unsigned improving = 0;
      context.copy(matrix_view<const exchange, device_space>(found_.matrix(1, count)),
                   matrix_view<exchange>(found_on_host_.data(), {1, count}));
      read_back(context, first_.get(), std::span(&improving, 1));
      if (improving < count) {
        const exchange& best = found_on_host_[improving];
        return medoid_swap{best.position, first + improving, best.change};
      }
      first = end;
    }
    return std::nullopt;
  }

 private:
  template <class Terms>
  void queue(const candidate_list& candidates, const cuda_context& context, const Terms& terms, std::size_t size,
             const long long* removal_changes, std::size_t medoids, const cluster_policy& policy) {
    const bin_shape bins = policy.bins_for(kBlockCandidates, medoids);
    launch_shape shape = candidate_grid(candidates.count, size, policy);
    shape.dynamic_shared_bytes = bins.bytes(kBlockCandidates);
    IMGSIM_CUDA_CHECK(cudaMemsetAsync(first_.get(), 0xff, sizeof(unsigned), context.stream()));
    launch(shape, context.stream(), best_exchanges<kBlockCandidates, Terms>, candidates, terms,
           static_cast<unsigned>(size), removal_changes, static_cast<unsigned>(medoids), bins, found_.get(),
           first_.get());
  }

  device_buffer<exchange> found_;
  device_buffer<unsigned> first_;
  std::vector<exchange> found_on_host_;
};

/// sums [count] on the device: of each of `rows` [count, P], the sum of limits[o] - distance where it is positive.
/// Queued.
inline void queue_sums_below(const cuda_context& context, const matrix_view<const float, device_space>& rows,
                             const float* limits, const fixed_point& unit, const cluster_policy& policy,
                             long long* sums) {
  const auto count = static_cast<unsigned>(rows.extent(0));
  launch(candidate_grid(count, rows.extent(1), policy), context.stream(), sums_below<kBlockCandidates>, list_of(rows),
         count, limits, static_cast<unsigned>(rows.extent(1)), unit, sums);
}

/// counts [M] on the device: for each point, how many of `rows` [count, M] are below its limit. Queued.
inline void queue_counts_below(const cuda_context& context, const matrix_view<const float, device_space>& rows,
                               const float* limits, const cluster_policy& policy, unsigned* counts) {
  const std::size_t size = rows.extent(1);
  launch(cover(size, policy.threads_for(size)), context.stream(), counts_below<unsigned>, list_of(rows),
         static_cast<unsigned>(rows.extent(0)), limits, static_cast<unsigned>(size), counts);
}

/// Takes rows of distances [count, M] into `check`; queued.
inline void queue_check(const cuda_context& context, const matrix_view<const float, device_space>& rows,
                        std::size_t first_row, const cluster_policy& policy, distance_check* check) {
  const std::size_t size = rows.extent(1);
  launch({dim3(static_cast<unsigned>(rows.extent(0))), dim3(policy.threads_for(size))}, context.stream(),
         check_distances<distance_check>, list_of(rows), static_cast<unsigned>(first_row), static_cast<unsigned>(size),
         check);
}

}  // namespace imgsim::cuda
