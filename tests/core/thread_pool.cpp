#include <imgsim/core/thread_pool.hpp>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

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

BOOST_AUTO_TEST_SUITE_END()
