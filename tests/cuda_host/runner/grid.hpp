// Runs every block of a launch.
#pragma once

#include "cuda_host/runner/block.hpp"

namespace imgsim::cuda_host {

/// Runs the blocks in a random order, on options().workers OS threads. No order between blocks is implied; everything
/// in the kernel happens after the call and before the return. `fibers` are those of kernels that this one comes after.
/// False where a report ended it: the other blocks are then not run to their end.
bool run_grid(const grid_launch& launch, fiber_pool& fibers);

/// Something that watches kernels, as the traffic meter does. Called by the OS thread that runs the block.
class kernel_observer {
 public:
  virtual ~kernel_observer() = default;
  virtual void kernel_begins(const grid_launch& launch) = 0;
  /// The shared memory of the block still exists.
  virtual void block_ends(const block_run& block) = 0;
  virtual void kernel_ends() = 0;
};

/// Null for none, as at the start.
void observe_kernels(kernel_observer* observer) noexcept;

}  // namespace imgsim::cuda_host
