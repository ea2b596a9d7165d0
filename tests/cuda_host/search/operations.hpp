// The operations of CUDA search that the tests run; instances in operations.cu, which nvcc compiles, too.
#pragma once

#include <imgsim/cuda/search/policy.hpp>
#include <imgsim/search/top_n.hpp>

#include "cuda_host/support/device_rows.hpp"
#include "cuda_host/support/metric_cases.hpp"

namespace imgsim_test {

template <class Case>
imgsim::top_n_result device_top_n(case_rows<Case> gallery, case_rows<Case> queries, const imgsim::top_n_options&,
                                  const imgsim::cuda::search_policy&, place_of_rows);
/// Similarities of all pairs, or, where `b` is `a`, distances.
template <class Case>
void device_similarity(case_rows<Case> a, case_rows<Case> b, imgsim::matrix_view<float> out, place_of_rows);
template <class Case>
void device_distances(case_rows<Case> points, imgsim::matrix_view<float> out, place_of_rows);
/// Captures a search in a graph and launches it twice, with other queries the second time.
imgsim::top_n_result captured_top_n(imgsim::matrix_view<const float> gallery, imgsim::matrix_view<const float> first,
                                    imgsim::matrix_view<const float> second, const imgsim::top_n_options&);

}  // namespace imgsim_test
