#include "cuda_host/runner/grid.hpp"

#include <atomic>
#include <thread>
#include <utility>

#include "cuda_host/runner/options.hpp"
#include "cuda_host/runner/watchdog.hpp"

namespace imgsim::cuda_host {
namespace {

kernel_observer* current_observer = nullptr;
std::uint64_t launches = 0;

/// Where the w-th worker begins its random numbers: another order in each launch, the same in each run of the program.
std::uint64_t seed_of(std::uint64_t launch, unsigned worker) {
  return (options().seed << 40) ^ (launch << 8) ^ worker;
}

std::vector<std::uint64_t> shuffled_blocks(const grid_launch& launch) {
  std::vector<std::uint64_t> blocks(std::uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z);
  random_order order(seed_of(launches, 0xFF));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::size_t earlier = order.below(i + 1);
    blocks[i] = blocks[earlier];
    blocks[earlier] = i;
  }
  return blocks;
}

}  // namespace

void observe_kernels(kernel_observer* observer) noexcept {
  current_observer = observer;
}

bool run_grid(const grid_launch& launch, fiber_pool& fibers) {
  const unwatched bookkeeping;
  ++launches;
  const std::vector<std::uint64_t> blocks = shuffled_blocks(launch);
  if (current_observer != nullptr) current_observer->kernel_begins(launch);
  const watchdog hang(launch.name, options().watchdog_seconds);

  release_order(fibers.kernel_begins());
  fibers.prepare(options().workers);
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  const auto work = [&](unsigned worker) {
    const unwatched bookkeeping_of_worker;
    random_order order(seed_of(launches, worker));
    for (std::size_t i = next++; i < blocks.size() && !failed; i = next++) {
      const std::uint64_t id = blocks[i];
      const uint3 index{static_cast<unsigned>(id % launch.grid.x),
                        static_cast<unsigned>(id / launch.grid.x % launch.grid.y),
                        static_cast<unsigned>(id / launch.grid.x / launch.grid.y)};
      block_run block(launch, index, fibers, worker, order);
      if (!block.run()) failed = true;
      if (current_observer != nullptr) current_observer->block_ends(block);
    }
  };
  std::vector<std::thread> workers;
  for (unsigned worker = 1; worker < options().workers; ++worker) workers.emplace_back(work, worker);
  work(0);
  for (std::thread& worker : workers) worker.join();

  acquire_order(fibers.kernel_ends());
  if (current_observer != nullptr) current_observer->kernel_ends();
  return !failed;
}

}  // namespace imgsim::cuda_host
