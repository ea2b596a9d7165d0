// How search finds its backend. A backend specialises search_backend for its context (see core/context.hpp); for the
// CPU, include <imgsim/cpu/search.hpp>.
#pragma once

#include <imgsim/core/context.hpp>
#include <imgsim/core/element.hpp>

namespace imgsim {

/// Specialised per context, for elements T of float, bfloat16 and float16. Arguments have been checked; `rows`,
/// `queries`, `a`, `b` and `points` are matrices of T in host memory or in Context::space.
///
///   template <real_element T> class gallery      constructed from (context, rows): what a search needs of the rows
///                                                [M, D], computed once; rows() returns the view it was made from
///   template <metric M> static void top_n(const Context&, const gallery<T>&, queries, M, const top_n_options&,
///                                         const top_n_output<Context::space>&);
///       // ready when the context's work is: nothing in it waits for a device
///   template <metric M> static top_n_result top_n(const Context&, const gallery<T>&, queries, M,
///                                                 const top_n_options&);
///   template <metric M> static top_n_result top_n(const Context&, rows, queries, M, const top_n_options&);
///       // for one search: prepares no more of the gallery than pays off for these queries
///   template <metric M> static void similarity_matrix(const Context&, a, b, M, out);
///   template <metric M> static void distance_matrix(const Context&, a, b, M, out);
///   template <metric M> static void distance_matrix(const Context&, points, M, out);
template <execution_context Context>
struct search_backend {
  static constexpr bool is_missing = true;
  template <real_element T>
  struct gallery {};
};

template <class Context>
concept has_search_backend = execution_context<Context> && !requires { search_backend<Context>::is_missing; };

namespace detail {

/// The one sentence for a call with a context whose search backend is not included.
template <class Context>
constexpr void require_search_backend() {
  static_assert(has_search_backend<Context>,
                "search is not implemented for this context: include its search header, e.g. <imgsim/cpu/search.hpp>");
}

}  // namespace detail

}  // namespace imgsim
