// What each point knows of the medoids, on the device: arrays, sums, and the medoids' own rows.
#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/cluster/fixed_point.hpp>
#include <imgsim/cuda/cluster/assignment_kernel.cuh>
#include <imgsim/cuda/cluster/gather_launch.cuh>
#include <imgsim/cuda/cluster/policy.hpp>
#include <imgsim/cuda/cluster/row_list.cuh>
#include <imgsim/cuda/context.hpp>
#include <imgsim/cuda/launch.cuh>

namespace imgsim::cuda {

/// M points and the distances of K medoids to them. A change is queued; what the host asks for is read back once after
/// it, and waited for.
class device_assignment {
 public:
  device_assignment(const cuda_context& context, std::size_t size, float largest, const fixed_point& unit,
                    const cluster_policy& policy)
      : context_(context),
        size_(size),
        largest_(largest),
        unit_(unit),
        policy_(policy),
        distances_(context.allocate<float>(2 * size)),
        labels_(context.allocate<unsigned>(2 * size)),
        host_labels_(size),
        host_nearest_(size),
        host_second_(size) {}

  /// The medoids are others: rows[position] is the distances [M] of each, on the device.
  void assign(const std::vector<const float*>& rows) {
    upload(rows);
    queue<medoid_change::all>(0);
  }
  /// The medoid at `position` is gone, and `rows` are those of the others.
  void remove(std::size_t position, const std::vector<const float*>& rows) {
    upload(rows);
    queue<medoid_change::removed>(position);
  }
  /// Another medoid comes to `position`, or one more where it is K.
  void place(std::size_t position, const float* row) {
    reserve(position + 1);
    count_ = std::max(count_, position + 1);
    launch({dim3(1), dim3(1)}, context_.stream(), set_row<const float*>, rows_.get(), static_cast<unsigned>(position),
           row);
    queue<medoid_change::placed>(position);
  }

  /// For kernels: the points, and the removal losses [K].
  [[nodiscard]] point_arrays points() const noexcept {
    return {distances_.get(), distances_.get() + size_, labels_.get(), labels_.get() + size_};
  }
  [[nodiscard]] const long long* device_losses() const noexcept {
    return reinterpret_cast<const long long*>(sums_.get() + 1);
  }

  [[nodiscard]] std::int64_t cost() const {
    read_sums();
    return host_sums_[0];
  }
  [[nodiscard]] std::span<const std::int64_t> removal_losses() const {
    read_sums();
    return std::span<const std::int64_t>(host_sums_).subspan(1);
  }
  [[nodiscard]] std::span<const std::uint32_t> labels() const {
    read_points();
    return host_labels_;
  }
  [[nodiscard]] std::span<const float> nearest() const {
    read_points();
    return host_nearest_;
  }
  [[nodiscard]] std::span<const float> second_nearest() const {
    read_points();
    return host_second_;
  }

 private:
  /// Room for `count` medoids; what rows_ holds is kept.
  void reserve(std::size_t count) {
    if (count <= rows_.size() && sums_.size() > 0) return;
    const std::size_t capacity = std::max<std::size_t>(2 * count, 16);
    device_buffer<const float*> rows = context_.allocate<const float*>(capacity);
    if (count_ > 0)
      context_.copy(matrix_view<const float* const, device_space>(rows_.matrix(1, count_)), rows.matrix(1, count_));
    sums_ = context_.allocate<unsigned long long>(1 + capacity);
    rows_ = std::move(rows);
  }

  /// Waits for the copy, since `rows` is the caller's.
  void upload(const std::vector<const float*>& rows) {
    count_ = 0;
    reserve(rows.size());
    if (!rows.empty()) {
      const cuda_context::waits_if_thrown wait(context_);
      context_.copy(matrix_view<const float* const>(rows.data(), {1, rows.size()}), rows_.matrix(1, rows.size()));
      context_.synchronize();
    }
    count_ = rows.size();
  }

  template <medoid_change Change>
  void queue(std::size_t position) {
    are_sums_known_ = are_points_known_ = false;
    IMGSIM_CUDA_CHECK(cudaMemsetAsync(sums_.get(), 0, (1 + count_) * sizeof(unsigned long long), context_.stream()));
    if (size_ == 0) return;
    const bin_shape bins = policy_.bins_for_all(count_);
    launch_shape shape = cover(size_, policy_.threads_for(size_));
    shape.dynamic_shared_bytes = bins.bytes(1);
    launch(shape, context_.stream(), assign_points<Change>,
           medoid_rows{{nullptr, 0, rows_.get()}, static_cast<unsigned>(count_), static_cast<unsigned>(position)},
           largest_, unit_, points(), static_cast<unsigned>(size_), bins, sums_.get());
  }

  void read_sums() const {
    if (are_sums_known_) return;
    host_sums_.resize(1 + count_);
    read_back(context_, reinterpret_cast<const std::int64_t*>(sums_.get()), std::span(host_sums_));
    are_sums_known_ = true;
  }
  void read_points() const {
    if (are_points_known_ || size_ == 0) return;
    const cuda_context::waits_if_thrown wait(context_);
    const point_arrays arrays = points();
    queue_read(arrays.nearest, host_nearest_);
    queue_read(arrays.second, host_second_);
    queue_read(arrays.labels, host_labels_);
    context_.synchronize();
    are_points_known_ = true;
  }
  template <class T>
  void queue_read(const T* from, std::vector<T>& to) const {
    context_.copy(matrix_view<const T, device_space>(from, {1, size_}), matrix_view<T>(to.data(), {1, size_}));
  }

  const cuda_context& context_;
  std::size_t size_;
  float largest_;
  fixed_point unit_;
  cluster_policy policy_;
  std::size_t count_ = 0;  // K

  device_buffer<float> distances_;          // [2, M] nearest, second nearest
  device_buffer<unsigned> labels_;          // [2, M] their positions
  device_buffer<const float*> rows_;        // [K]
  device_buffer<unsigned long long> sums_;  // [1 + K] the cost, the removal losses

  mutable bool are_sums_known_ = false;
  mutable bool are_points_known_ = false;
  mutable std::vector<std::int64_t> host_sums_;
  mutable std::vector<std::uint32_t> host_labels_;
  mutable std::vector<float> host_nearest_, host_second_;
};

}  // namespace imgsim::cuda
