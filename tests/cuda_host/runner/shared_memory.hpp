// Shared memory of one block.
#pragma once

#include <cstddef>
#include <vector>

namespace imgsim::cuda_host {

/// Each array is an allocation of its own, so that AddressSanitizer sees both ends of it. All bytes start as 0xFF: a
/// NaN in every floating-point type, -1 in every integer, so that what was never written shows in the answer.
class shared_memory {
 public:
  explicit shared_memory(std::size_t dynamic_bytes);
  ~shared_memory();
  shared_memory(const shared_memory&) = delete;
  shared_memory& operator=(const shared_memory&) = delete;

  /// The array declared at `site`, the same for each thread of the block.
  void* array(const void* site, std::size_t bytes);
  [[nodiscard]] void* dynamic() const noexcept { return dynamic_.begin; }
  [[nodiscard]] std::size_t static_bytes() const noexcept { return static_bytes_; }
  [[nodiscard]] bool holds(const void* address) const noexcept;

 private:
  struct allocation {
    const void* site = nullptr;
    void* begin = nullptr;
    std::size_t bytes = 0;
  };
  static allocation allocate(const void* site, std::size_t bytes);

  allocation dynamic_;
  std::vector<allocation> arrays_;
  std::size_t static_bytes_ = 0;
};

}  // namespace imgsim::cuda_host
