// Many threads at once.
#pragma once

#include <atomic>
#include <barrier>
#include <cstddef>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace imgsim_test {

inline constexpr std::size_t kCrowd = 16;

/// Runs body(t) for t in [0, kCrowd) on as many threads, which begin together. What one throws fails the test; the
/// macros of Boost.Test are for one thread, so that a body throws what it finds.
template <class Body>
void run_crowd(Body&& body) {
  std::barrier together(static_cast<std::ptrdiff_t>(kCrowd));
  std::mutex mutex;
  std::vector<std::string> faults;
  {
    std::vector<std::jthread> crowd;
    for (std::size_t t = 0; t < kCrowd; ++t) {
      crowd.emplace_back([&, t] {
        together.arrive_and_wait();
        try {
          body(t);
        } catch (const std::exception& fault) {
          const std::lock_guard lock(mutex);
          faults.push_back("thread " + std::to_string(t) + ": " + fault.what());
        }
      });
    }
  }
  for (const std::string& fault : faults) BOOST_ERROR(fault);
}

/// Set when it goes, also where the body of a thread is left by an exception: those who wait for it do not wait for
/// ever.
struct set_at_end {
  std::atomic<bool>& flag;
  ~set_at_end() { flag = true; }
};

/// What a body throws.
inline void must_hold(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error("does not hold: " + what);
}

}  // namespace imgsim_test
