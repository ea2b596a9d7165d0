// The owning twin of view.hpp for host memory.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <imgsim/core/view.hpp>

namespace imgsim {

/// One cache line, and the widest vector register in use.
inline constexpr std::size_t kAlignment = 64;

/// The product of `extents`; throws invalid_argument where it (times `element_size` bytes) does not fit in memory's
/// address range, so that a hostile shape never becomes a short allocation.
template <std::size_t Rank>
[[nodiscard]] std::size_t checked_size(const std::array<std::size_t, Rank>& extents, std::size_t element_size) {
  if (std::ranges::find(extents, std::size_t{0}) != extents.end()) return 0;
  std::size_t n = 1;
  for (const std::size_t e : extents) {
    IMGSIM_EXPECTS(n <= std::numeric_limits<std::ptrdiff_t>::max() / element_size / e,
                   "an array of this shape does not fit in memory");
    n *= e;
  }
  return n;
}

/// A dense array in C order, aligned to kAlignment, elements value-initialised (zero). Move-only: copies are written
/// out with clone().
template <class T, std::size_t Rank>
class tensor {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  using extents_type = std::array<std::size_t, Rank>;

  tensor() = default;
  explicit tensor(const extents_type& extents) : extents_(extents) {
    const std::size_t n = checked_size(extents, sizeof(T));
    data_.reset(static_cast<T*>(::operator new(std::max<std::size_t>(n, 1) * sizeof(T), std::align_val_t{kAlignment})));
    std::uninitialized_value_construct_n(data_.get(), n);
  }

  tensor(tensor&& other) noexcept : extents_(std::exchange(other.extents_, {})), data_(std::move(other.data_)) {}
  tensor& operator=(tensor&& other) noexcept {
    extents_ = std::exchange(other.extents_, {});
    data_ = std::move(other.data_);
    return *this;
  }

  [[nodiscard]] tensor clone() const {
    tensor copy(extents_);
    std::copy_n(data(), size(), copy.data());
    return copy;
  }

  [[nodiscard]] T* data() noexcept { return data_.get(); }
  [[nodiscard]] const T* data() const noexcept { return data_.get(); }
  [[nodiscard]] const extents_type& extents() const noexcept { return extents_; }
  [[nodiscard]] std::size_t extent(std::size_t d) const noexcept { return extents_[d]; }
  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t n = 1;
    for (const std::size_t e : extents_) n *= e;
    return n;
  }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

  [[nodiscard]] imgsim::view<T, Rank> view() noexcept { return {data(), extents_}; }
  [[nodiscard]] imgsim::view<const T, Rank> view() const noexcept { return {data(), extents_}; }

  template <class... Index>
  [[nodiscard]] T& operator()(Index... index) noexcept {
    return view()(index...);
  }
  template <class... Index>
  [[nodiscard]] const T& operator()(Index... index) const noexcept {
    return view()(index...);
  }

  [[nodiscard]] T* begin() noexcept { return data(); }
  [[nodiscard]] T* end() noexcept { return data() + size(); }
  [[nodiscard]] const T* begin() const noexcept { return data(); }
  [[nodiscard]] const T* end() const noexcept { return data() + size(); }

 private:
  struct aligned_delete {
    void operator()(T* p) const noexcept { ::operator delete(p, std::align_val_t{kAlignment}); }
  };

  extents_type extents_{};
  std::unique_ptr<T[], aligned_delete> data_;
};

}  // namespace imgsim
