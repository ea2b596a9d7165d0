#include "cuda_host/runner/block.hpp"

#include <bit>
#include <exception>
#include <map>

#include "cuda_host/device/indices.hpp"
#include "cuda_host/runner/report.hpp"

constinit thread_local uint3 threadIdx{};
constinit thread_local uint3 blockIdx{};
constinit thread_local dim3 blockDim{};
constinit thread_local dim3 gridDim{};

namespace imgsim::cuda_host {
namespace {

constinit thread_local block_run* block_of_this_thread = nullptr;

// What ptxas allows without opting in (CUDA C++ Programming Guide, Compute Capabilities, "Technical Specifications").
constexpr std::size_t kStaticSharedLimit = 48 << 10;

std::string text_of(uint3 index) {
  return "(" + std::to_string(index.x) + ", " + std::to_string(index.y) + ", " + std::to_string(index.z) + ")";
}

}  // namespace

block_run* running_block() noexcept {
  return block_of_this_thread;
}

block_run::block_run(const grid_launch& launch, uint3 index, fiber_pool& fibers, unsigned worker, random_order& order)
    : launch_(launch),
      index_(index),
      fibers_(fibers),
      order_(order),
      shared_(launch.dynamic_shared_bytes),
      threads_(std::size_t{launch.block.x} * launch.block.y * launch.block.z),
      warps_((threads_.size() + kWarpLanes - 1) / kWarpLanes) {
  fiber_pool::set& idle = fibers.take(worker, threads_.size(), order);
  ready_.reserve(threads_.size());
  for (unsigned which = 0; which < threads_.size(); ++which) {
    threads_[which].index = {which % launch.block.x, which / launch.block.x % launch.block.y,
                             which / launch.block.x / launch.block.y};
    threads_[which].flow = idle[which].get();
    threads_[which].flow->start(&thread_body, this);
    ready_.push_back(which);
    warps_[which / kWarpLanes].members |= 1u << (which % kWarpLanes);
  }
}

bool block_run::run() {
  const unwatched bookkeeping;
  block_of_this_thread = this;
  blockIdx = index_;
  blockDim = launch_.block;
  gridDim = launch_.grid;
  while (!failed_ && ended_ < threads_.size()) {
    if (ready_.empty()) {
      add_report(launch_.name + " block " + text_of(index_) + ": no thread can go on: " + where_threads_are());
      failed_ = true;
      break;
    }
    const std::size_t pick = order_.below(ready_.size());
    const unsigned which = ready_[pick];
    ready_[pick] = ready_.back();
    ready_.pop_back();
    run_thread(which);
  }
  block_of_this_thread = nullptr;
  return !failed_;
}

void block_run::run_thread(unsigned which) {
  thread& next = threads_[which];
  running_ = which;
  threadIdx = next.index;
  next.flow->resume();
  if (next.flow->idle() && !failed_) end_thread(which);
}

void block_run::thread_body(void* self) {
  auto& block = *static_cast<block_run*>(self);
  acquire_order(block.fibers_.kernel_begins());
  try {
    block.launch_.kernel(block.launch_.arguments);
  } catch (const std::exception& fault) {
    block.fail(std::string("an exception left the kernel: ") + fault.what());
  }
  release_order(block.fibers_.kernel_ends());
}

void block_run::end_thread(unsigned which) {
  threads_[which].state = thread_state::ended;
  ++ended_;
  const unsigned self = which % kWarpLanes;
  warp& mine = warps_[which / kWarpLanes];
  mine.ended |= 1u << self;
  each_lane(mine.waiting, [&](unsigned other) {
    const thread& waiting = lane(other);
    if ((waiting.request.mask >> self & 1u) == 0 || failed_) return;
    add_report(running_thread_text() + ": exited, but " + waiting.operation + " at " + waiting.where.text() +
               " names its lane " + std::to_string(self) + " in the mask");
    failed_ = true;
  });
  if (at_barrier_ > 0 && at_barrier_ + ended_ == threads_.size()) complete_barrier();
}

void block_run::wait(thread_state state) {
  thread& self = threads_[running_];
  self.state = state;
  self.flow->suspend();
}

void block_run::make_ready(unsigned which) {
  threads_[which].state = thread_state::ready;
  if (which != running_) ready_.push_back(which);  // the running thread just goes on
}

int block_run::join_barrier(barrier_vote vote, int predicate, const char* name, const place& where) {
  thread& self = threads_[running_];
  self.operation = name;
  self.where = where;
  if (at_barrier_ == 0) {
    first_at_barrier_ = running_;
    votes_ = 0;
  } else if (const thread& first = threads_[first_at_barrier_]; !(first.where == where)) {
    fail("divergent barrier: " + std::string(name) + " at " + where.text() + ", while thread " + text_of(first.index) +
         " waits in " + first.operation + " at " + first.where.text());
  }
  votes_ += predicate != 0 ? 1 : 0;
  vote_ = vote;
  ++at_barrier_;
  void* const order = barrier_.object();
  release_order(order);
  if (at_barrier_ + ended_ == threads_.size()) {
    complete_barrier();
  } else {
    wait(thread_state::at_barrier);
  }
  acquire_order(order);
  return vote_result_;
}

void block_run::complete_barrier() {
  const int voters = static_cast<int>(at_barrier_);
  switch (vote_) {
    case barrier_vote::none:
    case barrier_vote::count:
      vote_result_ = votes_;
      break;
    case barrier_vote::all:
      vote_result_ = votes_ == voters ? 1 : 0;
      break;
    case barrier_vote::any:
      vote_result_ = votes_ > 0 ? 1 : 0;
      break;
  }
  at_barrier_ = 0;
  ++barrier_.turn;
  for (unsigned which = 0; which < threads_.size(); ++which) {
    if (threads_[which].state == thread_state::at_barrier) make_ready(which);
  }
}

warp_value block_run::join_warp_operation(const warp_request& request) {
  thread& self = threads_[running_];
  self.operation = request.name;
  self.where = request.where;
  self.request = request;
  check_warp_request(request);
  // Only __syncwarp orders memory: "these intrinsics do not imply a memory barrier" (Programming Guide, Warp Shuffle
  // Functions, Warp Vote Functions).
  void* const order =
      kWatchesOrder && request.operation == warp_operation::synchronize ? meeting_of(request.mask).object() : nullptr;
  if (order != nullptr) release_order(order);
  warp& mine = warps_[running_ / kWarpLanes];
  mine.waiting |= 1u << (running_ % kWarpLanes);
  if ((mine.waiting & request.mask) == request.mask) {
    complete_warp_operation(request.mask);
  } else {
    wait(thread_state::at_warp_operation);
  }
  if (order != nullptr) acquire_order(order);
  return self.answer;
}

void block_run::check_warp_request(const warp_request& request) {
  const auto complain = [&](const std::string& what) {
    fail(std::string(request.name) + " at " + request.where.text() + ": " + what);
  };
  const auto first_of = [](std::uint32_t lanes) { return static_cast<unsigned>(std::countr_zero(lanes)); };
  const unsigned self = running_ % kWarpLanes;
  const warp& mine = warps_[running_ / kWarpLanes];
  if ((request.mask >> self & 1u) == 0) complain("the calling lane " + std::to_string(self) + " is not in the mask");
  if (request.operation == warp_operation::shuffle && (request.mask >> request.source_lane & 1u) == 0) {
    complain("reads lane " + std::to_string(request.source_lane) + ", which is not in the mask");
  }
  if (const std::uint32_t missing = request.mask & ~mine.members; missing != 0) {
    complain("the mask names lane " + std::to_string(first_of(missing)) + ", which the block does not have");
  }
  if (const std::uint32_t gone = request.mask & mine.ended; gone != 0) {
    complain("the mask names lane " + std::to_string(first_of(gone)) + ", which has exited");
  }
  const auto check_same = [&](unsigned other) {
    const thread& peer = lane(other);
    if (peer.request.mask != request.mask || peer.request.operation != request.operation ||
        !(peer.where == request.where)) {
      complain("lane " + std::to_string(other) + " is in another operation, " + peer.operation + " at " +
               peer.where.text());
    }
  };
  // Lanes of this mask that already wait agree with each other, or the later of them would have complained.
  if (const std::uint32_t peers = mine.waiting & request.mask; peers != 0) check_same(first_of(peers));
  each_lane(mine.waiting & ~request.mask, [&](unsigned other) {
    if ((lane(other).request.mask >> self & 1u) != 0) check_same(other);
  });
}

void block_run::complete_warp_operation(std::uint32_t mask) {
  std::array<const warp_request*, kWarpLanes> requests{};
  std::array<warp_value*, kWarpLanes> answers{};
  each_lane(mask, [&](unsigned lane_index) {
    requests[lane_index] = &lane(lane_index).request;
    answers[lane_index] = &lane(lane_index).answer;
  });
  answer_warp_operation(mask, requests, answers);
  if (kWatchesOrder && lane(running_ % kWarpLanes).request.operation == warp_operation::synchronize) {
    ++meeting_of(mask).turn;
  }
  warps_[running_ / kWarpLanes].waiting &= ~mask;
  const unsigned first = running_ / kWarpLanes * kWarpLanes;
  each_lane(mask, [&](unsigned lane_index) { make_ready(first + lane_index); });
}

block_run::meeting& block_run::meeting_of(std::uint32_t mask) {
  std::deque<meeting>& meetings = warps_[running_ / kWarpLanes].meetings;
  for (meeting& known : meetings) {
    if (known.mask == mask) return known;
  }
  const unwatched bookkeeping;
  return meetings.emplace_back(meeting{mask});
}

void* block_run::shared_array(const void* site, std::size_t bytes, const place& where) {
  void* const array = shared_.array(site, bytes);
  if (shared_.static_bytes() > kStaticSharedLimit) {
    fail("the array at " + where.text() + " brings static shared memory to " + std::to_string(shared_.static_bytes()) +
         " bytes, more than 48 KiB");
  }
  return array;
}

void block_run::order_atomic(void* address) noexcept {
  thread& self = threads_[running_];
  if (self.fenced) release_order(address);
  self.last_atomic = address;
}

void block_run::fence() noexcept {
  thread& self = threads_[running_];
  self.fenced = true;
  if (self.last_atomic != nullptr) acquire_order(self.last_atomic);
}

void block_run::fail(const std::string& sentence) {
  {
    const unwatched bookkeeping;
    add_report(running_thread_text() + ": " + sentence);
  }
  failed_ = true;
  for (;;) threads_[running_].flow->suspend();  // dropped by run()
}

std::string block_run::running_thread_text() const {
  return launch_.name + " block " + text_of(index_) + " thread " + text_of(threads_[running_].index);
}

std::string block_run::where_threads_are() const {
  std::map<std::string, unsigned> places;
  for (const thread& each : threads_) {
    ++places[each.state == thread_state::ended ? "exited"
                                               : "in " + std::string(each.operation) + " at " + each.where.text()];
  }
  std::string text;
  for (const auto& [where, count] : places) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " threads " + where;
  }
  return text;
}

}  // namespace imgsim::cuda_host
