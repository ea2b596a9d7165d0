#include <dlfcn.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/error.hpp>

namespace {

/// A plugin that is loaded as hosts load them: where the loader may, it takes the symbols of one for another's.
struct plugin {
  plugin(const char* path, const std::string& name) : handle(dlopen(path, RTLD_NOW | RTLD_GLOBAL)) {
    if (handle == nullptr) throw std::runtime_error(dlerror());
    neighbours = function<decltype(neighbours)>(name + "_neighbours");
    for_each = function<decltype(for_each)>(name + "_for_each");
    refuse = function<decltype(refuse)>(name + "_refuse");
  }

  template <class Function>
  [[nodiscard]] Function function(const std::string& symbol) const {
    void* found = dlsym(handle, symbol.c_str());
    if (found == nullptr) throw std::runtime_error(dlerror());
    return reinterpret_cast<Function>(found);
  }

  void* handle;
  void (*neighbours)(const float*, std::size_t, std::size_t, std::size_t, std::size_t, long*) = nullptr;
  void (*for_each)(std::size_t, std::size_t, const std::function<void(std::size_t)>&) = nullptr;
  void (*refuse)() = nullptr;
};

struct both {
  plugin open{OPEN_PLUGIN, "open"};
  plugin hidden{HIDDEN_PLUGIN, "hidden"};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(two_libraries_in_one_process, both)

BOOST_AUTO_TEST_CASE(give_the_same_answers_at_the_same_time) {
  constexpr std::size_t kRows = 300, kWidth = 24, kWanted = 7;
  std::vector<float> rows(kRows * kWidth);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>((i * 7919 + i / 3) % 101) - 50.0F;
  std::vector<long> first(kRows * kWanted, -1), second(first);
  std::thread other([&] { hidden.neighbours(rows.data(), kRows, kWidth, kWanted, 2, second.data()); });
  open.neighbours(rows.data(), kRows, kWidth, kWanted, 3, first.data());
  other.join();
  BOOST_TEST(first == second, boost::test_tools::per_element());
  BOOST_TEST(first[0] >= 0);
}

BOOST_AUTO_TEST_CASE(each_runs_its_own_threads_within_a_body_of_the_other) {
  std::atomic<int> done = 0;
  open.for_each(2, 4, [&](std::size_t) { hidden.for_each(2, 4, [&](std::size_t) { ++done; }); });
  hidden.for_each(2, 4, [&](std::size_t) { open.for_each(2, 4, [&](std::size_t) { ++done; }); });
  BOOST_TEST(done == 32);
}

BOOST_AUTO_TEST_CASE(what_they_throw_is_caught_by_its_type) {
  BOOST_CHECK_THROW(open.refuse(), imgsim::invalid_argument);
  BOOST_CHECK_THROW(hidden.refuse(), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_CASE(the_hidden_one_shows_nothing_of_imgsim_but_what_it_throws) {
  const auto symbols = [](const char* path, const char* but) {
    const std::string command =
        std::string("nm -DC --defined-only '") + path + "' | grep imgsim | grep -vE '" + but + "' | grep -q .";
    return std::system(command.c_str()) == 0;  // NOLINT(concurrency-mt-unsafe): one thread is left
  };
  BOOST_TEST(symbols(OPEN_PLUGIN, "^$"));  // what is looked for is there where it is not hidden
  BOOST_TEST(!symbols(HIDDEN_PLUGIN, " for imgsim::(error|invalid_argument)$"));
}

BOOST_AUTO_TEST_SUITE_END()
