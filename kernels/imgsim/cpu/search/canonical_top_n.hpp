// Top-N by computing every pair canonically: few queries, where one pass over the gallery's rows is all there is to
// do; metrics that are no function of the cosine; lists nearly as long as the gallery.
#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <span>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/answer.hpp>
#include <imgsim/cpu/search/candidates.hpp>
#include <imgsim/cpu/search/canonical_tiles.hpp>
#include <imgsim/cpu/search/gallery.hpp>
#include <imgsim/cpu/search/policy.hpp>
#include <imgsim/metric/metric.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim::cpu {

/// Fills `out` [Q, columns], columns >= 1.
template <metric Metric, real_element T>
void canonical_top_n(const cpu_context& context, const gallery<T>& prepared, matrix_view<const T> queries,
                     const top_n_options& options, const search_policy& policy, const top_n_output<host_space>& out) {
  const matrix_view<const T> gallery = prepared.rows();
  const std::size_t columns = out.columns();
  const std::size_t block = std::max<std::size_t>(
      policy.candidate_bytes / candidate_lists::bytes_for(columns, gallery.extent(0)) / kCanonicalTileRows, 1);
  const std::size_t block_rows = block * kCanonicalTileRows;
  progress_counter progress(options.on_progress, queries.extent(0) * gallery.extent(0));

  for (std::size_t first = 0; first < queries.extent(0); first += block_rows) {
    const std::size_t count = std::min(block_rows, queries.extent(0) - first);
    const matrix_view<const T> block_queries = queries.slice(first, count);
    const std::vector<double> norms = row_squared_norms(context, block_queries, policy.level);
    candidate_lists lists(count, columns, gallery.extent(0));
    std::vector<std::mutex> mutexes(count / kCanonicalTileRows + 1);

    for_each_canonical_tile<Metric>(context, normed_rows<T>{block_queries, norms}, prepared.normed(), false, policy,
                                    [&](std::size_t row, std::size_t column, matrix_view<const double> keys) {
                                      {
                                        const std::lock_guard lock(mutexes[row / kCanonicalTileRows]);
                                        for (std::size_t q = 0; q < keys.extent(0); ++q) {
                                          const std::size_t excluded = excluded_row(options, first + row + q);
                                          for (std::size_t c = 0; c < keys.extent(1); ++c) {
                                            const double key = keys(q, c);
                                            if (key >= lists.threshold(row + q) && column + c != excluded)
                                              lists.push(row + q, {key, key, column + c},
                                                         [](std::size_t, std::span<candidate>) {});
                                          }
                                        }
                                      }
                                      progress.add(keys.size());
                                    });

    context.parallel_for(count, [&](std::size_t q) {
      lists.keep_best(q);
      write_answer<Metric>(lists[q], excluded_row(options, first + q), out, first + q);
    });
  }
}

}  // namespace imgsim::cpu
