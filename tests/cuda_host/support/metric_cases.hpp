// The metrics and element types that the tests of CUDA search and clustering run with.
#pragma once

#include <string_view>
#include <tuple>

#include <imgsim/core/element.hpp>
#include <imgsim/core/macros.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/metric/euclidean.hpp>

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

}  // namespace imgsim_test
