// Similarities and distances of all pairs, as matrices.
#pragma once

#include <concepts>

#include <imgsim/core/context.hpp>
#include <imgsim/core/element.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/metric/metric.hpp>
#include <imgsim/search/backend.hpp>

namespace imgsim {

namespace detail {

/// Throws invalid_argument where a matrix of all pairs of `a` [Q, D] and `b` [M, D] does not fit in `out`.
template <class Rows, class Others, class Out>
void check_pairs(const char* what, const Rows& a, const Others& b, const Out& out) {
  static_assert(std::same_as<read_only_view<Rows>, read_only_view<Others>>,
                "both sides of a matrix of pairs have one element type and one memory space");
  IMGSIM_EXPECTS(a.extent(1) == b.extent(1), "the ", what, " of ", shape_text(a), " and ", shape_text(b),
                 " needs equal widths");
  IMGSIM_EXPECTS(out.extent(0) == a.extent(0) && out.extent(1) == b.extent(0), "the ", what, " of ", shape_text(a),
                 " and ", shape_text(b), " does not fit in ", shape_text(out));
}

}  // namespace detail

/// out [Q, M]: the canonical similarity (metric/metric.hpp) of each row of `a` [Q, D] to each row of `b` [M, D],
/// rounded to float32; bit for bit what top_n reports. NaN where either row holds a NaN or an infinity. The rows may be
/// in host memory or in the context's space, `out` is where they are; on a device it is ready when the context's work
/// is. Throws invalid_argument where shapes do not fit.
template <execution_context Context, element_matrix Rows, element_matrix Others, metric Metric>
void similarity_matrix(const Context& context, const Rows& a, const Others& b, Metric metric,
                       matrix_view<float, typename Rows::space> out) {
  detail::require_search_backend<Context>();
  detail::check_pairs("similarity", a, b, out);
  search_backend<Context>::similarity_matrix(context, read_only_view<Rows>(a), read_only_view<Others>(b), metric, out);
}

/// out [Q, M]: the distances of the same pairs, computed from the canonical float64 key and then rounded to float32.
template <execution_context Context, element_matrix Rows, element_matrix Others, metric Metric>
void distance_matrix(const Context& context, const Rows& a, const Others& b, Metric metric,
                     matrix_view<float, typename Rows::space> out) {
  detail::require_search_backend<Context>();
  detail::check_pairs("distance", a, b, out);
  search_backend<Context>::distance_matrix(context, read_only_view<Rows>(a), read_only_view<Others>(b), metric, out);
}

/// out [M, M]: the distance of each pair of rows of `points` [M, D]. Symmetric to the bit; the diagonal is 0 whatever
/// the row. NaN where either of two rows holds a NaN or an infinity. Memory as with similarity_matrix. Throws
/// invalid_argument where shapes do not fit.
template <execution_context Context, element_matrix Rows, metric Metric>
void distance_matrix(const Context& context, const Rows& points, Metric metric,
                     matrix_view<float, typename Rows::space> out) {
  detail::require_search_backend<Context>();
  IMGSIM_EXPECTS(out.extent(0) == points.extent(0) && out.extent(1) == points.extent(0), "the distances of ",
                 shape_text(points), " do not fit in ", shape_text(out));
  search_backend<Context>::distance_matrix(context, read_only_view<Rows>(points), metric, out);
}

}  // namespace imgsim
