// How the CPU reads each kind of distance source: by rows, and by chosen rows and columns. Called from several threads
// at once, each with memory of its own.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include <imgsim/cluster/distance_source.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/core/element.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/cluster/swap_scan.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/canonical.hpp>
#include <imgsim/cpu/search/canonical_tiles.hpp>
#include <imgsim/cpu/simd.hpp>
#include <imgsim/metric/metric.hpp>

namespace imgsim::cpu {

namespace detail {

/// Where a bound is stated, distances are not all looked at before a search begins: each is as it is computed, since
/// one that is NaN, or beyond the bound, belongs to no medoid. Throws invalid_argument for the first such; out [r, c]
/// is the distance from row_point(r) to column_point(c).
template <class RowPoint, class ColumnPoint>
void expect_within(const std::optional<float>& bound, matrix_view<const float> out, const RowPoint& row_point,
                   const ColumnPoint& column_point) {
  if (!bound) return;
  const auto most = std::bit_cast<std::int32_t>(*bound);
  for (std::size_t r = 0; r < out.extent(0); ++r) {
    const std::int32_t largest = largest_magnitude_bits(out.row(r), out.extent(1));
    if (largest <= most) continue;
    for (std::size_t c = 0; c < out.extent(1); ++c)
      if (!std::isfinite(out(r, c))) imgsim::detail::refuse_distance(row_point(r), column_point(c), out(r, c));
    std::ignore = imgsim::detail::within_bound(std::bit_cast<float>(largest), bound);
  }
}

}  // namespace detail

/// Of a source that gives rows itself; it must outlive the object.
template <class Source>
class distance_rows {
  static_assert(distance_source<Source>, "K-medoids on the CPU reads a distance_source or embedding_distances");

 public:
  static constexpr bool kResident = Source::kResident;
  static constexpr bool kSymmetric = false;  // as far as is known

  distance_rows(const cpu_context& /*context*/, const Source& source) : source_(source) {}

  [[nodiscard]] std::size_t size() const noexcept { return source_.size(); }

  /// Row `i` [M] of a resident source.
  [[nodiscard]] const float* row(std::size_t i) const noexcept
    requires(kResident)
  {
    return source_.rows(i, 1, {}).data();
  }

  /// out [count, M] = rows from `first` on; threads share them.
  void read(const cpu_context& context, std::size_t first, matrix_view<float> out) const
    requires(!kResident)
  {
    const std::size_t count = out.extent(0);
    const std::size_t parts = std::min(count, context.threads() * kPartsPerThread);
    context.parallel_for(parts, [&](std::size_t part) {
      const std::size_t begin = part * count / parts;
      const std::size_t rows = (part + 1) * count / parts - begin;
      (void)source_.rows(first + begin, rows, out.slice(begin, rows));
      check(out.slice(begin, rows), [&](std::size_t r) { return first + begin + r; }, std::identity{});
    });
  }

  /// out [R, M] = the rows of those numbers.
  void gather(const cpu_context& context, std::span<const std::size_t> rows, matrix_view<float> out) const
    requires(!kResident)
  {
    context.parallel_for(rows.size(), [&](std::size_t r) {
      (void)source_.rows(rows[r], 1, out.slice(r, 1));
      check(out.slice(r, 1), [&](std::size_t) { return rows[r]; }, std::identity{});
    });
  }

  /// A number that no distance exceeds, where one is known without reading them.
  [[nodiscard]] std::optional<float> upper_bound() const { return imgsim::detail::stated_bound(source_); }

  /// out [r, c] = the distance from rows[r] to columns[c].
  void submatrix(std::span<const std::size_t> rows, std::span<const std::size_t> columns,
                 matrix_view<float> out) const {
    if constexpr (!kResident && requires { source_.distance(rows[0], columns[0]); }) {
      for (std::size_t r = 0; r < rows.size(); ++r)
        for (std::size_t c = 0; c < columns.size(); ++c) out(r, c) = source_.distance(rows[r], columns[c]);
    } else {
      tensor<float, 2> whole({kResident ? 0u : 1u, kResident ? 0u : size()});
      for (std::size_t r = 0; r < rows.size(); ++r) {
        const float* row = source_.rows(rows[r], 1, whole.view()).data();
        for (std::size_t c = 0; c < columns.size(); ++c) out(r, c) = row[columns[c]];
      }
    }
    check(out, [&](std::size_t r) { return rows[r]; }, [&](std::size_t c) { return columns[c]; });
  }

  /// The same; threads share the rows, since a source may read no less than a row.
  void submatrix(const cpu_context& context, std::span<const std::size_t> rows, std::span<const std::size_t> columns,
                 matrix_view<float> out) const {
    context.parallel_for(rows.size(), [&](std::size_t r) { submatrix(rows.subspan(r, 1), columns, out.slice(r, 1)); });
  }

 private:
  static constexpr std::size_t kPartsPerThread = 4;

  template <class RowPoint, class ColumnPoint>
  void check(matrix_view<const float> out, const RowPoint& row_point, const ColumnPoint& column_point) const {
    if constexpr (!kResident) detail::expect_within(upper_bound(), out, row_point, column_point);
  }

  const Source& source_;
};

/// Of embeddings, which are read in place.
template <metric Metric, real_element T>
class distance_rows<embedding_distances<Metric, T, host_space>> {
 public:
  static constexpr bool kResident = false;
  static constexpr bool kSymmetric = true;

  /// Throws invalid_argument for a value that is not finite.
  distance_rows(const cpu_context& context, const embedding_distances<Metric, T, host_space>& source)
      : points_(source.points()),
        level_(best_simd_level()),
        squared_norms_(row_squared_norms(context, points_, level_)) {
    if (const std::optional<std::size_t> row = imgsim::detail::first_unusable_row(squared_norms_))
      imgsim::detail::refuse_embedding(*row, std::span(points_.row(*row), points_.extent(1)));
    bound_ = distance_bound<Metric>(size() == 0 ? 0.0 : std::ranges::max(squared_norms_));
  }

  [[nodiscard]] std::size_t size() const noexcept { return points_.extent(0); }

  /// out [count, M] = rows from `first` on; threads share their columns, since few rows are asked for where M is large.
  void read(const cpu_context& context, std::size_t first, matrix_view<float> out) const {
    read_points(context, [&](std::size_t r) { return first + r; }, out);
  }

  /// out [R, M] = the rows of those numbers: one pass over the points for each 16 of them.
  void gather(const cpu_context& context, std::span<const std::size_t> rows, matrix_view<float> out) const {
    read_points(context, [&](std::size_t r) { return rows[r]; }, out);
  }

  [[nodiscard]] std::optional<float> upper_bound() const { return bound_; }

  void submatrix(std::span<const std::size_t> rows, std::span<const std::size_t> columns,
                 matrix_view<float> out) const {
    compute(
        rows.size(), [&](std::size_t r) { return rows[r]; }, columns.size(), [&](std::size_t c) { return columns[c]; },
        out);
  }

  /// The same; threads share the columns, since few rows are asked for.
  void submatrix(const cpu_context& context, std::span<const std::size_t> rows, std::span<const std::size_t> columns,
                 matrix_view<float> out) const {
    context.parallel_for((columns.size() + kColumnsPerTask - 1) / kColumnsPerTask, [&](std::size_t task) {
      const std::size_t begin = task * kColumnsPerTask;
      const std::size_t count = std::min(kColumnsPerTask, columns.size() - begin);
      submatrix(rows, columns.subspan(begin, count), {out.data() + begin, {rows.size(), count}, {out.stride(0), 1}});
    });
  }

 private:
  template <class RowPoint>
  void read_points(const cpu_context& context, const RowPoint& row_point, matrix_view<float> out) const {
    context.parallel_for((size() + kColumnsPerTask - 1) / kColumnsPerTask, [&](std::size_t task) {
      const std::size_t column = task * kColumnsPerTask;
      const std::size_t columns = std::min(kColumnsPerTask, size() - column);
      compute(out.extent(0), row_point, columns, [&](std::size_t c) { return column + c; },
              {out.data() + column, {out.extent(0), columns}, {out.stride(0), 1}});
    });
  }

  static constexpr std::size_t kRows = 16;
  static constexpr std::size_t kColumnsPerTask = std::size_t{24} * 40;
  static constexpr std::size_t kColumns = 24;  // their rows stay in the L2 cache while the others pass by

  /// out [r, c] = the distance from point row_point(r) to point column_point(c).
  template <class RowPoint, class ColumnPoint>
  void compute(std::size_t row_count, const RowPoint& row_point, std::size_t column_count,
               const ColumnPoint& column_point, matrix_view<float> out) const {
    block left, right;
    double keys[kRows * kColumns];
    for (std::size_t column = 0; column < column_count; column += kColumns) {
      right.read(*this, column_point, column, std::min(kColumns, column_count - column));
      for (std::size_t row = 0; row < row_count; row += kRows) {
        left.read(*this, row_point, row, std::min(kRows, row_count - row));
        expand(canonical_tile_body<Metric, T>{.rows = left.rows,
                                              .row_squared_norms = left.squared_norms,
                                              .columns = right.rows,
                                              .column_squared_norms = right.squared_norms,
                                              .depth = points_.extent(1),
                                              .keys = keys,
                                              .stride = kColumns},
               level_);
        for (std::size_t r = 0; r < left.rows.size(); ++r)
          for (std::size_t c = 0; c < right.rows.size(); ++c)
            out(row + r, column + c) =
                left.rows[r] == right.rows[c] ? 0.0f : rounded_to_float(Metric::distance(keys[r * kColumns + c]));
      }
    }
    detail::expect_within(bound_, out, row_point, column_point);
  }

  /// A few of the points.
  struct block {
    std::vector<const T*> rows;
    std::vector<double> squared_norms;

    template <class Point>
    void read(const distance_rows& source, const Point& point, std::size_t first, std::size_t count) {
      rows.resize(count);
      squared_norms.resize(count);
      for (std::size_t i = 0; i < count; ++i) {
        rows[i] = source.points_.row(point(first + i));
        squared_norms[i] = source.squared_norms_[point(first + i)];
      }
    }
  };

  matrix_view<const T> points_;
  simd_level level_;
  std::vector<double> squared_norms_;  // [M]
  std::optional<float> bound_;
};

}  // namespace imgsim::cpu
