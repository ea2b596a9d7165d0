// Non-owning views over arrays: element type, rank and memory space are in the type, so that handing device
// memory to a host function does not compile. Rows are contiguous; outer dimensions may be strided.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include <imgsim/core/error.hpp>

namespace imgsim {

/// Memory that the CPU can read.
struct host_space {};
/// Memory of an accelerator.
struct device_space {};

/// A rectangular array of `Rank` dimensions in C order, innermost dimension contiguous. Copying it copies the
/// reference, as with std::span; constness of elements is in `T`.
template <class T, std::size_t Rank, class Space = host_space>
class view {
  static_assert(Rank >= 1);

 public:
  using element_type = T;
  using value_type = std::remove_cv_t<T>;
  using space = Space;
  using extents_type = std::array<std::size_t, Rank>;
  static constexpr std::size_t rank = Rank;

  constexpr view() noexcept = default;

  /// A dense array of shape `extents` that begins at `data`.
  constexpr view(T* data, const extents_type& extents) noexcept : data_(data), extents_(extents) {
    std::size_t stride = 1;
    for (std::size_t d = Rank; d-- > 0;) {
      strides_[d] = stride;
      stride *= extents_[d];
    }
  }

  /// A strided array; `strides` in elements, the last must be 1.
  constexpr view(T* data, const extents_type& extents, const extents_type& strides)
      : data_(data), extents_(extents), strides_(strides) {
    IMGSIM_EXPECTS(strides[Rank - 1] == 1, "the innermost stride of a view must be 1, not ", strides[Rank - 1]);
  }

  /// view<T> converts to view<const T>.
  template <class U>
    requires(std::is_same_v<const U, T> && !std::is_same_v<U, T>)
  constexpr view(const view<U, Rank, Space>& other) noexcept
      : data_(other.data()), extents_(other.extents()), strides_(other.strides()) {}

  [[nodiscard]] constexpr T* data() const noexcept { return data_; }
  [[nodiscard]] constexpr const extents_type& extents() const noexcept { return extents_; }
  [[nodiscard]] constexpr const extents_type& strides() const noexcept { return strides_; }
  [[nodiscard]] constexpr std::size_t extent(std::size_t d) const noexcept { return extents_[d]; }
  [[nodiscard]] constexpr std::size_t stride(std::size_t d) const noexcept { return strides_[d]; }
  [[nodiscard]] constexpr std::size_t size() const noexcept {
    std::size_t n = 1;
    for (const std::size_t e : extents_) n *= e;
    return n;
  }
  [[nodiscard]] constexpr bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] constexpr bool is_contiguous() const noexcept {
    std::size_t expected = 1;
    for (std::size_t d = Rank; d-- > 0;) {
      if (extents_[d] > 1 && strides_[d] != expected) return false;
      expected *= extents_[d];
    }
    return true;
  }

  /// Element access; host memory only. Indices are not checked.
  template <class... Index>
    requires(sizeof...(Index) == Rank && std::is_same_v<Space, host_space>)
  [[nodiscard]] constexpr T& operator()(Index... index) const noexcept {
    const std::array<std::size_t, Rank> at{static_cast<std::size_t>(index)...};
    std::size_t offset = 0;
    for (std::size_t d = 0; d < Rank; ++d) offset += at[d] * strides_[d];
    return data_[offset];
  }

  /// First element of row i of a matrix.
  [[nodiscard]] constexpr T* row(std::size_t i) const noexcept
    requires(Rank == 2)
  {
    return data_ + i * strides_[0];
  }

  /// Items [begin, begin + count) of the outermost dimension.
  [[nodiscard]] constexpr view slice(std::size_t begin, std::size_t count) const noexcept {
    view part = *this;
    part.data_ = data_ + begin * strides_[0];
    part.extents_[0] = count;
    return part;
  }

 private:
  T* data_ = nullptr;
  extents_type extents_{};
  extents_type strides_{};
};

template <class T, class Space = host_space>
using matrix_view = view<T, 2, Space>;

/// Whether two views show the same elements, so that work on one may stand for work on the other.
template <class T, std::size_t Rank, class Space>
[[nodiscard]] constexpr bool is_same_view(const view<T, Rank, Space>& a, const view<T, Rank, Space>& b) noexcept {
  return a.data() == b.data() && a.extents() == b.extents() && a.strides() == b.strides();
}

/// "[3, 4]", for messages.
template <class T, std::size_t Rank, class Space>
[[nodiscard]] std::string shape_text(const view<T, Rank, Space>& v) {
  std::string text = "[";
  for (std::size_t d = 0; d < Rank; ++d) text += (d ? ", " : "") + std::to_string(v.extent(d));
  return text + "]";
}

}  // namespace imgsim
