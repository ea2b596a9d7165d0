// Host threads for a context. A pool is an object that the caller owns: there is no global one.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace imgsim {

/// Runs index ranges on a fixed set of threads; the calling thread takes part. One range runs at a time: calls from
/// several threads queue up, and a call from inside a body runs there, serially.
class thread_pool {
 public:
  /// `threads` in all, the caller's included; 0 means one per hardware thread.
  explicit thread_pool(std::size_t threads = 0) {
    if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
    workers_.reserve(threads - 1);
    try {
      for (std::size_t i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
    } catch (...) {
      stop();
      throw;
    }
  }
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;
  ~thread_pool() { stop(); }

  [[nodiscard]] std::size_t size() const noexcept { return workers_.size() + 1; }

  /// Calls body(i) once for each i in [0, count), in no set order, and returns when all are done. The first exception
  /// is rethrown here, after the bodies under way have ended; those not yet begun are not run.
  template <class Body>
  void for_each(std::size_t count, Body&& body) {
    if (count == 0) return;
    if (count == 1 || workers_.empty() || inside_) {
      for (std::size_t i = 0; i < count; ++i) body(i);
      return;
    }
    const std::lock_guard one_at_a_time(submit_);
    job current;
    current.count = count;
    current.body = [&body](std::size_t i) { body(i); };
    {
      const std::lock_guard lock(mutex_);
      job_ = &current;
      ++generation_;
    }
    wake_.notify_all();
    run(current);
    std::unique_lock lock(mutex_);
    job_ = nullptr;
    idle_.wait(lock, [this] { return active_ == 0; });
    if (current.failure) std::rethrow_exception(current.failure);
  }

 private:
  struct job {
    std::size_t count = 0;
    std::function<void(std::size_t)> body;
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex failure_mutex;
  };

  static void run(job& current) noexcept {
    inside_ = true;
    for (std::size_t i = 0; (i = current.next.fetch_add(1, std::memory_order_relaxed)) < current.count;) {
      try {
        current.body(i);
      } catch (...) {
        const std::lock_guard lock(current.failure_mutex);
        if (!current.failure) current.failure = std::current_exception();
        current.next.store(current.count, std::memory_order_relaxed);
      }
    }
    inside_ = false;
  }

  void work() noexcept {
    std::size_t seen = 0;
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return stopping_ || (job_ != nullptr && generation_ != seen); });
      if (stopping_) return;
      seen = generation_;
      job& current = *job_;
      ++active_;
      lock.unlock();
      run(current);
      lock.lock();
      if (--active_ == 0) idle_.notify_all();
    }
  }

  void stop() noexcept {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  static inline thread_local bool inside_ = false;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

  std::vector<std::thread> workers_;
  std::mutex submit_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  job* job_ = nullptr;
  std::size_t generation_ = 0;
  std::size_t active_ = 0;
  bool stopping_ = false;
};

}  // namespace imgsim
