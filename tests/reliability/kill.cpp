// Commands ended by a signal at random moments: what was there is still there, whole, and the same command run again
// completes to the bytes of a run that nobody disturbed.
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <thread>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>

#include "reliability/disturbed.hpp"

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(killed)

namespace {

/// Times that each command is killed.
constexpr std::uint64_t kKills = 60;
/// Times that each command is asked to stop.
constexpr std::uint64_t kStops = 15;

/// Runs the command again and again, and sends `signal` to it after a random part of the time that it takes.
void end_at_random(int signal, std::uint64_t times, const fs::path& before, const disturbed_command& command) {
  const workplace place(before, command);
  // The quickest of three: a signal is to come while the command is at work, also when the machine is.
  std::chrono::duration<double> whole = std::chrono::hours(1);
  for (int run = 0; run < 3; ++run) {
    place.restore();
    const auto begin = std::chrono::steady_clock::now();
    static_cast<void>(must_run(place.line()));
    whole = std::min<std::chrono::duration<double>>(whole, std::chrono::steady_clock::now() - begin);
  }
  const auto wanted = place.wanted();

  std::size_t ended = 0;
  for (std::uint64_t i = 0; i < times; ++i) {
    imgsim::random_stream random(i, 77);
    const double after = random.uniform(0, 1.05) * whole.count();
    BOOST_TEST_CONTEXT(command.line[0] << ", signal " << i << " after " << after << " s of " << whole.count()) {
      place.restore();
      const pid_t child = start_imgsim(place.line(), "/dev/null", place.beside("out"), place.beside("err"));
      std::this_thread::sleep_for(std::chrono::duration<double>(after));
      kill(child, signal);
      const int code = wait_for(child);
      if (code == 0) {
        whole = std::min(whole, std::chrono::duration<double>(after));  // the machine has become faster
      } else {
        ++ended;
        // A command that has not come to its own handler yet is ended by the signal itself.
        BOOST_TEST((code == 128 + signal || (signal != SIGKILL && code == 1)), "exit code " << code);
      }
      place.check_completes(wanted);
    }
  }
  // A signal that comes too late proves nothing: many have to come in time.
  BOOST_TEST(ended > times / 3);
  BOOST_TEST_MESSAGE(command.line[0] << ": ended " << ended << " of " << times << " runs of " << whole.count() << " s");
}

void kill_at_random(const fs::path& before, const disturbed_command& command) {
  end_at_random(SIGKILL, kKills, before, command);
}
void stop_at_random(const fs::path& before, const disturbed_command& command) {
  for (const int signal : {SIGINT, SIGTERM}) end_at_random(signal, kStops, before, command);
}

}  // namespace

BOOST_AUTO_TEST_CASE(training) {
  disturb_training(kill_at_random);
  disturb_training(stop_at_random);
}
BOOST_AUTO_TEST_CASE(indexing) {
  disturb_indexing(kill_at_random);
  disturb_indexing(stop_at_random);
}
BOOST_AUTO_TEST_CASE(updating_an_index) {
  disturb_updating(kill_at_random);
  disturb_updating(stop_at_random);
}
BOOST_AUTO_TEST_CASE(keeping_neighbours) {
  disturb_neighbours(kill_at_random);
  disturb_neighbours(stop_at_random);
}
BOOST_AUTO_TEST_CASE(clustering_and_partition) {
  disturb_partitions(kill_at_random);
  disturb_partitions(stop_at_random);
}

BOOST_AUTO_TEST_SUITE_END()
