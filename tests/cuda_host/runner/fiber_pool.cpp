#include "cuda_host/runner/fiber_pool.hpp"

#include "cuda_host/runner/options.hpp"

namespace imgsim::cuda_host {

void fiber_pool::prepare(unsigned workers) {
  if (sets_.size() < workers) sets_.resize(workers);
}

fiber_pool::set& fiber_pool::take(unsigned worker, std::size_t threads, random_order& order) {
  std::vector<set>& sets = sets_[worker];
  if (kWatchesOrder && sets.size() < kSets) return fill(sets.emplace_back(), threads);
  if (sets.empty()) sets.emplace_back();
  return fill(sets[order.below(sets.size())], threads);
}

fiber_pool::set& fiber_pool::fill(set& fibers, std::size_t threads) {
  // One whose body never returned belonged to a block that a report ended.
  for (std::unique_ptr<fiber>& each : fibers) {
    if (!each->idle()) each = std::make_unique<fiber>(options().stack_bytes);
  }
  while (fibers.size() < threads) fibers.push_back(std::make_unique<fiber>(options().stack_bytes));
  return fibers;
}

}  // namespace imgsim::cuda_host
