// Memory that nobody has written to yet.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

#include <imgsim/core/tensor.hpp>

namespace imgsim::cpu {

/// `size` elements, not initialised, aligned to kAlignment: where every element is about to be written, and where the
/// threads that write should be the first to touch the pages.
template <class T>
class untouched_array {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  untouched_array() = default;
  explicit untouched_array(std::size_t size)
      : data_(static_cast<T*>(
            ::operator new(std::max<std::size_t>(checked_size(std::array{size}, sizeof(T)), 1) * sizeof(T),
                           std::align_val_t{kAlignment}))) {}

  [[nodiscard]] T* data() noexcept { return data_.get(); }
  [[nodiscard]] const T* data() const noexcept { return data_.get(); }

 private:
  struct aligned_delete {
    void operator()(T* p) const noexcept { ::operator delete(p, std::align_val_t{kAlignment}); }
  };

  std::unique_ptr<T[], aligned_delete> data_;
};

}  // namespace imgsim::cpu
