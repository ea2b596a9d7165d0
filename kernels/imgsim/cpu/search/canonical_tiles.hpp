// Canonical keys of all pairs of two sets of rows, a tile at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/canonical.hpp>
#include <imgsim/cpu/search/policy.hpp>
#include <imgsim/cpu/simd.hpp>
#include <imgsim/metric/metric.hpp>

namespace imgsim::cpu {

/// |x|^2 of each row [M, D].
template <real_element T>
[[nodiscard]] std::vector<double> row_squared_norms(const cpu_context& context, matrix_view<const T> rows,
                                                    simd_level level) {
  std::vector<double> norms(rows.extent(0));
  constexpr std::size_t kBlock = 64;
  context.parallel_for((norms.size() + kBlock - 1) / kBlock, [&](std::size_t b) {
    const std::size_t first = b * kBlock;
    std::array<const T*, kBlock> pointers{};
    const std::size_t count = std::min(kBlock, norms.size() - first);
    for (std::size_t r = 0; r < count; ++r) pointers[r] = rows.row(first + r);
    expand(squared_norms_body<T>{{pointers.data(), count}, rows.extent(1), norms.data() + first}, level);
  });
  return norms;
}

/// Height of a tile; the first row of a tile is a multiple of it.
inline constexpr std::size_t kCanonicalTileRows = 48;
/// Columns of a tile: their rows should stay in the L2 cache while the tile's rows pass by.
inline constexpr std::size_t kCanonicalTileBytes = std::size_t{384} << 10;

/// Rows [M, D] with their squared norms, [M] or, where these are not known, none.
template <real_element T>
struct normed_rows {
  matrix_view<const T> rows;
  std::span<const double> squared_norms;
};

/// Calls visit(first row, first column, keys) for tiles that cover [Q, M] once, from the context's threads. The norms
/// of `left` must be known. With `upper_only`, where both are the same, tiles that lie wholly below the diagonal are
/// left out.
template <metric Metric, real_element T, class Visit>
void for_each_canonical_tile(const cpu_context& context, const normed_rows<T>& left, const normed_rows<T>& right,
                             bool upper_only, const search_policy& policy, Visit&& visit) {
  const matrix_view<const T>& a = left.rows;
  const matrix_view<const T>& b = right.rows;
  const std::size_t depth = a.extent(1);
  const std::size_t row_bytes = std::max<std::size_t>(depth * sizeof(T), 1);
  const std::size_t width = std::clamp<std::size_t>(kCanonicalTileBytes / row_bytes / 24, 1, 16) * 24;
  const std::size_t height = std::min(kCanonicalTileRows, a.extent(0));
  if (a.extent(0) == 0 || b.extent(0) == 0) return;

  const std::size_t row_tiles = (a.extent(0) + height - 1) / height;
  const std::size_t column_tiles = (b.extent(0) + width - 1) / width;
  const std::size_t tile_products = height * width * std::max<std::size_t>(depth, 1);
  const std::size_t per_task = std::clamp<std::size_t>(policy.task_products / tile_products, 1, column_tiles);
  const std::size_t tasks_per_row = (column_tiles + per_task - 1) / per_task;

  context.parallel_for(row_tiles * tasks_per_row, [&](std::size_t task) {
    const std::size_t row = task / tasks_per_row * height;
    const std::size_t rows = std::min(height, a.extent(0) - row);
    std::array<const T*, kCanonicalTileRows> row_pointers{};
    for (std::size_t r = 0; r < rows; ++r) row_pointers[r] = a.row(row + r);
    std::vector<const T*> column_pointers(width);
    std::vector<double> keys(rows * width);

    const std::size_t end = std::min((task % tasks_per_row + 1) * per_task * width, b.extent(0));
    for (std::size_t column = task % tasks_per_row * per_task * width; column < end; column += width) {
      const std::size_t columns = std::min(width, end - column);
      if (upper_only && column + columns <= row) continue;
      for (std::size_t c = 0; c < columns; ++c) column_pointers[c] = b.row(column + c);
      expand(canonical_tile_body<Metric, T>{.rows = {row_pointers.data(), rows},
                                            .row_squared_norms = left.squared_norms.subspan(row, rows),
                                            .columns = {column_pointers.data(), columns},
                                            .column_squared_norms = right.squared_norms.empty()
                                                                        ? right.squared_norms
                                                                        : right.squared_norms.subspan(column, columns),
                                            .depth = depth,
                                            .keys = keys.data(),
                                            .stride = width},
             policy.level);
      visit(row, column, matrix_view<const double>(keys.data(), {rows, columns}, {width, 1}));
    }
  });
}

}  // namespace imgsim::cpu
