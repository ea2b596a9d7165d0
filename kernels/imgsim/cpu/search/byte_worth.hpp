// Whether bytes are precise enough for some rows: where rows are nearly equal, their bounds rule nothing out, and a
// first pass with them would be wasted.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/byte_rows.hpp>
#include <imgsim/cpu/search/candidates.hpp>
#include <imgsim/cpu/search/policy.hpp>
#include <imgsim/cpu/search/product_scan.hpp>
#include <imgsim/cpu/search/untouched_array.hpp>
#include <imgsim/metric/metric.hpp>

namespace imgsim::cpu {

/// About how many rows of `gallery` [M, D] bytes leave undecided for one of `queries` [Q, D] that wants `wanted`
/// matches: a few of the queries against part of the gallery. M, Q, D >= 1.
template <cosine_form_metric Metric, real_element T>
[[nodiscard]] double undecided_rows(const cpu_context& context, matrix_view<const T> queries,
                                    matrix_view<const T> gallery, std::size_t wanted, const search_policy& policy) {
  constexpr std::size_t kQueries = 16;
  constexpr std::size_t kRows = 5 * kTileRows;
  const auto sample_of = [](matrix_view<const T> rows, std::size_t most) {
    const std::size_t count = std::min(most, rows.extent(0));
    return matrix_view<const T>(rows.data(), {count, rows.extent(1)}, {rows.stride(0) * (rows.extent(0) / count), 1});
  };
  const byte_rows rows = byte_rows::pack(context, sample_of(gallery, kRows), mean_direction(gallery), policy.level);
  const byte_rows asked = byte_rows::pack_queries(context, sample_of(queries, kQueries), rows.shared, policy.level);
  const key_bounds bounds(byte_rows::product_error(gallery.extent(1)), gallery.extent(1));
  std::vector<std::vector<double>> low(asked.rows);
  std::vector<std::vector<double>> high(asked.rows);
  untouched_array<float> tile(asked.rows * kTileRows);
  for (std::size_t panel = 0; panel < rows.panel_count(); panel += kTilePanels) {
    const std::size_t panels = std::min(kTilePanels, rows.panel_count() - panel);
    byte_rows::multiply(asked, 0, asked.rows, rows, panel, panels, policy, tile.data());
    for (std::size_t q = 0; q < asked.rows; ++q)
      for (std::size_t g = 0; g < panels * kPanelRows; ++g) {
        const std::size_t row = panel * kPanelRows + g;
        const candidate pair =
            bounds.candidate_for<Metric>(tile.data()[q * kTileRows + g], asked.norms[q], rows.norms[row],
                                         error_of(asked, q), error_of(rows, row), row);
        if (!(pair.low <= pair.high)) continue;  // NaN
        low[q].push_back(pair.low);
        high[q].push_back(pair.high);
      }
  }

  const double share = static_cast<double>(rows.rows) / static_cast<double>(gallery.extent(0));
  const auto rank = static_cast<std::size_t>(static_cast<double>(wanted) * share);
  std::size_t undecided = 0;
  for (std::size_t q = 0; q < asked.rows; ++q) {
    if (low[q].empty()) continue;
    const auto nth = low[q].begin() + static_cast<std::ptrdiff_t>(std::min(rank, low[q].size() - 1));
    std::nth_element(low[q].begin(), nth, low[q].end(), std::greater<>());
    undecided += static_cast<std::size_t>(std::ranges::count_if(high[q], [&](double h) { return h >= *nth; }));
  }
  return static_cast<double>(undecided) / (static_cast<double>(asked.rows) * share);
}

/// Whether bytes leave no more than `wanted` + M / `share` rows of a query undecided.
template <cosine_form_metric Metric, real_element T>
[[nodiscard]] bool are_ruled_out(const cpu_context& context, matrix_view<const T> queries, matrix_view<const T> gallery,
                                 std::size_t wanted, std::size_t share, const search_policy& policy) {
  if (queries.empty() || gallery.empty()) return true;
  return undecided_rows<Metric>(context, queries, gallery, wanted, policy) <=
         static_cast<double>(wanted) + static_cast<double>(gallery.extent(0)) / static_cast<double>(share);
}

}  // namespace imgsim::cpu
