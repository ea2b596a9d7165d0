// The CPU execution context: host threads, and nothing else.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include <imgsim/core/context.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

/// Runs operations on host threads. Copies share one pool. Usable from many threads; calls queue up for the pool.
class cpu_context {
 public:
  using space = host_space;

  /// A pool of `threads` threads, the caller's included; 0 means one per hardware thread.
  explicit cpu_context(std::size_t threads = 0) : pool_(std::make_shared<thread_pool>(threads)) {}
  /// Runs on the caller's own pool.
  explicit cpu_context(std::shared_ptr<thread_pool> pool) : pool_(std::move(pool)) {}

  [[nodiscard]] std::string name() const { return "cpu (" + std::to_string(threads()) + " threads)"; }
  [[nodiscard]] std::size_t threads() const noexcept { return pool_->size(); }
  [[nodiscard]] thread_pool& host_pool() const noexcept { return *pool_; }

  /// body(i) for each i in [0, count), see thread_pool::for_each.
  template <class Body>
  void parallel_for(std::size_t count, Body&& body) const {
    pool_->for_each(count, std::forward<Body>(body));
  }

 private:
  std::shared_ptr<thread_pool> pool_;
};

static_assert(execution_context<cpu_context>);

}  // namespace imgsim
