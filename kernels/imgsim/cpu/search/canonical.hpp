// Canonical sums of pairs of rows (metric/metric.hpp) on vectors. Each pair has its eight lanes in accumulators of its
// own, in the order that the definition fixes, so that the value is the same in whatever block a pair is computed; the
// block only shares loads and hides latency. Rows are read as they are and widened on the way in.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include <imgsim/core/element.hpp>
#include <imgsim/core/macros.hpp>
#include <imgsim/cpu/search/element_load.hpp>
#include <imgsim/cpu/simd.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/metric/metric.hpp>

namespace imgsim::cpu {

/// Pairs computed at once: Rows x Columns accumulators of kSumLanes doubles, within the registers.
template <class Isa>
struct canonical_block {
  static constexpr std::size_t registers_per_pair = kSumLanes / Isa::double_lanes;
  static constexpr std::size_t rows =
      Isa::registers == 32 ? (Isa::double_lanes == 8 ? 4 : 2) : (registers_per_pair == 2 ? 2 : 1);
  static constexpr std::size_t columns = Isa::double_lanes == 8 ? 6 : 3;
};

/// The sum of `lanes`, after the last `left` < kSumLanes elements of a and b.
template <class Metric, class T>
IMGSIM_ALWAYS_INLINE double finish_lanes(double (&lanes)[kSumLanes], const T* a, const T* b,
                                         std::size_t left) noexcept {
  for (std::size_t l = 0; l < left; ++l) Metric::accumulate(lanes[l], to_double(a[l]), to_double(b[l]));
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

/// sums[r * Columns + c] = S(a[r], b[c]).
template <class Isa, class Metric, std::size_t Rows, std::size_t Columns, class T>
IMGSIM_ALWAYS_INLINE void canonical_sums(const T* const* a, const T* const* b, std::size_t depth,
                                         double* sums) noexcept {
  using doubles = vector<double, Isa::double_lanes>;
  constexpr std::size_t kParts = kSumLanes / Isa::double_lanes;
  doubles total[Rows][Columns][kParts] = {};
  std::size_t i = 0;
  for (; i + kSumLanes <= depth; i += kSumLanes) {
#pragma GCC unroll 4
    for (std::size_t part = 0; part < kParts; ++part) {
      const std::size_t at = i + part * Isa::double_lanes;
      doubles left[Rows];
#pragma GCC unroll 8
      for (std::size_t r = 0; r < Rows; ++r) load_elements<Isa>(left[r], a[r] + at);
#pragma GCC unroll 8
      for (std::size_t c = 0; c < Columns; ++c) {
        doubles right;
        load_elements<Isa>(right, b[c] + at);
#pragma GCC unroll 8
        for (std::size_t r = 0; r < Rows; ++r) Metric::accumulate(total[r][c][part], left[r], right);
      }
    }
  }
  double lanes[Rows][Columns][kSumLanes];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (std::size_t c = 0; c < Columns; ++c)
#pragma GCC unroll 4
      for (std::size_t part = 0; part < kParts; ++part)
        store(lanes[r][c] + part * Isa::double_lanes, total[r][c][part]);
  for (std::size_t r = 0; r < Rows; ++r)
    for (std::size_t c = 0; c < Columns; ++c)
      sums[r * Columns + c] = finish_lanes<Metric>(lanes[r][c], a[r] + i, b[c] + i, depth - i);
}

/// S of one row `a` with each of `others`, in groups of Group, then of half as many, and so on.
template <class Isa, class Metric, std::size_t Group = Isa::double_lanes, class T>
IMGSIM_ALWAYS_INLINE void canonical_sums_of_one(const T* a, std::span<const T* const> others, std::size_t depth,
                                                double* sums) noexcept {
  std::size_t done = 0;
  for (; done + Group <= others.size(); done += Group)
    canonical_sums<Isa, Metric, 1, Group>(&a, others.data() + done, depth, sums + done);
  if constexpr (Group > 1)
    if (done < others.size())
      canonical_sums_of_one<Isa, Metric, Group / 2>(a, others.subspan(done), depth, sums + done);
}

/// |x|^2 of a few rows.
template <class Isa, std::size_t Rows, class T>
IMGSIM_ALWAYS_INLINE void squared_norms(const T* const* rows, std::size_t depth, double* norms) noexcept {
  using doubles = vector<double, Isa::double_lanes>;
  constexpr std::size_t kParts = kSumLanes / Isa::double_lanes;
  doubles total[Rows][kParts] = {};
  std::size_t i = 0;
  for (; i + kSumLanes <= depth; i += kSumLanes)
#pragma GCC unroll 8
    for (std::size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 4
      for (std::size_t part = 0; part < kParts; ++part) {
        doubles x;
        load_elements<Isa>(x, rows[r] + i + part * Isa::double_lanes);
        cosine::accumulate(total[r][part], x, x);
      }
  double lanes[Rows][kSumLanes];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 4
    for (std::size_t part = 0; part < kParts; ++part) store(lanes[r] + part * Isa::double_lanes, total[r][part]);
  for (std::size_t r = 0; r < Rows; ++r) norms[r] = finish_lanes<cosine>(lanes[r], rows[r] + i, rows[r] + i, depth - i);
}

/// keys [rows, columns] with leading dimension `stride`: every pair of a few rows with a few columns. Where the norms
/// of the columns are not known (an empty list), they are computed here, while the columns are in the cache.
template <class Metric, class T>
struct canonical_tile_body {
  std::span<const T* const> rows;
  std::span<const double> row_squared_norms;
  std::span<const T* const> columns;
  std::span<const double> column_squared_norms;
  std::size_t depth = 0;
  double* keys = nullptr;
  std::size_t stride = 0;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    if (rows.size() == 1)
      run_blocks<Isa, 1, Isa::double_lanes>();
    else
      run_blocks<Isa, canonical_block<Isa>::rows, canonical_block<Isa>::columns>();
  }

  /// A block at the edge repeats the last row or column, and its values are dropped.
  template <class Isa, std::size_t Rows, std::size_t Columns>
  IMGSIM_ALWAYS_INLINE void run_blocks() const {
    for (std::size_t c0 = 0; c0 < columns.size(); c0 += Columns) {
      const std::size_t valid_columns = std::min(Columns, columns.size() - c0);
      const T* b[Columns];
      double b_norms[Columns];
      for (std::size_t c = 0; c < Columns; ++c) b[c] = columns[c0 + std::min(c, valid_columns - 1)];
      if (column_squared_norms.empty())
        squared_norms<Isa, Columns>(b, depth, b_norms);
      else
        std::copy_n(column_squared_norms.begin() + static_cast<std::ptrdiff_t>(c0), valid_columns, b_norms);
      for (std::size_t r0 = 0; r0 < rows.size(); r0 += Rows) {
        const std::size_t valid_rows = std::min(Rows, rows.size() - r0);
        const T* a[Rows];
        for (std::size_t r = 0; r < Rows; ++r) a[r] = rows[r0 + std::min(r, valid_rows - 1)];
        double sums[Rows * Columns];
        canonical_sums<Isa, Metric, Rows, Columns>(a, b, depth, sums);
        for (std::size_t r = 0; r < valid_rows; ++r)
          for (std::size_t c = 0; c < valid_columns; ++c)
            keys[(r0 + r) * stride + c0 + c] =
                canonical_key<Metric>(sums[r * Columns + c], row_squared_norms[r0 + r], b_norms[c]);
      }
    }
  }
};

/// Squared norms of some rows.
template <class T>
struct squared_norms_body {
  std::span<const T* const> rows;
  std::size_t depth;
  double* out;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    std::size_t r = 0;
    for (; r + 4 <= rows.size(); r += 4) squared_norms<Isa, 4>(rows.data() + r, depth, out + r);
    for (; r < rows.size(); ++r) squared_norms<Isa, 1>(rows.data() + r, depth, out + r);
  }
};

/// Sums of one row with each of `others`.
template <class Metric, class T>
struct canonical_list_body {
  const T* row;
  std::span<const T* const> others;
  std::size_t depth;
  double* sums;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    canonical_sums_of_one<Isa, Metric>(row, others, depth, sums);
  }
};

}  // namespace imgsim::cpu
