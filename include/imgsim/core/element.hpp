// The types that the elements of an embedding may have. Adding one: a file beside bfloat16.hpp, a line in
// real_element and in element_name; a backend adds how it loads it (cpu/search/element_load.hpp).
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>

#include <imgsim/core/bfloat16.hpp>
#include <imgsim/core/float16.hpp>
#include <imgsim/core/macros.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

/// Real numbers that float holds exactly.
template <class T>
concept real_element = std::same_as<T, float> || std::same_as<T, bfloat16> || std::same_as<T, float16>;

/// As NumPy and the field call it.
template <real_element T>
inline constexpr std::string_view element_name =
    std::same_as<T, float> ? "float32" : (std::same_as<T, bfloat16> ? "bfloat16" : "float16");

/// Exact.
template <real_element T>
[[nodiscard]] IMGSIM_HOST_DEVICE constexpr double to_double(const T& value) noexcept {
  return static_cast<double>(static_cast<float>(value));
}

/// A matrix of elements in some memory space: view<T, 2, Space> or view<const T, 2, Space>.
template <class V>
concept element_matrix =
    real_element<typename V::value_type> && (std::same_as<V, view<typename V::value_type, 2, typename V::space>> ||
                                             std::same_as<V, view<const typename V::value_type, 2, typename V::space>>);

/// The element type of an element_matrix, and the view through which it is read.
template <element_matrix V>
using element_of = typename V::value_type;
template <element_matrix V>
using read_only_view = view<const typename V::value_type, 2, typename V::space>;

}  // namespace imgsim
