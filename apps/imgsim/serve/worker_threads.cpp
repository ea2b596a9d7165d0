#include "serve/worker_threads.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <imgsim/core/error.hpp>

namespace imgsim::app {

std::jthread make_thread(std::function<void(const std::stop_token&)> work) {
  try {
    return std::jthread([work = std::move(work)](const std::stop_token& stop) { work(stop); });
  } catch (const std::system_error&) {
    throw error("the system makes no more threads for this command; see ulimit -u and ulimit -v");
  }
}

worker_threads::worker_threads(std::size_t most) {
  threads_.reserve(most);
  try {
    while (threads_.size() < most)
      threads_.push_back(make_thread([this](const std::stop_token& stop) { serve(stop); }));
  } catch (const error&) {
    if (threads_.empty()) throw;
    threads_.resize(std::max<std::size_t>(threads_.size() / 2, 1));
  }
}

void worker_threads::give(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  work_.push_back(std::move(work));
  given_.notify_one();
}

void worker_threads::end() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();
}

void worker_threads::serve(const std::stop_token& stop) {
  for (;;) {
    std::unique_lock lock(mutex_);
    given_.wait(lock, stop, [this] { return !work_.empty(); });
    if (work_.empty()) return;
    const std::function<void()> work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work();
  }
}

}  // namespace imgsim::app
