// The operations of search_paths.hpp for one element type; included by one source a type, which are compiled in
// parallel.
#pragma once

#include <imgsim/cpu/search.hpp>

#include "search/search_paths.hpp"

namespace imgsim_test {

using backend = imgsim::search_backend<imgsim::cpu_context>;

template <class Case>
imgsim::top_n_result search_along(const search_path& path, imgsim::matrix_view<const typename Case::element> gallery,
                                  imgsim::matrix_view<const typename Case::element> queries,
                                  const imgsim::top_n_options& options) {
  const typename Case::metric metric;
  if (!path.prepared) return backend::top_n(path.context, gallery, queries, metric, options, path.policy);
  const imgsim::cpu::gallery prepared(path.context, gallery, path.policy);
  return backend::top_n(path.context, prepared, queries, metric, options, path.policy);
}

template <class Case>
void similarity_along(const search_path& path, imgsim::matrix_view<const typename Case::element> a,
                      imgsim::matrix_view<const typename Case::element> b, imgsim::matrix_view<float> out) {
  backend::similarity_matrix(path.context, a, b, typename Case::metric{}, out, path.policy);
}

template <class Case>
void distances_along(const search_path& path, imgsim::matrix_view<const typename Case::element> points,
                     imgsim::matrix_view<float> out) {
  backend::distance_matrix(path.context, points, typename Case::metric{}, out, path.policy);
}

#define IMGSIM_TEST_SEARCH_CASE(Metric, T)                                                                           \
  template imgsim::top_n_result search_along<search_case<Metric, T>>(                                                \
      const search_path&, imgsim::matrix_view<const T>, imgsim::matrix_view<const T>, const imgsim::top_n_options&); \
  template void similarity_along<search_case<Metric, T>>(const search_path&, imgsim::matrix_view<const T>,           \
                                                         imgsim::matrix_view<const T>, imgsim::matrix_view<float>);  \
  template void distances_along<search_case<Metric, T>>(const search_path&, imgsim::matrix_view<const T>,            \
                                                        imgsim::matrix_view<float>)

#define IMGSIM_TEST_SEARCH_CASES(T)              \
  IMGSIM_TEST_SEARCH_CASE(imgsim::cosine, T);    \
  IMGSIM_TEST_SEARCH_CASE(imgsim::euclidean, T); \
  IMGSIM_TEST_SEARCH_CASE(manhattan, T)

}  // namespace imgsim_test
