// The N gallery rows most similar to each query, exactly.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>

#include <imgsim/core/context.hpp>
#include <imgsim/core/element.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/metric/metric.hpp>
#include <imgsim/search/backend.hpp>
#include <imgsim/search/gallery.hpp>

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
  std::function<void(std::size_t done, std::size_t total)> on_progress = {};
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

/// Where an answer is written: views of top_n_result's arrays, in some memory space.
template <class Space>
struct top_n_output {
  matrix_view<std::int64_t, Space> rows;
  matrix_view<float, Space> similarity;

  [[nodiscard]] std::size_t columns() const noexcept { return rows.extent(1); }
};

/// Number of matches that each query gets from a gallery of M rows.
[[nodiscard]] inline std::size_t top_n_columns(std::size_t gallery_rows, const top_n_options& options) noexcept {
  return std::min(options.n, options.exclude_self && gallery_rows > 0 ? gallery_rows - 1 : gallery_rows);
}

namespace detail {

/// Throws invalid_argument where queries [Q, D] do not fit a gallery [M, D].
template <class Queries>
void check_queries(std::size_t rows, std::size_t dimension, const Queries& queries, const top_n_options& options) {
  IMGSIM_EXPECTS(dimension == queries.extent(1), "the gallery is [", rows, ", ", dimension, "] and the queries are ",
                 shape_text(queries), ": their widths must be equal");
  IMGSIM_EXPECTS(!options.exclude_self || (options.first_row <= rows && queries.extent(0) <= rows - options.first_row),
                 "queries ", shape_text(queries), " from row ", options.first_row, " are not rows of the gallery [",
                 rows, ", ", dimension, "]");
}

}  // namespace detail

/// The N rows of `gallery` [M, D] most similar to each row of `queries` [Q, D]; both may be strided, and may be the
/// same memory, on the host or in the context's space.
///
/// Sorted by falling canonical similarity (metric/metric.hpp), ties to the smaller row, NaN last: a row that holds a
/// NaN or an infinity has similarity NaN to everything. The answer is exact, and the same to the last bit for every
/// split of the queries into batches, every thread count and every device. Time is O(Q M D), less for selection;
/// memory beside the result is O(Q N + M), never [Q, M].
///
/// Throws invalid_argument where the widths differ, or exclude_self names rows that the gallery does not have.
///
///   const cpu_context context;
///   const top_n_result found = top_n(context, gallery, queries, cosine{}, {.n = 10});
template <execution_context Context, element_matrix Gallery, element_matrix Queries, metric Metric>
[[nodiscard]] top_n_result top_n(const Context& context, const Gallery& gallery, const Queries& queries, Metric metric,
                                 const top_n_options& options) {
  detail::require_search_backend<Context>();
  static_assert(std::same_as<element_of<Gallery>, element_of<Queries>>, "queries have the element type of the gallery");
  detail::check_queries(gallery.extent(0), gallery.extent(1), queries, options);
  return search_backend<Context>::top_n(context, read_only_view<Gallery>(gallery), read_only_view<Queries>(queries),
                                        metric, options);
}

/// The same in a gallery that is searched more than once.
template <execution_context Context, real_element T, element_matrix Queries, metric Metric>
[[nodiscard]] top_n_result top_n(const Context& context, const prepared_gallery<Context, T>& gallery,
                                 const Queries& queries, Metric metric, const top_n_options& options) {
  static_assert(std::same_as<T, element_of<Queries>>, "queries have the element type of the gallery");
  detail::check_queries(gallery.size(), gallery.dimension(), queries, options);
  return search_backend<Context>::top_n(context, gallery.backend(), read_only_view<Queries>(queries), metric, options);
}

/// The same into memory of the caller's, in the context's space, both views [Q, top_n_columns(M, options)]: on a device
/// the answer is ready when the context's work is, and the call can be captured in a graph; progress is told only by a
/// context that works while the caller waits.
/// Throws invalid_argument where `out` has another shape.
template <execution_context Context, real_element T, element_matrix Queries, metric Metric>
void top_n(const Context& context, const prepared_gallery<Context, T>& gallery, const Queries& queries, Metric metric,
           const top_n_options& options, const top_n_output<typename Context::space>& out) {
  static_assert(std::same_as<T, element_of<Queries>>, "queries have the element type of the gallery");
  detail::check_queries(gallery.size(), gallery.dimension(), queries, options);
  const std::array<std::size_t, 2> shape{queries.extent(0), top_n_columns(gallery.size(), options)};
  IMGSIM_EXPECTS(out.rows.extents() == shape && out.similarity.extents() == shape, "the answer is [", shape[0], ", ",
                 shape[1], "]; its rows are ", shape_text(out.rows), " and its similarities ",
                 shape_text(out.similarity));
  search_backend<Context>::top_n(context, gallery.backend(), read_only_view<Queries>(queries), metric, options, out);
}

}  // namespace imgsim
