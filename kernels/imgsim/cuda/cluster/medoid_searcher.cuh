// The state of a K-medoids search on a CUDA device; models the concept medoid_search (cluster/backend.hpp).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/cuda/cluster/assignment_launch.cuh>
#include <imgsim/cuda/cluster/candidate_rows.cuh>
#include <imgsim/cuda/cluster/distance_rows.cuh>
#include <imgsim/cuda/cluster/medoid_list.cuh>
#include <imgsim/cuda/cluster/policy.hpp>
#include <imgsim/cuda/cluster/swap_launch.cuh>
#include <imgsim/cuda/context.hpp>

namespace imgsim::cuda {

/// See medoid_search for the meaning of the members. Those that change the state queue their work, those that answer
/// wait for it. `source` must outlive the object, and what it refers to on the device the work that is queued. Memory
/// on the device: O(M) and the policy's workspace; for a source of the host 4 M^2 bytes, for embeddings 4 K M.
template <class Source>
class medoid_searcher {
 public:
  medoid_searcher(const cuda_context& context, const Source& source, const cluster_policy& policy = {})
      : context_(context),
        policy_(policy),
        source_(context_, source),
        size_(source_.size()),
        rows_(context_, source_, policy_),
        medoids_(context_, source_, rows_),
        exchanges_(context_, policy_.candidates_in(size_)) {
    IMGSIM_EXPECTS(size_ < kNoMedoid, "K-medoids takes fewer than ", kNoMedoid, " points, not ", size_);
    largest_ = read_largest_distance();
    unit_ = fixed_point(largest_, size_);
    points_.emplace(context_, size_, largest_, unit_, policy_);
    assign({});
  }

  medoid_searcher(const medoid_searcher&) = delete;  // its parts refer to one another
  medoid_searcher& operator=(const medoid_searcher&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] fixed_point unit() const noexcept { return unit_; }
  [[nodiscard]] float largest_distance() const noexcept { return largest_; }
  [[nodiscard]] std::span<const std::size_t> medoids() const noexcept { return medoids_.rows(); }
  [[nodiscard]] bool is_medoid(std::size_t row) const noexcept { return medoids_.holds(row); }
  [[nodiscard]] std::int64_t cost() const { return points_->cost(); }
  [[nodiscard]] std::span<const std::int64_t> removal_losses() const { return points_->removal_losses(); }
  [[nodiscard]] std::span<const std::uint32_t> labels() const { return points_->labels(); }
  [[nodiscard]] std::span<const float> nearest() const { return points_->nearest(); }
  [[nodiscard]] std::span<const float> second_nearest() const { return points_->second_nearest(); }
  [[nodiscard]] float distance_to(std::size_t position, std::size_t row) const {
    float distance = 0;
    read_back(context_, medoids_.distances()[position] + row, std::span(&distance, 1));
    return distance;
  }

  void assign(std::span<const std::size_t> rows) {
    medoids_.assign(rows);
    points_->assign(medoids_.distances());
  }
  void add(std::size_t row) {
    medoids_.add(row);
    points_->place(medoids().size() - 1, medoids_.distances().back());
  }
  void remove(std::size_t position) {
    medoids_.remove(position);
    points_->remove(position, medoids_.distances());
  }
  void swap(const medoid_swap& exchange) {
    medoids_.place(exchange.position, exchange.candidate);
    points_->place(exchange.position, medoids_.distances()[exchange.position]);
  }

  [[nodiscard]] std::optional<medoid_swap> first_improving_swap(std::size_t first, std::size_t last) {
    // No medoid is excluded: in its own place it changes nothing.
    return exchanges_.first_improving_swap(context_, rows_, first, last, {}, exchange_terms{points_->points(), unit_},
                                           size_, points_->device_losses(), medoids().size(), policy_);
  }

  [[nodiscard]] std::optional<medoid_addition> best_addition(std::span<const std::size_t> candidates,
                                                             std::span<const std::size_t> points) {
    const std::size_t count = candidates.empty() ? size_ : candidates.size();
    std::vector<std::int64_t> gains(count);
    if (candidates.empty() && points.empty()) {
      sum_below_all(points_->points().nearest, gains);
    } else {
      sum_below_some(candidates, points, gains);
    }
    std::optional<medoid_addition> best;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = candidates.empty() ? i : candidates[i];
      if (!is_medoid(row) && (!best || gains[i] > best->gain)) best = medoid_addition{row, gains[i]};
    }
    return best;
  }

  void savings(std::span<const float> prices, std::span<std::int64_t> out) {
    if (size_ == 0) return;
    const uploaded<float> limits(context_, {prices.begin(), prices.end()});
    sum_below_all(limits.get(), out);
  }

  void count_reached(std::span<const std::size_t> rows, std::span<const float> prices,
                     std::span<std::uint32_t> counts) {
    if (rows.empty() || size_ == 0) return;
    const uploaded<float> limits(context_, {prices.begin(), prices.end()});
    const device_buffer<unsigned> below = context_.allocate<unsigned>(size_);
    std::vector<std::uint32_t> found(size_);
    const auto count = [&](const matrix_view<const float, device_space>& distances) {
      queue_counts_below(context_, distances, limits.get(), policy_, below.get());
      read_back(context_, static_cast<const unsigned*>(below.get()), std::span(found));
      std::ranges::transform(counts, found, counts.begin(), std::plus());
    };
    if (rows.size() == 1) {  // one row lies in memory, or in the tile for the rows to come
      rows_.load(rows[0], rows[0] + 1);
      return count(rows_.rows(rows[0], 1));
    }
    for_each_batch(rows, {}, [&](std::size_t, const auto& distances) { count(distances); });
  }

 private:
  static constexpr bool kResident = distance_rows<Source>::kResident;

  /// sums [M]: of each row, over all points; waits.
  void sum_below_all(const float* limits, std::span<std::int64_t> sums) {
    if (size_ == 0) return;
    const device_buffer<long long> on_device = context_.allocate<long long>(size_);
    for (std::size_t first = 0; first < size_;) {
      const std::size_t end = rows_.load(first, size_);
      queue_sums_below(context_, rows_.rows(first, end - first), limits, unit_, policy_, on_device.get() + first);
      first = end;
    }
    read_back(context_, reinterpret_cast<const std::int64_t*>(on_device.get()), sums);
  }

  /// sums: of each of `rows`, over `columns`, of the distances to the nearest medoid as limits; empty lists stand for
  /// all. Waits.
  void sum_below_some(std::span<const std::size_t> rows, std::span<const std::size_t> columns,
                      std::span<std::int64_t> sums) const {
    const uploaded<unsigned> chosen(context_, narrowed(columns));
    const index_list wanted = columns.empty() ? index_list{nullptr, static_cast<unsigned>(size_)}
                                              : index_list{chosen.get(), static_cast<unsigned>(columns.size())};
    const device_buffer<float> limits = context_.allocate<float>(wanted.count);
    queue_gather(context_, static_cast<const float*>(points_->points().nearest), 0, {nullptr, 1}, wanted,
                 limits.matrix(1, wanted.count));
    const device_buffer<long long> on_device = context_.allocate<long long>(sums.size());
    for_each_batch(rows, columns, [&](std::size_t first, const auto& distances) {
      queue_sums_below(context_, distances, limits.get(), unit_, policy_, on_device.get() + first);
    });
    read_back(context_, reinterpret_cast<const std::int64_t*>(on_device.get()), sums);
  }

  /// use(first, distances) for rows[first, ...) with `columns`, as many at a time as the workspace holds; empty lists
  /// stand for all. Queued, and waited for at the end.
  template <class Use>
  void for_each_batch(std::span<const std::size_t> rows, std::span<const std::size_t> columns, Use&& use) const {
    std::vector<unsigned> indices = narrowed(rows);
    if (indices.empty()) {
      indices.resize(size_);
      std::iota(indices.begin(), indices.end(), 0u);
    }
    const uploaded<unsigned> all_rows(context_, std::move(indices));
    const uploaded<unsigned> chosen(context_, narrowed(columns));
    const index_list wanted = columns.empty() ? index_list{nullptr, static_cast<unsigned>(size_)}
                                              : index_list{chosen.get(), static_cast<unsigned>(columns.size())};
    const std::size_t most =
        std::clamp<std::size_t>(policy_.tile_bytes / sizeof(float) / wanted.count, 1, all_rows.size());
    const padded_rows distances(context_, most, wanted.count);
    for (std::size_t first = 0; first < all_rows.size(); first += most) {
      const std::size_t count = std::min(most, all_rows.size() - first);
      source_.queue_submatrix(context_, {all_rows.get() + first, static_cast<unsigned>(count)}, wanted,
                              distances.rows(count));
      use(first, matrix_view<const float, device_space>(distances.rows(count)));
    }
    context_.synchronize();
  }

  /// At least the largest distance. Where no bound is known, or the distances lie in memory, reads them all; throws for
  /// the first, in order of rows, that is not finite, and where one exceeds the bound.
  [[nodiscard]] float read_largest_distance() {
    const std::optional<float> bound = source_.upper_bound();
    if (bound && !kResident) return *bound;
    if (size_ == 0) return bound.value_or(0);
    const uploaded<distance_check> start(context_, {distance_check{~0ull, 0}});
    const device_buffer<distance_check> check = context_.allocate<distance_check>(1);
    context_.copy(matrix_view<const distance_check, device_space>(start.get(), {1, 1}), check.matrix(1, 1));
    distance_check found{};
    for (std::size_t first = 0; first < size_;) {
      const std::size_t end = rows_.load(first, size_);
      queue_check(context_, rows_.rows(first, end - first), first, policy_, check.get());
      first = end;
      if (kResident && first < size_) continue;
      read_back(context_, static_cast<const distance_check*>(check.get()), std::span(&found, 1));
      if (found.first_not_finite == ~0ull) continue;
      const std::size_t row = found.first_not_finite / size_;
      const std::size_t column = found.first_not_finite % size_;
      float distance = 0;
      read_back(context_, rows_.rows(row, 1).data() + column, std::span(&distance, 1));
      imgsim::detail::refuse_distance(row, column, distance);
    }
    return imgsim::detail::within_bound(std::bit_cast<float>(found.largest_bits), bound);
  }

  cuda_context context_;
  cluster_policy policy_;
  distance_rows<Source> source_;
  std::size_t size_;
  candidate_rows<Source> rows_;
  medoid_list<Source> medoids_;
  exchange_queue exchanges_;
  float largest_ = 0;
  fixed_point unit_;

  std::optional<device_assignment> points_;
};

}  // namespace imgsim::cuda
