// Threads that answer connections, made before anybody is told of the address: where a limit of the system lets none be
// made, the command says so instead of waiting for ever.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace imgsim::app {

/// A thread that does work(stop). Throws error where the system makes no more.
[[nodiscard]] std::jthread make_thread(std::function<void(const std::stop_token&)> work);

/// Work may be given from any thread.
class worker_threads {
 public:
  /// `most` of them; where the system does not make so many, half of those that it makes, since the work may need
  /// threads and memory of its own. Throws error where it makes none.
  explicit worker_threads(std::size_t most);
  worker_threads(const worker_threads&) = delete;
  worker_threads& operator=(const worker_threads&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return threads_.size(); }

  /// `work` must not throw.
  void give(std::function<void()> work);

  /// Returns when all work that was given is done.
  void end();

 private:
  void serve(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any given_;
  std::deque<std::function<void()>> work_;
  std::vector<std::jthread> threads_;  // first to go
};

}  // namespace imgsim::app
