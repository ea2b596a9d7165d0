// Canonical keys for what the fast pass left undecided.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/candidates.hpp>
#include <imgsim/cpu/search/canonical.hpp>
#include <imgsim/cpu/simd.hpp>
#include <imgsim/metric/metric.hpp>

namespace imgsim::cpu {

/// Makes every candidate of one query canonical. `gallery_norms` are squared norms.
template <metric Metric, real_element T>
void refine_query(const T* query, double query_squared_norm, std::span<candidate> candidates,
                  matrix_view<const T> gallery, std::span<const double> gallery_norms, simd_level level) {
  std::vector<const T*> rows;
  std::vector<candidate*> undecided;
  for (candidate& each : candidates)
    if (!each.is_canonical()) {
      undecided.push_back(&each);
      rows.push_back(gallery.row(each.row));
    }
  std::vector<double> sums(rows.size());
  expand(canonical_list_body<Metric, T>{query, rows, gallery.extent(1), sums.data()}, level);
  for (std::size_t i = 0; i < undecided.size(); ++i) {
    candidate& each = *undecided[i];
    each.low = each.high = canonical_key<Metric>(sums[i], query_squared_norm, gallery_norms[each.row]);
  }
}

/// The same on all threads.
template <metric Metric, real_element T>
void refine_query(const cpu_context& context, const T* query, double query_squared_norm,
                  std::span<candidate> candidates, matrix_view<const T> gallery, std::span<const double> gallery_norms,
                  simd_level level) {
  constexpr std::size_t kChunk = 16;
  context.parallel_for((candidates.size() + kChunk - 1) / kChunk, [&](std::size_t chunk) {
    const std::size_t begin = chunk * kChunk;
    refine_query<Metric>(query, query_squared_norm,
                         candidates.subspan(begin, std::min(kChunk, candidates.size() - begin)), gallery, gallery_norms,
                         level);
  });
}

/// The same for many queries at once, gallery row by gallery row: each row is read once for all the queries that want
/// it, while the queries' own rows, fewer, stay in the cache. candidates_of(query) are the candidates to refine.
template <metric Metric, real_element T, class CandidatesOf>
void refine_queries(std::size_t first, std::size_t count, matrix_view<const T> queries,
                    std::span<const double> query_squared_norms, CandidatesOf&& candidates_of,
                    matrix_view<const T> gallery, std::span<const double> gallery_norms, simd_level level) {
  struct pair {
    candidate* of;
    std::size_t query;
  };
  // Sorted by row, by counting: end[r] is first where row r begins, then where it ends.
  std::vector<std::size_t> end(gallery.extent(0) + 1);
  for (std::size_t q = first; q < first + count; ++q)
    for (const candidate& each : candidates_of(q)) end[each.row + 1] += each.is_canonical() ? 0 : 1;
  std::partial_sum(end.begin(), end.end(), end.begin());
  std::vector<pair> pairs(end.back());
  for (std::size_t q = first; q < first + count; ++q)
    for (candidate& each : candidates_of(q))
      if (!each.is_canonical()) pairs[end[each.row]++] = {&each, q};

  std::vector<const T*> rows;
  std::vector<double> sums;
  for (std::size_t begin = 0; begin < pairs.size(); begin += rows.size()) {
    const std::size_t row = pairs[begin].of->row;
    rows.clear();
    for (std::size_t i = begin; i < end[row]; ++i) rows.push_back(queries.row(pairs[i].query));
    sums.resize(rows.size());
    expand(canonical_list_body<Metric, T>{gallery.row(row), rows, gallery.extent(1), sums.data()}, level);
    for (std::size_t i = begin; i < end[row]; ++i) {
      candidate& each = *pairs[i].of;
      each.low = each.high =
          canonical_key<Metric>(sums[i - begin], query_squared_norms[pairs[i].query], gallery_norms[row]);
    }
  }
}

}  // namespace imgsim::cpu
