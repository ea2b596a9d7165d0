#include "cuda_host/device/thread.hpp"

#include <cstdint>

#include "cuda_host/runner/block.hpp"

// Every function here is called by a kernel, that is, while a block runs.
namespace imgsim::cuda_host {

int join_barrier(barrier_vote vote, int predicate, const char* name, const place& where) {
  return running_block()->join_barrier(vote, predicate, name, where);
}

warp_value join_warp_operation(const warp_request& request) {
  return running_block()->join_warp_operation(request);
}

unsigned running_lane() {
  return running_block()->running_thread() % kWarpLanes;
}

void order_atomic(void* address) {
  running_block()->order_atomic(address);
}

void fence() {
  running_block()->fence();
}

void* shared_array(const void* site, std::size_t bytes, const place& where) {
  return running_block()->shared_array(site, bytes, where);
}

void* dynamic_shared_memory(const place& where) {
  block_run& block = *running_block();
  if (block.shared().dynamic() == nullptr) {
    block.fail("the kernel uses dynamic shared memory at " + where.text() + ", and the launch gives it none");
  }
  return block.shared().dynamic();
}

void check_alignment(const void* address, std::size_t bytes, const place& where) {
  if (reinterpret_cast<std::uintptr_t>(address) % bytes != 0) {
    running_block()->fail("misaligned access of " + std::to_string(bytes) + " bytes at " + where.text());
  }
}

}  // namespace imgsim::cuda_host
