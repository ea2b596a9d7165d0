// One block of CUDA threads on one OS thread: a fiber a thread, run in a random order until all have ended.
//
// What the threads do to each other (barriers, warp operations) is checked as they arrive. A fault ends the block at
// once: the report names the line, and the fibers are dropped where they stand.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include <vector_types.h>

#include "cuda_host/device/thread.hpp"
#include "cuda_host/runner/fiber_pool.hpp"
#include "cuda_host/runner/place.hpp"
#include "cuda_host/runner/random_order.hpp"
#include "cuda_host/runner/shared_memory.hpp"
#include "cuda_host/runner/warp.hpp"

namespace imgsim::cuda_host {

/// What a launch says, with the kernel and its arguments behind one function.
struct grid_launch {
  dim3 grid;
  dim3 block;
  std::size_t dynamic_shared_bytes = 0;
  void (*kernel)(void* arguments) = nullptr;
  void* arguments = nullptr;
  std::string name;  // for reports
};

class block_run {
 public:
  /// Runs on the fibers that the pool has for OS thread `worker`. The pool and `order` outlive the run; `order` goes on
  /// from block to block.
  block_run(const grid_launch& launch, uint3 index, fiber_pool& fibers, unsigned worker, random_order& order);
  block_run(const block_run&) = delete;
  block_run& operator=(const block_run&) = delete;

  /// False where it was ended by a report.
  bool run();

  // For the running thread:
  int join_barrier(barrier_vote vote, int predicate, const char* name, const place& where);
  warp_value join_warp_operation(const warp_request& request);
  /// The shared array declared at `site`.
  void* shared_array(const void* site, std::size_t bytes, const place& where);
  [[nodiscard]] const shared_memory& shared() const noexcept { return shared_; }
  /// Reports and ends the block; does not return.
  [[noreturn]] void fail(const std::string& sentence);
  /// Of the running thread, x fastest.
  [[nodiscard]] unsigned running_thread() const noexcept { return running_; }
  [[nodiscard]] uint3 index() const noexcept { return index_; }
  [[nodiscard]] const grid_launch& launch() const noexcept { return launch_; }
  /// Where the running thread last joined a barrier or a warp operation.
  [[nodiscard]] place last_place() const noexcept { return threads_[running_].where; }
  /// A relaxed atomic operation orders nothing; one after a fence publishes what came before it, and a fence after one
  /// receives what others published through it. Called before the operation.
  void order_atomic(void* address) noexcept;
  void fence() noexcept;

 private:
  // ThreadSanitizer's objects of order, where they exist at all. Two take turns: a fast thread that already waits for
  // the next time must not order what it did in between before a slow thread that only now leaves this one.
  struct meeting {
    std::uint32_t mask = 0;  // of a __syncwarp
    unsigned turn = 0;
    std::array<char, 2> objects{};
    [[nodiscard]] void* object() noexcept { return &objects[turn % 2]; }
  };
  enum class thread_state : std::uint8_t { ready, at_barrier, at_warp_operation, ended };
  struct thread {
    fiber* flow = nullptr;
    uint3 index{};
    thread_state state = thread_state::ready;
    const char* operation = "";
    place where;
    warp_request request;
    warp_value answer;
    bool fenced = false;
    void* last_atomic = nullptr;
  };
  struct warp {
    std::uint32_t members = 0;  // lanes that the block has
    std::uint32_t ended = 0;
    std::uint32_t waiting = 0;     // in a warp operation
    std::deque<meeting> meetings;  // one a mask
  };

  static void thread_body(void* self);
  void run_thread(unsigned which);
  void end_thread(unsigned which);
  void wait(thread_state state);
  void make_ready(unsigned which);
  void complete_barrier();
  void check_warp_request(const warp_request& request);
  void complete_warp_operation(std::uint32_t mask);
  meeting& meeting_of(std::uint32_t mask);
  [[nodiscard]] thread& lane(unsigned lane_index) { return threads_[running_ / kWarpLanes * kWarpLanes + lane_index]; }
  [[nodiscard]] std::string where_threads_are() const;
  [[nodiscard]] std::string running_thread_text() const;

  const grid_launch& launch_;
  uint3 index_;
  fiber_pool& fibers_;
  random_order& order_;
  shared_memory shared_;
  std::vector<thread> threads_;
  std::vector<unsigned> ready_;
  unsigned running_ = 0;
  unsigned ended_ = 0;
  bool failed_ = false;

  unsigned at_barrier_ = 0;
  unsigned first_at_barrier_ = 0;
  barrier_vote vote_ = barrier_vote::none;
  int votes_ = 0;
  int vote_result_ = 0;
  meeting barrier_;
  std::vector<warp> warps_;
};

/// The block that this OS thread is running, or null outside kernels.
block_run* running_block() noexcept;

}  // namespace imgsim::cuda_host
