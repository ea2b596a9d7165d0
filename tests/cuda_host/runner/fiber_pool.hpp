// Fibers for the threads of blocks, kept from block to block and from kernel to kernel.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "cuda_host/runner/fiber.hpp"
#include "cuda_host/runner/random_order.hpp"

namespace imgsim::cuda_host {

/// The fibers of kernels that come after one another, that is, of one stream. ThreadSanitizer needs most of a
/// millisecond to make a fiber, and orders all that one fiber ever does: two blocks that run on the same fibers would
/// seem to be in order. So each block takes one of several sets by chance. A race between two particular blocks then
/// stays unseen in one launch of kSets, and no race that many blocks have.
class fiber_pool {
 public:
  using set = std::vector<std::unique_ptr<fiber>>;

  /// At least `threads` idle fibers for the next block that OS thread `worker` runs.
  set& take(unsigned worker, std::size_t threads, random_order& order);

  /// Makes room for the sets of that many OS threads.
  void prepare(unsigned workers);

  /// Objects of order between the threads of a kernel and the stream that runs it: released before the first and
  /// acquired after the last of them. Of this stream alone, or kernels of different streams would seem to be in order.
  [[nodiscard]] void* kernel_begins() noexcept { return &begins_; }
  [[nodiscard]] void* kernel_ends() noexcept { return &ends_; }

 private:
  static set& fill(set& fibers, std::size_t threads);

  static constexpr std::size_t kSets = 4;
  std::vector<std::vector<set>> sets_;  // [worker][set]
  char begins_ = 0;
  char ends_ = 0;
};

}  // namespace imgsim::cuda_host
