#include <imgsim/core/thread_pool.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace {

/// A host's own threads: `threads - 1` new ones for each run, fewer calls where `idle`.
class host_threads final : public imgsim::thread_source {
 public:
  explicit host_threads(std::size_t threads, bool idle = false) : threads_(threads), idle_(idle) {}
  [[nodiscard]] std::size_t size() const noexcept override { return threads_; }
  void run(const std::function<void()>& work) override {
    ++runs;
    std::vector<std::thread> workers;
    for (std::size_t i = idle_ ? threads_ : 1; i < threads_; ++i) workers.emplace_back(work);
    for (std::thread& worker : workers) worker.join();
  }

  std::atomic<int> runs = 0;

 private:
  std::size_t threads_;
  bool idle_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(thread_pool)

BOOST_AUTO_TEST_CASE(every_index_runs_once) {
  for (const std::size_t threads : {1, 2, 5}) {
    imgsim::thread_pool pool(threads);
    BOOST_TEST(pool.size() == threads);
    for (const std::size_t count : {0, 1, 2, 1000}) {
      std::vector<std::atomic<int>> hits(count);
      pool.for_each(count, [&](std::size_t i) { ++hits[i]; });
      for (const auto& hit : hits) BOOST_TEST(hit == 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_first_exception_reaches_the_caller_and_the_pool_stays_usable) {
  imgsim::thread_pool pool(3);
  const auto fails = [](std::size_t i) {
    if (i == 17) throw std::runtime_error("item 17");
  };
  BOOST_CHECK_EXCEPTION(pool.for_each(100, fails), std::runtime_error,
                        [](const auto& e) { return std::string(e.what()) == "item 17"; });
  std::atomic<int> done = 0;
  pool.for_each(50, [&](std::size_t) { ++done; });
  BOOST_TEST(done == 50);
}

BOOST_AUTO_TEST_CASE(a_nested_call_runs_where_it_is) {
  imgsim::thread_pool pool(2);
  std::atomic<int> done = 0;
  pool.for_each(8, [&](std::size_t) { pool.for_each(8, [&](std::size_t) { ++done; }); });
  BOOST_TEST(done == 64);
}

BOOST_AUTO_TEST_CASE(calls_from_several_threads_queue_up) {
  imgsim::thread_pool pool(2);
  std::atomic<int> done = 0;
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int r = 0; r < 50; ++r) pool.for_each(10, [&](std::size_t) { ++done; });
    });
  for (auto& caller : callers) caller.join();
  BOOST_TEST(done == 4 * 50 * 10);
}

BOOST_AUTO_TEST_CASE(a_pool_over_the_host_s_threads_starts_none_of_its_own) {
  const auto source = std::make_shared<host_threads>(3);
  imgsim::thread_pool pool(source);
  BOOST_TEST(pool.size() == 3U);
  std::mutex mutex;
  std::set<std::thread::id> seen;
  std::atomic<int> done = 0;
  pool.for_each(200, [&](std::size_t) {
    const std::lock_guard lock(mutex);
    seen.insert(std::this_thread::get_id());
    ++done;
    pool.for_each(2, [&](std::size_t) { ++done; });  // stays on its thread
  });
  BOOST_TEST(done == 600);
  BOOST_TEST(source->runs == 1);
  BOOST_TEST(seen.size() <= 3U);
  const auto fails = [](std::size_t i) {
    if (i == 17) throw std::runtime_error("item 17");
  };
  BOOST_CHECK_THROW(pool.for_each(100, fails), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_host_without_a_thread_to_spare_leaves_the_work_to_the_caller) {
  imgsim::thread_pool pool(std::make_shared<host_threads>(4, /*idle=*/true));
  int done = 0;  // no other thread is there to race with
  pool.for_each(100, [&](std::size_t) { ++done; });
  BOOST_TEST(done == 100);
}

BOOST_AUTO_TEST_SUITE_END()
