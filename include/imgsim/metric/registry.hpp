// The metrics that can be chosen by name. Adding one: a file beside this one, its #include, and its name in
// registered_metrics; the command, the tests and the benchmarks read this list.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <imgsim/core/error.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/metric/euclidean.hpp>

namespace imgsim {

using registered_metrics = std::tuple<cosine, euclidean>;

/// The names, in the order of registered_metrics; the first is the default of the command.
inline constexpr auto metric_names = []<class... Metric>(std::type_identity<std::tuple<Metric...>>) {
  return std::array{Metric::name...};
}(std::type_identity<registered_metrics>{});

namespace detail {

template <std::size_t Index, class Visitor>
decltype(auto) visit_metric_from(std::string_view name, Visitor&& visitor) {
  if constexpr (Index + 1 < std::tuple_size_v<registered_metrics>) {
    if (name != metric_names[Index]) return visit_metric_from<Index + 1>(name, std::forward<Visitor>(visitor));
  } else if (name != metric_names[Index]) {
    std::string known;
    for (const std::string_view each : metric_names) known += (known.empty() ? "" : ", ") + std::string(each);
    throw invalid_argument("there is no metric '" + std::string(name) + "'; there are: " + known);
  }
  return std::forward<Visitor>(visitor)(std::tuple_element_t<Index, registered_metrics>{});
}

}  // namespace detail

/// Calls visitor(Metric{}) with the metric called `name` and returns what it returns: the one place where a name
/// becomes a type. Throws invalid_argument, listing the known names, where there is none.
template <class Visitor>
decltype(auto) visit_metric(std::string_view name, Visitor&& visitor) {
  return detail::visit_metric_from<0>(name, std::forward<Visitor>(visitor));
}

}  // namespace imgsim
