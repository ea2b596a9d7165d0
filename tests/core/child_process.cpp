#include <imgsim/core/child_process.hpp>

#include <sys/mman.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(child_process)

namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = imgsim::bytes_of(text);
  return {bytes.begin(), bytes.end()};
}

template <class Work>
int signal_that_ended(Work&& work) {
  try {
    std::ignore = imgsim::in_child_process(work);
  } catch (const imgsim::child_ended& end) {
    return end.signal();
  }
  return -1;
}

}  // namespace

BOOST_AUTO_TEST_CASE(bytes_come_back_whatever_their_number) {
  for (const std::size_t count : {0u, 1u, 65'536u, 65'537u, 5'000'000u}) {
    std::string text(count, 'x');
    if (count > 0) text.back() = 'y';
    const auto bytes = imgsim::in_child_process([&] { return bytes_of(text); });
    BOOST_TEST((bytes == bytes_of(text)), count);
  }
}

BOOST_AUTO_TEST_CASE(what_the_child_does_to_its_memory_stays_there) {
  int value = 1;
  std::ignore = imgsim::in_child_process([&] {
    value = 2;
    return bytes_of("done");
  });
  BOOST_TEST(value == 1);
}

BOOST_AUTO_TEST_CASE(a_child_that_ends_early_is_told_from_one_that_answers) {
  for (const int signal : {SIGSEGV, SIGABRT, SIGKILL, SIGINT})
    BOOST_TEST(signal_that_ended([signal] {
                 std::raise(signal);
                 return bytes_of("never");
               }) == signal);
  BOOST_TEST(signal_that_ended([]() -> std::vector<std::byte> { std::_Exit(3); }) == 0);
  BOOST_TEST(signal_that_ended([]() -> std::vector<std::byte> { throw std::runtime_error("lost"); }) == 0);
}

BOOST_AUTO_TEST_CASE(time_and_memory_have_limits) {
  try {
    std::ignore = imgsim::in_child_process(
        []() -> std::vector<std::byte> {
          volatile bool endless = true;
          while (endless) continue;
          return {};
        },
        {.cpu_seconds = 1});
    BOOST_ERROR("an endless loop ended");
  } catch (const imgsim::child_ended& end) {
    BOOST_TEST(end.signal() == SIGXCPU, end.what());
  }
  const auto answer = imgsim::in_child_process(
      [] {
        const auto fits = [](std::size_t bytes) {
          return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
        };
        return bytes_of(std::string(fits(std::size_t{1} << 20) ? "1" : "0") + (fits(std::size_t{1} << 30) ? "1" : "0"));
      },
      {.memory_bytes = std::size_t{1} << 28});
  BOOST_TEST((answer == bytes_of("10")));
}

BOOST_AUTO_TEST_CASE(a_child_whose_end_is_not_told_is_no_answer) {
  std::signal(SIGCHLD, SIG_IGN);
  BOOST_CHECK_THROW(std::ignore = imgsim::in_child_process([] { return bytes_of("one"); }), imgsim::error);
  std::signal(SIGCHLD, SIG_DFL);
}

BOOST_AUTO_TEST_CASE(nothing_stays_open) {
  const auto lowest_free = [] {
    const imgsim::unique_descriptor next(dup(0));
    return next.number();
  };
  const int before = lowest_free();
  for (int i = 0; i < 3; ++i) {
    std::ignore = imgsim::in_child_process([] { return bytes_of("one"); });
    std::ignore = signal_that_ended([]() -> std::vector<std::byte> { std::_Exit(3); });
  }
  BOOST_TEST(lowest_free() == before);
}

BOOST_AUTO_TEST_SUITE_END()
