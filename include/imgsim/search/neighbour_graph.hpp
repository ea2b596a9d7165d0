// A graph of near neighbours over the rows of a gallery: with it, a search looks at few of them and may miss some.
//
// The graph is the hierarchy of Malkov and Yashunin (2018, doi:10.1109/TPAMI.2018.2889473): every row is linked to rows
// near it; a part of the rows, ever fewer, is linked over longer ways in layers above. imgsim/cpu/hnsw.hpp builds one.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>

#include <imgsim/core/context.hpp>
#include <imgsim/core/element.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/metric/metric.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim {

/// The graph over a gallery of M rows. It may come from a file, so that a search trusts none of its numbers.
struct neighbour_graph_view {
  /// [M, L] for each row the rows that it is linked to, and -1 after the last.
  matrix_view<const std::int32_t> links;
  /// [U, 2 + H] the layers above, the topmost first; U >= 1, line 0 is where a search begins. Each line: a row of the
  /// gallery; the line of that row in the layer below, or -1 where below are `links`; the lines of its layer that it is
  /// linked to, and -1 after the last.
  matrix_view<const std::int32_t> layers;
};

/// A graph in memory of its own.
struct neighbour_graph {
  tensor<std::int32_t, 2> links;
  tensor<std::int32_t, 2> layers;

  [[nodiscard]] neighbour_graph_view view() const noexcept { return {links.view(), layers.view()}; }
};

namespace detail {

/// The numbers before the first -1.
[[nodiscard]] inline std::span<const std::int32_t> listed(const std::int32_t* begin, std::size_t most) noexcept {
  const std::span<const std::int32_t> all(begin, most);
  return all.first(static_cast<std::size_t>(std::ranges::find(all, -1) - all.begin()));
}

/// A number of the graph as one below `size`; throws invalid_argument where it is none.
[[nodiscard]] inline std::size_t graph_index(std::int32_t value, std::size_t size, const char* what) {
  IMGSIM_EXPECTS(value >= 0 && static_cast<std::size_t>(value) < size, "the graph of neighbours is damaged: it names ",
                 what, " ", value, " of ", size);
  return static_cast<std::size_t>(value);
}

/// The line of the layer below, which comes later in the list, so that every way down ends.
[[nodiscard]] inline std::optional<std::size_t> line_below(const matrix_view<const std::int32_t>& layers,
                                                           std::size_t line) {
  const std::int32_t below = layers(line, 1);
  if (below == -1) return std::nullopt;
  const std::size_t next = graph_index(below, layers.extent(0), "line");
  IMGSIM_EXPECTS(next > line, "the graph of neighbours is damaged: line ", line, " leads to line ", next);
  return next;
}

}  // namespace detail

/// Throws invalid_argument where the graph does not fit a gallery of `rows` rows in shape. O(1).
inline void expect_graph_of(const neighbour_graph_view& graph, std::size_t rows) {
  IMGSIM_EXPECTS(graph.links.extent(0) == rows && graph.layers.extent(0) >= 1 && graph.layers.extent(1) >= 2 &&
                     rows <= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()),
                 "a graph of shapes ", shape_text(graph.links), " and ", shape_text(graph.layers), " is none of ", rows,
                 " rows");
}

struct approximate_top_n_result {
  top_n_result found;
  std::uint64_t compared = 0;  // pairs of a query and a row whose similarity was computed
};

/// Specialised per context that can walk a graph, for elements T as search_backend; arguments have been checked:
///
///   template <metric M> static approximate_top_n_result top_n(const Context&, rows, graph, queries, M,
///                                                             const top_n_options&, std::size_t breadth);
template <execution_context Context>
struct graph_search_backend {
  static constexpr bool is_missing = true;
};

/// As top_n, by a walk over `graph`: of the rows most similar to each query some may be missing, and less similar ones
/// are in their places. What is returned is sorted and rounded as by top_n, to the last bit. A walk keeps the `breadth`
/// best rows that it has seen (N where that is more) and ends when it has seen all that they are linked to; a larger
/// breadth misses less and takes longer. A query for which a walk finds fewer than N rows is answered by top_n.
///
/// About O(Q breadth L D) whatever M, memory O(breadth L) for each thread. The answer is a function of the graph, the
/// rows and the options, the same on any number of threads.
///
/// Throws invalid_argument where top_n does, where the graph does not fit the gallery, and where a number in it that is
/// met is out of range.
template <execution_context Context, element_matrix Gallery, element_matrix Queries, metric Metric>
[[nodiscard]] approximate_top_n_result approximate_top_n(const Context& context, const Gallery& gallery,
                                                         const neighbour_graph_view& graph, const Queries& queries,
                                                         Metric metric, const top_n_options& options,
                                                         std::size_t breadth) {
  static_assert(
      !requires { graph_search_backend<Context>::is_missing; },
      "no search by a graph for this context: include imgsim/cpu/graph_search.hpp and use cpu_context");
  static_assert(std::same_as<element_of<Gallery>, element_of<Queries>>, "queries have the element type of the gallery");
  detail::check_queries(gallery.extent(0), gallery.extent(1), queries, options);
  expect_graph_of(graph, gallery.extent(0));
  return graph_search_backend<Context>::top_n(context, read_only_view<Gallery>(gallery), graph,
                                              read_only_view<Queries>(queries), metric, options, breadth);
}

/// The part of the rows of `exact` that `found` has, of all queries, in [0, 1]: a row as similar as the last of the
/// exact answer counts, too. Both [Q, N]; 1 where there are none. Throws invalid_argument for other shapes.
[[nodiscard]] inline double recall_of(const top_n_result& found, const top_n_result& exact) {
  IMGSIM_EXPECTS(found.rows.extents() == exact.rows.extents(), "answers of shapes ", shape_text(found.rows.view()),
                 " and ", shape_text(exact.rows.view()), " have no recall");
  if (exact.rows.empty()) return 1;
  std::size_t hits = 0;
  for (std::size_t q = 0; q < exact.queries(); ++q)
    for (std::size_t rank = 0; rank < exact.columns(); ++rank)
      hits += !(found.similarity(q, rank) < exact.similarity(q, exact.columns() - 1));
  return static_cast<double>(hits) / static_cast<double>(exact.rows.size());
}

}  // namespace imgsim
