// How search finds its backend. A backend specialises search_backend for its context (see core/context.hpp); for the
// CPU, include <imgsim/cpu/search.hpp>.
#pragma once

#include <imgsim/core/context.hpp>

namespace imgsim {

/// Specialised per context with static functions, whose arguments have been checked:
///
///   template <metric M> top_n_result top_n(const Context&, gallery, queries, M, const top_n_options&);
///   template <metric M> void similarity_matrix(const Context&, a, b, M, out);
///   template <metric M> void distance_matrix(const Context&, points, M, out);
template <execution_context Context>
struct search_backend {
  static constexpr bool is_missing = true;
};

template <class Context>
concept has_search_backend = execution_context<Context> && !requires { search_backend<Context>::is_missing; };

}  // namespace imgsim
