// Commands killed (SIGKILL) at random moments: what was there is still there, whole, and the same command run again
// completes to the bytes of a run that nobody disturbed.
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>

#include "cli/trained_folder.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

namespace {

/// Times that each command is killed.
constexpr std::uint64_t kKills = 60;

/// Every file below `root` with its bytes, links by where they lead; locks hold nothing.
std::map<std::string, std::string> contents(const fs::path& root) {
  std::map<std::string, std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    const std::string name = entry.path().lexically_relative(root).string();
    if (entry.path().filename() == ".lock") continue;
    if (entry.is_symlink()) {
      files[name] = "-> " + fs::read_symlink(entry.path()).string();
    } else if (entry.is_regular_file()) {
      files[name] = read_text(entry.path());
    }
  }
  return files;
}

/// A file that an interrupted run leaves beside its target until the next: never one of a name that is read.
bool is_leftover(const std::string& name) {
  return name.find(".tmp") != std::string::npos || name.find(".staging/") != std::string::npos;
}

struct killed_command {
  std::vector<std::string> line;
  /// What has to hold of `work` at any moment, whatever was killed.
  std::function<void(const fs::path& work)> check = [](const fs::path&) {};
  /// The command that completes what was killed; `line` where empty.
  std::function<std::vector<std::string>(const fs::path& work)> again = {};
};

/// Runs `command` on copies of the folder `before`, which it changes below WORK (a placeholder in its arguments).
void kill_at_random(const fs::path& before, const killed_command& command) {
  const temporary_folder folder;
  // Always in the same place: paths are part of what is written.
  const fs::path work = folder.path() / "work";
  const auto at_work = [&](std::vector<std::string> line) {
    for (std::string& argument : line)
      if (const std::size_t at = argument.find("WORK"); at != std::string::npos) argument.replace(at, 4, work.string());
    return line;
  };
  const auto restore = [&] {
    fs::remove_all(work);
    fs::copy(before, work, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  };

  // The quickest of three: a kill is to come while the command is at work, also when the machine is.
  std::chrono::duration<double> whole = std::chrono::hours(1);
  for (int run = 0; run < 3; ++run) {
    restore();
    const auto begin = std::chrono::steady_clock::now();
    static_cast<void>(must_run(at_work(command.line)));
    whole = std::min<std::chrono::duration<double>>(whole, std::chrono::steady_clock::now() - begin);
  }
  const auto wanted = contents(work);

  std::size_t killed = 0;
  for (std::uint64_t i = 0; i < kKills; ++i) {
    imgsim::random_stream random(i, 77);
    const double after = random.uniform(0, 1.05) * whole.count();
    BOOST_TEST_CONTEXT(command.line[0] << ", kill " << i << " after " << after << " s of " << whole.count()) {
      restore();
      const pid_t child =
          start_imgsim(at_work(command.line), "/dev/null", folder.path() / "out", folder.path() / "err");
      std::this_thread::sleep_for(std::chrono::duration<double>(after));
      kill(child, SIGKILL);
      if (wait_for(child) == 128 + SIGKILL) {
        ++killed;
      } else {
        whole = std::min(whole, std::chrono::duration<double>(after));  // the machine has become faster
      }
      command.check(work);
      const auto line = at_work(command.again ? command.again(work) : command.line);
      const command_result completed = run_imgsim(line);
      BOOST_TEST(completed.exit_code == 0, completed.err);
      auto now = contents(work);
      std::erase_if(now, [](const auto& file) { return is_leftover(file.first); });
      BOOST_TEST(now.size() == wanted.size());
      for (const auto& [name, bytes] : wanted) BOOST_TEST((now.contains(name) && now.at(name) == bytes), name);
    }
  }
  // A kill that comes too late proves nothing: most have to come in time.
  BOOST_TEST(killed > kKills / 2);
  BOOST_TEST_MESSAGE(command.line[0] << ": killed " << killed << " of " << kKills << " runs of " << whole.count()
                                     << " s");
}

bool is_sound(const fs::path& path) {
  return run_imgsim({"verify", path.string(), "--json"}).json().at("sound").get<bool>();
}

/// Photos, a model and, where asked for, an index in a folder of their own, with photos at an absolute path that stays.
struct prepared {
  explicit prepared(bool with_index) {
    fs::create_directories(folder.path());
    fs::copy(made.model(), folder.path() / "model.safetensors");
    if (with_index) fs::copy(made.index(), folder.path() / "idx", fs::copy_options::recursive);
  }
  trained_folder made;
  temporary_folder folder;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(killed)

BOOST_AUTO_TEST_CASE(training) {
  const prepared start(false);
  const std::vector<std::string> line{"train",
                                      "--images",
                                      start.made.photos(),
                                      "--preset",
                                      start.made.architecture(),
                                      "--model",
                                      "WORK/new.safetensors",
                                      "--epochs",
                                      "6",
                                      "--deterministic",
                                      "--device",
                                      "cpu"};
  kill_at_random(start.folder.path(),
                 {.line = line,
                  .check =
                      [](const fs::path& work) {
                        BOOST_TEST(is_sound(work / "model.safetensors"));  // another's is not touched
                        if (fs::exists(work / "new.safetensors")) BOOST_TEST(is_sound(work / "new.safetensors"));
                      },
                  .again =
                      [&](const fs::path& work) {
                        auto again = line;
                        if (fs::exists(work / "new.last.safetensors")) again.emplace_back("--resume");
                        return again;
                      }});
}

BOOST_AUTO_TEST_CASE(indexing) {
  const prepared start(false);
  kill_at_random(start.folder.path(), {.line = {"index", "--images", start.made.photos(), "--model",
                                                "WORK/model.safetensors", "--index", "WORK/idx", "--device", "cpu"}});
}

BOOST_AUTO_TEST_CASE(updating_an_index) {
  const prepared start(true);
  write_photo(start.made.photo("red/new.png"), 0, 99);
  write_photo(start.made.photo("green/3.png"), 1, 98);
  fs::remove(start.made.photo("blue/2.png"));
  kill_at_random(start.folder.path(), {.line = {"index", "--images", start.made.photos(), "--model",
                                                "WORK/model.safetensors", "--index", "WORK/idx", "--device", "cpu"},
                                       .check = [](const fs::path& work) { BOOST_TEST(is_sound(work / "idx")); }});
}

BOOST_AUTO_TEST_CASE(keeping_neighbours) {
  const prepared start(true);
  kill_at_random(start.folder.path(), {.line = {"neighbors", "--index", "WORK/idx", "-n", "5", "--export",
                                                "WORK/sorted.json", "--matrix", "WORK/matrix.npy", "--device", "cpu"},
                                       .check = [](const fs::path& work) { BOOST_TEST(is_sound(work / "idx")); }});
}

BOOST_AUTO_TEST_CASE(clustering_and_partition) {
  const prepared start(true);
  for (const char* kind : {"copy", "symlink", "hardlink"})
    kill_at_random(start.folder.path(), {.line = {"cluster", "--index", "WORK/idx", "-k", "3", "--out", "WORK/out",
                                                  "--partition", kind, "--device", "cpu"},
                                         .check = [](const fs::path& work) { BOOST_TEST(is_sound(work / "idx")); }});
}

BOOST_AUTO_TEST_SUITE_END()
