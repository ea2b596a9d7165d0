// Device memory out of one block of the caller's.
#pragma once

#include <driver_types.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>

#include <imgsim/core/error.hpp>
#include <imgsim/cuda/device_memory.hpp>

namespace imgsim::cuda {

/// Hands out parts of a block of device memory, without a call of CUDA: for a bound on memory, and for graphs that must
/// find their memory where it was when they were captured. For the work of one stream: what is given back may be handed
/// out at once, because later work comes after. Not for several threads.
class workspace_memory final : public device_memory {
 public:
  /// `begin` is aligned to 256 bytes; the block must outlive the object.
  workspace_memory(void* begin, std::size_t bytes) : begin_(static_cast<std::byte*>(begin)) {
    if (bytes >= kAlignment) free_[0] = bytes / kAlignment * kAlignment;
  }

  /// Throws backend_error where no part of the block is large enough.
  [[nodiscard]] void* allocate(std::size_t bytes, cudaStream_t) override {
    const std::size_t wanted = rounded(bytes);
    const auto fits = std::ranges::find_if(free_, [&](const auto& part) { return part.second >= wanted; });
    if (fits == free_.end()) {
      std::size_t largest = 0;
      for (const auto& [offset, size] : free_) largest = std::max(largest, size);
      throw backend_error(
          "CUDA", imgsim::detail::concat("the workspace has no ", bytes, " bytes left in one piece, but ", largest,
                                         "; give the context a larger one"));
    }
    const auto [offset, size] = *fits;
    free_.erase(fits);
    if (size > wanted) free_[offset + wanted] = size - wanted;
    return begin_ + offset;
  }

  void deallocate(void* part, std::size_t bytes, cudaStream_t) noexcept override {
    auto here = free_.emplace(static_cast<std::byte*>(part) - begin_, rounded(bytes)).first;
    if (const auto next = std::next(here); next != free_.end() && here->first + here->second == next->first) {
      here->second += next->second;
      free_.erase(next);
    }
    if (here == free_.begin()) return;
    if (const auto previous = std::prev(here); previous->first + previous->second == here->first) {
      previous->second += here->second;
      free_.erase(here);
    }
  }

 private:
  static constexpr std::size_t kAlignment = 256;

  [[nodiscard]] static std::size_t rounded(std::size_t bytes) noexcept {
    return (std::max<std::size_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
  }

  std::byte* begin_;
  std::map<std::size_t, std::size_t> free_;  // offset and length of each free part, none beside another
};

}  // namespace imgsim::cuda
