// Views over arrays that somebody else describes: std::mdspan, cuda::std::mdspan, Kokkos::View, and whatever else says
// its extents, its strides and where it begins. None of them is included here.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

namespace detail {

/// mdspan's word for it, and Kokkos's.
template <class Array>
[[nodiscard]] constexpr auto data_of(const Array& array) {
  if constexpr (requires { array.data_handle(); }) {
    return array.data_handle();
  } else {
    return array.data();
  }
}

template <class Array>
using element_in = std::remove_pointer_t<decltype(data_of(std::declval<const Array&>()))>;

/// Whether elements are what lies in memory: not where an accessor scales or conjugates them on the way.
template <class Array>
inline constexpr bool shows_memory = [] {
  if constexpr (requires { typename Array::reference; })
    return std::is_same_v<typename Array::reference, element_in<Array>&>;
  else if constexpr (requires { typename Array::reference_type; })
    return std::is_same_v<typename Array::reference_type, element_in<Array>&>;
  else
    return true;
}();

}  // namespace detail

/// An array that is described as std::mdspan describes it: `rank()`, `extent(d)`, `stride(d)`, and `data_handle()` or
/// `data()`, which is a plain pointer to the elements. Arrays whose accessor makes other values of what lies in memory
/// (std::linalg::scaled, conjugated) are none.
template <class A>
concept mdspan_like = requires(const A& array) {
  { array.extent(std::size_t{0}) } -> std::convertible_to<std::size_t>;
  { array.stride(std::size_t{0}) } -> std::convertible_to<std::size_t>;
  { A::rank() } -> std::convertible_to<std::size_t>;
  requires std::is_pointer_v<decltype(detail::data_of(array))>;
  requires detail::shows_memory<A>;
};

/// An array told by a pointer and strides in elements, any of them: what view_of() sees and copy_of() copies, for those
/// who have no mdspan. Fields [B, C, H, W] read as [B, H, W, C]:
///
///   const auto fields = copy_of(strided_array<const float, 4>{data, {b, h, w, c}, {c * h * w, w, 1, h * w}});
template <class T, std::size_t Rank>
struct strided_array {
  T* begin = nullptr;
  std::array<std::size_t, Rank> extents{};
  std::array<std::size_t, Rank> strides{};

  [[nodiscard]] static constexpr std::size_t rank() noexcept { return Rank; }
  [[nodiscard]] constexpr std::size_t extent(std::size_t d) const noexcept { return extents[d]; }
  [[nodiscard]] constexpr std::size_t stride(std::size_t d) const noexcept { return strides[d]; }
  [[nodiscard]] constexpr T* data_handle() const noexcept { return begin; }
};

static_assert(mdspan_like<strided_array<float, 2>>);

namespace detail {

/// The shape and the strides of `array`, in elements. Along a dimension of one element or none no stride is walked.
template <mdspan_like Array>
struct strided_shape {
  static constexpr std::size_t kRank = Array::rank();
  std::array<std::size_t, kRank> extents{};
  std::array<std::size_t, kRank> strides{};

  explicit constexpr strided_shape(const Array& array) {
    for (std::size_t d = 0; d < kRank; ++d) {
      extents[d] = static_cast<std::size_t>(array.extent(d));
      strides[d] = static_cast<std::size_t>(array.stride(d));
    }
  }
  [[nodiscard]] constexpr bool has_contiguous_rows() const noexcept {
    return extents[kRank - 1] <= 1 || strides[kRank - 1] == 1;
  }
};

}  // namespace detail

/// The same elements as a view; nothing is copied. The memory space is the caller's to say, since most such types do
/// not: view_of<device_space>(array). Throws invalid_argument where elements of a row do not lie side by side, as in
/// Fortran order: copy_of() makes rows of them, or the transposed array has them.
template <class Space = host_space, mdspan_like Array>
  requires(Array::rank() >= 1)
[[nodiscard]] constexpr auto view_of(const Array& array) {
  detail::strided_shape<Array> shape(array);
  IMGSIM_EXPECTS(shape.has_contiguous_rows(), "a view needs rows whose elements lie side by side, these are ",
                 shape.strides[Array::rank() - 1], " elements apart; copy_of() copies them");
  shape.strides[Array::rank() - 1] = 1;
  return view<detail::element_in<Array>, Array::rank(), Space>(detail::data_of(array), shape.extents, shape.strides);
}

/// A copy of an array on the host, whatever its strides, in C order.
template <mdspan_like Array>
  requires(Array::rank() >= 1)
[[nodiscard]] auto copy_of(const Array& array) {
  const detail::strided_shape<Array> shape(array);
  constexpr std::size_t kRank = Array::rank();
  tensor<std::remove_const_t<detail::element_in<Array>>, kRank> copy(shape.extents);
  const auto* data = detail::data_of(array);
  std::array<std::size_t, kRank> at{};
  for (auto& element : copy) {
    std::size_t offset = 0;
    for (std::size_t d = 0; d < kRank; ++d) offset += at[d] * shape.strides[d];
    element = data[offset];
    for (std::size_t d = kRank; d-- > 0 && ++at[d] == shape.extents[d];) at[d] = 0;
  }
  return copy;
}

}  // namespace imgsim
