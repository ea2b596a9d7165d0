// The operations of CUDA search that the tests run; instances in operations.cu, which nvcc compiles, too.
#pragma once

#include <cuda_runtime_api.h>

#include <string_view>
#include <tuple>

#include <imgsim/core/element.hpp>
#include <imgsim/core/macros.hpp>
#include <imgsim/cuda/search/policy.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/metric/euclidean.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim_test {

/// A metric of a user's own, unknown to the registry.
struct device_manhattan {
  static constexpr std::string_view name = "manhattan";
  template <class T>
  IMGSIM_HOST_DEVICE static constexpr void accumulate(T& sum, const T& a, const T& b) {
    const T difference = a - b;
    sum += difference < 0 ? -difference : difference;
  }
  IMGSIM_HOST_DEVICE static double finish(double sum, double, double) { return 0 - sum; }
  IMGSIM_HOST_DEVICE static double similarity(double key) { return key; }
  IMGSIM_HOST_DEVICE static double distance(double key) { return 0 - key; }
};

template <class Metric, class T>
struct device_case {
  using metric = Metric;
  using element = T;
};
using device_cases = std::tuple<device_case<imgsim::cosine, float>, device_case<imgsim::euclidean, imgsim::bfloat16>,
                                device_case<imgsim::cosine, imgsim::float16>, device_case<device_manhattan, float>>;

template <class Case>
using case_rows = imgsim::matrix_view<const typename Case::element>;

/// Where the caller's rows are.
enum class place_of_rows { host, device };

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
