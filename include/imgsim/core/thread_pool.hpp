// Host threads for a context. A pool is an object that the caller owns: there is no global one.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <imgsim/core/error.hpp>

namespace imgsim {

/// Threads that are somebody else's: an adapter over OpenMP, TBB or an application's own pool is one class.
class thread_source {
 public:
  virtual ~thread_source() = default;
  /// How many threads run() works on, the calling one included; at least 1, always the same.
  [[nodiscard]] virtual std::size_t size() const noexcept = 0;
  /// Calls work(), which does not throw, on as many threads as it likes, and returns when all of these calls have. Each
  /// takes what is left of the work: one call alone does all of it. May be called from several threads at once.
  virtual void run(const std::function<void()>& work) = 0;
};

/// Runs index ranges on a fixed set of threads; the calling thread takes part. One range runs at a time: calls from
/// several threads queue up, and a call from inside a body runs there, serially. On the threads of a thread_source it
/// starts none, and it is the source that decides what calls from several threads do.
class thread_pool {
 public:
  /// `threads` in all, the caller's included; 0 means one per hardware thread.
  explicit thread_pool(std::size_t threads = 0) {
    if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
    workers_.reserve(threads - 1);
    try {
      for (std::size_t i = 1; i < threads; ++i) workers_.emplace_back(&work_of, static_cast<void*>(this));
    } catch (...) {
      stop();
      throw;
    }
  }
  /// On the threads of `source`. Throws invalid_argument where there is none.
  explicit thread_pool(std::shared_ptr<thread_source> source) : source_(std::move(source)) {
    IMGSIM_EXPECTS(source_ != nullptr, "a thread pool needs the threads of somebody");
  }
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;
  ~thread_pool() { stop(); }

  [[nodiscard]] std::size_t size() const noexcept { return source_ ? source_->size() : workers_.size() + 1; }

  /// Calls body(i) once for each i in [0, count), in no set order, and returns when all are done. The first exception
  /// is rethrown here, after the bodies under way have ended; those not yet begun are not run.
  template <class Body>
  void for_each(std::size_t count, Body&& body) {
    if (count == 0) return;
    if (count == 1 || size() == 1 || inside_) {
      for (std::size_t i = 0; i < count; ++i) body(i);
      return;
    }
    job current;
    current.count = count;
    current.body = [&body](std::size_t i) { body(i); };
    if (source_) {
      source_->run([&current] { run(current); });
      run(current);  // what is left where the source had no thread to spare
    } else {
      run_on_workers(current);
    }
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

  void run_on_workers(job& current) {
    const std::lock_guard one_at_a_time(submit_);
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
  }

  static void run(job& current) noexcept {
    const bool outer = std::exchange(inside_, true);  // a source may run this while a body of another job waits
    for (std::size_t i = 0; (i = current.next.fetch_add(1, std::memory_order_relaxed)) < current.count;) {
      try {
        current.body(i);
      } catch (...) {
        const std::lock_guard lock(current.failure_mutex);
        if (!current.failure) current.failure = std::current_exception();
        current.next.store(current.count, std::memory_order_relaxed);
      }
    }
    inside_ = outer;
  }

  /// Given to std::thread by address, since its code for a type of ours would be one for all shared libraries of a
  /// process, hidden or not, and would run the work() of the first of them.
  static void work_of(void* pool) noexcept { static_cast<thread_pool*>(pool)->work(); }

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

  std::shared_ptr<thread_source> source_;  // then there are no workers
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
