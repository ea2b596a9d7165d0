// Faults of the system below the command: each call that changes a file fails in turn, transfers are short and
// interrupted. A command says so in one sentence and exits with 1, loses nothing, leaves nothing lying about, and
// completes when it is run again.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "reliability/disturbed.hpp"
#include "support/count_of.hpp"

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(faults)

namespace {

/// Runs started while it lives have `fault` (support/faulty_calls.cpp) below them.
class faulty_system {
 public:
  explicit faulty_system(const std::string& fault) {
    // LD_PRELOAD cannot name a path with a space.
    const fs::path library = folder_.path() / "faulty_calls.so";
    fs::create_symlink(IMGSIM_FAULTY_CALLS, library);
    setenv("LD_PRELOAD", library.c_str(), 1);
    setenv("IMGSIM_TEST_FAULT", fault.c_str(), 1);
  }
  faulty_system(const faulty_system&) = delete;
  faulty_system& operator=(const faulty_system&) = delete;
  ~faulty_system() {
    unsetenv("LD_PRELOAD");
    unsetenv("IMGSIM_TEST_FAULT");
  }

 private:
  temporary_folder folder_;
};

command_result run_on(const std::string& fault, const std::vector<std::string>& line) {
  const faulty_system faulty(fault);
  return run_imgsim(line);
}

/// The disk is full from call 0 on, from call 1 on, and so on until the command has no call left.
void fill_the_disk(const fs::path& before, const disturbed_command& command) {
  const workplace place(before, command);
  const auto wanted = place.wanted();
  const fs::path reached = place.beside("reached");
  std::size_t failed = 0;
  for (std::size_t at = 0;; ++at) {
    BOOST_TEST_CONTEXT(command.line[0] << ", no space from call " << at << " on") {
      place.restore();
      fs::remove(reached);
      const command_result result =
          run_on("fail:" + std::to_string(at) + ":" + std::to_string(ENOSPC) + ":" + reached.string(), place.line());
      if (!fs::exists(reached)) {
        BOOST_TEST(result.exit_code == 0, result.err);
        break;
      }
      ++failed;
      BOOST_TEST(result.exit_code == 1, result.err);
      BOOST_TEST(count_of(result.err, std::strerror(ENOSPC)) == 1u, result.err);
      BOOST_TEST(count_of(result.err, "Did you mean") == 0u, result.err);
      for (const auto& [name, bytes] : contents(place.work())) BOOST_TEST(name.find(".tmp") == std::string::npos, name);
      place.check_completes(wanted);
    }
  }
  BOOST_TEST(failed > 3u);
  BOOST_TEST_MESSAGE(command.line[0] << ": " << failed << " calls failed in turn");
}

void interrupt_transfers(const fs::path& before, const disturbed_command& command) {
  const workplace place(before, command);
  const auto wanted = place.wanted();
  place.restore();
  const command_result result = run_on("short:0:0:" + place.beside("reached").string(), place.line());
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(fs::exists(place.beside("reached")));
  BOOST_TEST((contents(place.work()) == wanted));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_full_disk_loses_nothing) {
  disturb_training(fill_the_disk);
  disturb_indexing(fill_the_disk);
  disturb_updating(fill_the_disk);
  disturb_neighbours(fill_the_disk);
  disturb_partitions(fill_the_disk);
}

BOOST_AUTO_TEST_CASE(short_and_interrupted_transfers_change_nothing) {
  disturb_training(interrupt_transfers);
  disturb_indexing(interrupt_transfers);
  disturb_updating(interrupt_transfers);
  disturb_neighbours(interrupt_transfers);
  disturb_partitions(interrupt_transfers);
}

BOOST_AUTO_TEST_SUITE_END()
