// The N gallery rows most similar to each query, exactly.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>

#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/metric/metric.hpp>
#include <imgsim/search/backend.hpp>

namespace imgsim {

/// One gallery row, and how similar it is to a query (larger is closer).
struct match {
  std::int64_t row;
  float similarity;
};

struct top_n_options {
  /// Matches wanted for each query; no upper limit.
  std::size_t n = 10;
  /// The queries are the gallery's own rows, query q being row first_row + q: a row is no match of itself.
  bool exclude_self = false;
  std::size_t first_row = 0;
  /// Called as the work advances, from one thread at a time but not always the caller's, with `done` rising to
  /// `total`. What it throws stops the search and reaches the caller.
  std::function<void(std::size_t done, std::size_t total)> progress = {};
};

/// Both [Q, columns], columns = min(N, M), or min(N, M - 1) without self; a row holds a query's matches, best first.
struct top_n_result {
  tensor<std::int64_t, 2> rows;
  tensor<float, 2> similarity;

  [[nodiscard]] std::size_t queries() const noexcept { return rows.extent(0); }
  [[nodiscard]] std::size_t columns() const noexcept { return rows.extent(1); }
  [[nodiscard]] match at(std::size_t query, std::size_t rank) const noexcept {
    return {rows(query, rank), similarity(query, rank)};
  }
};

/// Number of matches that each query gets from a gallery of M rows.
[[nodiscard]] inline std::size_t top_n_columns(std::size_t gallery_rows, const top_n_options& options) noexcept {
  return std::min(options.n, options.exclude_self && gallery_rows > 0 ? gallery_rows - 1 : gallery_rows);
}

/// The N rows of `gallery` [M, D] most similar to each row of `queries` [Q, D]; both may be strided, and may be the
/// same memory.
///
/// Sorted by falling canonical similarity (metric/metric.hpp), ties to the smaller row, NaN last: a row that holds a
/// NaN or an infinity has similarity NaN to everything. The answer is exact, and the same to the last bit for every
/// split of the queries into batches, every thread count and every device. Time is O(Q M D), less for selection;
/// memory beside the result is O(Q N) at most, never [Q, M].
///
/// Throws invalid_argument where the widths differ, or exclude_self names rows that the gallery does not have.
///
///   const cpu_context context;
///   const top_n_result found = top_n(context, gallery, queries, cosine{}, {.n = 10});
template <execution_context Context, metric Metric>
[[nodiscard]] top_n_result top_n(const Context& context, matrix_view<const float> gallery,
                                 matrix_view<const float> queries, Metric metric, const top_n_options& options) {
  static_assert(has_search_backend<Context>,
                "search is not implemented for this context: include its search header, e.g. <imgsim/cpu/search.hpp>");
  IMGSIM_EXPECTS(gallery.extent(1) == queries.extent(1), "the gallery is ", shape_text(gallery),
                 " and the queries are ", shape_text(queries), ": their widths must be equal");
  IMGSIM_EXPECTS(!options.exclude_self || (options.first_row <= gallery.extent(0) &&
                                           queries.extent(0) <= gallery.extent(0) - options.first_row),
                 "queries ", shape_text(queries), " from row ", options.first_row, " are not rows of the gallery ",
                 shape_text(gallery));
  return search_backend<Context>::top_n(context, gallery, queries, metric, options);
}

}  // namespace imgsim
