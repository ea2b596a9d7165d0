// How the CUDA backend reads each kind of distance source: by rows, and by chosen rows and columns, into device memory.
//
//   a distance_source of the host          copied to the device, 4 M^2 bytes
//   resident_distances<device_space>       read in place
//   embedding_distances<Metric, T, Space>  computed when asked for, to the last bit as on the CPU, from the caller's
//                                          rows on the device or a copy of those on the host
//
// All answers are queued. Rows in memory of the backend's own are padded to kRowAlignment.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/cluster/distance_source.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/core/element.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cuda/cluster/gather_launch.cuh>
#include <imgsim/cuda/cluster/policy.hpp>
#include <imgsim/cuda/cluster/row_list.cuh>
#include <imgsim/cuda/context.hpp>
#include <imgsim/cuda/launch.cuh>
#include <imgsim/cuda/search/gallery.cuh>
#include <imgsim/cuda/search/pairs_launch.cuh>
#include <imgsim/metric/metric.hpp>

namespace imgsim::cuda {

/// `count` rows of `size` floats, padded.
class padded_rows {
 public:
  padded_rows() = default;
  padded_rows(const cuda_context& context, std::size_t count, std::size_t size)
      : stride_((size + kRowAlignment - 1) / kRowAlignment * kRowAlignment),
        size_(size),
        values_(context.allocate<float>(checked_size(std::array{count, stride_}, sizeof(float)))) {}

  /// The first of them.
  [[nodiscard]] matrix_view<float, device_space> rows(std::size_t count) const {
    return {values_.get(), {count, size_}, {stride_, 1}};
  }

 private:
  std::size_t stride_ = 0;
  std::size_t size_ = 0;
  device_buffer<float> values_;
};

/// Of a table on the device: the caller's, which must outlive the object, or its own.
class distance_table {
 public:
  static constexpr bool kResident = true;

  distance_table(const matrix_view<const float, device_space>& distances, std::optional<float> upper_bound)
      : distances_(distances), upper_bound_(upper_bound) {}
  distance_table(padded_rows own, std::size_t size, std::optional<float> upper_bound)
      : own_(std::move(own)), distances_(own_.rows(size)), upper_bound_(upper_bound) {}

  [[nodiscard]] std::size_t size() const noexcept { return distances_.extent(0); }
  [[nodiscard]] matrix_view<const float, device_space> rows(std::size_t first, std::size_t count) const noexcept {
    return distances_.slice(first, count);
  }
  /// A number that no distance exceeds, where one is known without reading them.
  [[nodiscard]] std::optional<float> upper_bound() const noexcept { return upper_bound_; }

  /// out [r, c] = the distance from rows[r] to columns[c].
  void queue_submatrix(const cuda_context& context, const index_list& rows, const index_list& columns,
                       const matrix_view<float, device_space>& out) const {
    queue_gather(context, distances_.data(), distances_.stride(0), rows, columns, out);
  }

 private:
  padded_rows own_;
  matrix_view<const float, device_space> distances_;
  std::optional<float> upper_bound_;
};

/// Of a source on the host that gives rows itself; once they are copied it is not needed any more.
template <class Source>
class distance_rows : public distance_table {
  static_assert(distance_source<Source>,
                "K-medoids on a CUDA device reads a distance_source of the host, resident_distances<device_space> or "
                "embedding_distances");

 public:
  distance_rows(const cuda_context& context, const Source& source)
      : distance_table(copy_of(context, source), source.size(), imgsim::detail::stated_bound(source)) {}

 private:
  static constexpr std::size_t kBlockBytes = std::size_t{64} << 20;

  [[nodiscard]] static padded_rows copy_of(const cuda_context& context, const Source& source) {
    const std::size_t size = source.size();
    padded_rows copy(context, size, size);
    if (size == 0) return copy;
    const std::size_t block = std::clamp<std::size_t>(kBlockBytes / sizeof(float) / size, 1, size);
    tensor<float, 2> buffer({Source::kResident ? 0 : block, Source::kResident ? 0 : size});
    const cuda_context::waits_if_thrown wait(context);
    for (std::size_t first = 0; first < size; first += block) {
      const std::size_t count = std::min(block, size - first);
      context.copy(source.rows(first, count, buffer.view()), copy.rows(size).slice(first, count));
      if (!Source::kResident) context.synchronize();  // the next block goes where this one lies
    }
    context.synchronize();
    return copy;
  }
};

template <>
class distance_rows<resident_distances<device_space>> : public distance_table {
 public:
  distance_rows(const cuda_context& /*context*/, const resident_distances<device_space>& source)
      : distance_table(source.distances(), source.upper_bound()) {}
};

/// Of embeddings: those on the device must outlive the object.
template <metric Metric, real_element T, class Space>
class distance_rows<embedding_distances<Metric, T, Space>> {
 public:
  static constexpr bool kResident = false;

  /// Throws invalid_argument for a value that is not finite.
  distance_rows(const cuda_context& context, const embedding_distances<Metric, T, Space>& source)
      : points_(context, source.points()), squared_norms_(source.size()) {
    if (size() == 0) return;
    read_back(context, points_.squared_norms(), std::span(squared_norms_));
    const std::optional<std::size_t> row = imgsim::detail::first_unusable_row(squared_norms_);
    if (!row) return;
    std::vector<T> values(source.points().extent(1));
    read_back(context, points_.rows().row(*row), std::span(values));
    imgsim::detail::refuse_embedding(*row, std::span<const T>(values));
  }

  [[nodiscard]] std::size_t size() const noexcept { return squared_norms_.size(); }
  [[nodiscard]] std::optional<float> upper_bound() const {
    return distance_bound<Metric>(size() == 0 ? 0.0 : std::ranges::max(squared_norms_));
  }

  /// out [count, M] = rows from `first` on.
  void queue_rows(const cuda_context& context, std::size_t first, const matrix_view<float, device_space>& out) const {
    if (out.empty()) return;
    const std::size_t count = out.extent(0);
    queue_values<Metric, pair_value::distance, T>(context, points_.rows().slice(first, count),
                                                  points_.squared_norms() + first, points_.rows(),
                                                  points_.squared_norms(), out);
    constexpr unsigned kThreads = 128;
    launch(cover(count, kThreads), context.stream(), zero_diagonal<float>, out.data() + first, out.stride(0),
           static_cast<unsigned>(count));
  }

  /// out [r, c] = the distance from rows[r] to columns[c].
  void queue_submatrix(const cuda_context& context, const index_list& rows, const index_list& columns,
                       const matrix_view<float, device_space>& out) const {
    if (out.empty()) return;
    const some_points left(context, points_, rows);
    const some_points right(context, points_, columns);
    queue_values<Metric, pair_value::distance, T>(context, left.rows(), left.squared_norms(), right.rows(),
                                                  right.squared_norms(), out);
    launch(gather_grid(rows, columns), context.stream(), zero_same<float>, rows, columns, out.data(), out.stride(0));
  }

 private:
  /// Chosen points, side by side; where all are chosen, those there are.
  class some_points {
   public:
    some_points(const cuda_context& context, const gallery<T>& points, const index_list& chosen)
        : rows_(points.rows()), squared_norms_(points.squared_norms()) {
      if (chosen.indices == nullptr) return;
      const std::size_t depth = rows_.extent(1);
      values_ = context.allocate<T>(checked_size(std::array{std::size_t{chosen.count}, depth}, sizeof(T)));
      norms_ = context.allocate<double>(chosen.count);
      queue_gather(context, rows_.data(), rows_.stride(0), chosen, {nullptr, checked_count(depth, "columns")},
                   values_.matrix(chosen.count, depth));
      queue_gather(context, squared_norms_, 0, {nullptr, 1}, chosen, norms_.matrix(1, chosen.count));
      rows_ = values_.matrix(chosen.count, depth);
      squared_norms_ = norms_.get();
    }

    [[nodiscard]] const device_rows<T>& rows() const noexcept { return rows_; }
    [[nodiscard]] const double* squared_norms() const noexcept { return squared_norms_; }

   private:
    device_buffer<T> values_;
    device_buffer<double> norms_;
    device_rows<T> rows_;
    const double* squared_norms_;
  };

  gallery<T> points_;
  std::vector<double> squared_norms_;  // [M] on the host
};

}  // namespace imgsim::cuda
