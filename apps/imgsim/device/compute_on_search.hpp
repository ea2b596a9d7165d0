// The members of compute_on that search.
#pragma once

#include "device/compute_on.hpp"

#include <imgsim/metric/registry.hpp>
#include <imgsim/search/similarity.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim::app {

template <execution_context Context>
top_n_result compute_on<Context>::top_n(matrix_view<const float> gallery, matrix_view<const float> queries,
                                        std::string_view metric, const top_n_options& options) const {
  return visit_metric(metric, [&](auto m) { return imgsim::top_n(context_, gallery, queries, m, options); });
}

template <execution_context Context>
void compute_on<Context>::similarity_matrix(matrix_view<const float> a, matrix_view<const float> b,
                                            std::string_view metric, matrix_view<float> out) const {
  visit_metric(metric, [&](auto m) { imgsim::similarity_matrix(context_, a, b, m, out); });
}

template <execution_context Context>
void compute_on<Context>::distance_matrix(matrix_view<const float> points, std::string_view metric,
                                          matrix_view<float> out) const {
  visit_metric(metric, [&](auto m) { imgsim::distance_matrix(context_, points, m, out); });
}

}  // namespace imgsim::app

/// In namespace imgsim::app of one source file of a backend.
#define IMGSIM_INSTANTIATE_COMPUTE_SEARCH(Context)                                                                   \
  template top_n_result compute_on<Context>::top_n(matrix_view<const float>, matrix_view<const float>,               \
                                                   std::string_view, const top_n_options&) const;                    \
  template void compute_on<Context>::similarity_matrix(matrix_view<const float>, matrix_view<const float>,           \
                                                       std::string_view, matrix_view<float>) const;                  \
  template void compute_on<Context>::distance_matrix(matrix_view<const float>, std::string_view, matrix_view<float>) \
      const
