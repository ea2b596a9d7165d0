// A command at work in a folder of its own, which is put back before each run, and what may never be lost there.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"

namespace imgsim_test {

namespace fs = std::filesystem;

/// Every file below `root` with its bytes, links by where they lead; locks hold nothing.
inline std::map<std::string, std::string> contents(const fs::path& root) {
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
inline bool is_leftover(const std::string& name) {
  return name.find(".tmp") != std::string::npos || name.find(".staging/") != std::string::npos;
}

struct disturbed_command {
  std::vector<std::string> line;
  /// What has to hold of `work` at any moment, whatever was disturbed.
  std::function<void(const fs::path& work)> check = [](const fs::path&) {};
  /// The command that completes what was disturbed; `line` where empty.
  std::function<std::vector<std::string>(const fs::path& work)> again = {};
};

/// The folder that a command works in. Always the same place: paths are part of what is written.
class workplace {
 public:
  workplace(const fs::path& before, const disturbed_command& command) : before_(before), command_(command) {
    restore();
  }

  void restore() const {
    fs::remove_all(work());
    fs::copy(before_, work(), fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  }
  [[nodiscard]] fs::path work() const { return folder_.path() / "work"; }
  [[nodiscard]] fs::path beside(const char* name) const { return folder_.path() / name; }
  /// The command, with the folder in place of WORK.
  [[nodiscard]] std::vector<std::string> line() const { return at_work(command_.line); }

  /// What the undisturbed command makes of the folder.
  [[nodiscard]] std::map<std::string, std::string> wanted() const {
    restore();
    static_cast<void>(must_run(line()));
    return contents(work());
  }
  /// After a run that was disturbed: nothing is lost, and the command completes to what is wanted.
  void check_completes(const std::map<std::string, std::string>& wanted) const {
    command_.check(work());
    const command_result completed = run_imgsim(at_work(command_.again ? command_.again(work()) : command_.line));
    BOOST_TEST(completed.exit_code == 0, completed.err);
    auto now = contents(work());
    std::erase_if(now, [](const auto& file) { return is_leftover(file.first); });
    BOOST_TEST(now.size() == wanted.size());
    for (const auto& [name, bytes] : wanted) BOOST_TEST((now.contains(name) && now.at(name) == bytes), name);
  }

 private:
  [[nodiscard]] std::vector<std::string> at_work(std::vector<std::string> line) const {
    for (std::string& argument : line)
      if (const std::size_t at = argument.find("WORK"); at != std::string::npos)
        argument.replace(at, 4, work().string());
    return line;
  }

  fs::path before_;
  disturbed_command command_;
  temporary_folder folder_;
};

inline bool is_sound(const fs::path& path) {
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

/// A case of each command that writes: visit(before, command), of which `before` is the folder it begins in.
template <class Visit>
void disturb_training(Visit&& visit) {
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
  visit(start.folder.path(), disturbed_command{.line = line,
                                               .check =
                                                   [](const fs::path& work) {
                                                     // Another's is not touched.
                                                     BOOST_TEST(is_sound(work / "model.safetensors"));
                                                     if (fs::exists(work / "new.safetensors"))
                                                       BOOST_TEST(is_sound(work / "new.safetensors"));
                                                   },
                                               .again =
                                                   [&](const fs::path& work) {
                                                     auto again = line;
                                                     if (fs::exists(work / "new.last.safetensors"))
                                                       again.emplace_back("--resume");
                                                     return again;
                                                   }});
}

template <class Visit>
void disturb_indexing(Visit&& visit) {
  const prepared start(false);
  visit(start.folder.path(),
        disturbed_command{.line = {"index", "--images", start.made.photos(), "--model", "WORK/model.safetensors",
                                   "--index", "WORK/idx", "--device", "cpu"}});
}

template <class Visit>
void disturb_updating(Visit&& visit) {
  const prepared start(true);
  write_photo(start.made.photo("red/new.png"), 0, 99);
  write_photo(start.made.photo("green/3.png"), 1, 98);
  fs::remove(start.made.photo("blue/2.png"));
  visit(start.folder.path(),
        disturbed_command{.line = {"index", "--images", start.made.photos(), "--model", "WORK/model.safetensors",
                                   "--index", "WORK/idx", "--device", "cpu"},
                          .check = [](const fs::path& work) { BOOST_TEST(is_sound(work / "idx")); }});
}

template <class Visit>
void disturb_neighbours(Visit&& visit) {
  const prepared start(true);
  visit(start.folder.path(),
        disturbed_command{.line = {"neighbors", "--index", "WORK/idx", "-n", "5", "--export", "WORK/sorted.json",
                                   "--matrix", "WORK/matrix.npy", "--device", "cpu"},
                          .check = [](const fs::path& work) { BOOST_TEST(is_sound(work / "idx")); }});
}

template <class Visit>
void disturb_partitions(Visit&& visit) {
  const prepared start(true);
  for (const char* kind : {"copy", "symlink", "hardlink"})
    visit(start.folder.path(),
          disturbed_command{.line = {"cluster", "--index", "WORK/idx", "-k", "3", "--out", "WORK/out", "--partition",
                                     kind, "--device", "cpu"},
                            .check = [](const fs::path& work) { BOOST_TEST(is_sound(work / "idx")); }});
}

}  // namespace imgsim_test
