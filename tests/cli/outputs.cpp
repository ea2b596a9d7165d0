// Where results are written: folders that are missing, places that cannot be, files of another model.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/core/file.hpp>

#include "cli/trained_folder.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

namespace {

/// Every command that writes where it is told, with one option for the place.
std::vector<std::vector<std::string>> writers(const trained_folder& made, const fs::path& place) {
  const auto at = [&](const char* name) { return (place / name).string(); };
  const std::string index = made.index();
  return {{"query", "--index", index, "--id", "0", "--grid", at("grid.png")},
          {"query", "--index", index, "--id", "0", "--report", at("page.html")},
          {"neighbors", "--index", index, "--matrix", at("matrix.npy")},
          {"neighbors", "--index", index, "--export", at("sorted.json")},
          {"choose-k", "--index", index, "--out", at("curve")},
          {"cluster", "--index", index, "-k", "2", "--out", at("groups")},
          {"index", "--images", made.photos(), "--model", made.model(), "--index", at("new.idx")},
          {"train", "--images", made.photos(), "--preset", made.architecture(), "--model", at("m.safetensors")},
          {"evaluate", "--index", index, "--report", at("evaluation.html")}};
}

/// While it lives, nothing is made in the folder: by its permissions or, for root, who has all of them, by its flag.
class unwritable_folder {
 public:
  explicit unwritable_folder(const fs::path& folder) : handle_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY)) {
    set(true);
  }
  unwritable_folder(const unwritable_folder&) = delete;
  unwritable_folder& operator=(const unwritable_folder&) = delete;
  ~unwritable_folder() {
    set(false);
    ::close(handle_);
  }

 private:
  void set(bool unwritable) const {
    ::fchmod(handle_, unwritable ? 0555 : 0755);
    int flags = 0;
    if (::geteuid() != 0 || ::ioctl(handle_, FS_IOC_GETFLAGS, &flags) != 0) return;
    flags = unwritable ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    static_cast<void>(::ioctl(handle_, FS_IOC_SETFLAGS, &flags));  // not on every file system
  }

  int handle_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(outputs)

BOOST_AUTO_TEST_CASE(missing_folders_above_an_output_are_made) {
  const trained_folder made;
  const temporary_folder folder;
  for (const auto& line : writers(made, folder.path() / "deep/er")) {
    static_cast<void>(must_run(line));
    BOOST_TEST(fs::exists(line.back()), line.back());
    fs::remove_all(folder.path() / "deep");
  }
}

BOOST_AUTO_TEST_CASE(an_output_that_cannot_be_written_is_refused_before_any_work) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  write_text(folder.path() / "file", "mine");
  for (const auto& line : writers(made, folder.path() / "file/below")) {
    const auto result = run_imgsim(line);
    BOOST_TEST_CONTEXT(line[0] << ": " << result.err) {
      BOOST_TEST(result.exit_code == 1);
      BOOST_TEST(result.out.empty());
      // No line of progress before the one sentence.
      BOOST_TEST(std::count(result.err.begin(), result.err.end(), '\n') == 1);
      BOOST_TEST(result.err.find("file/below") != std::string::npos);
    }
  }
  BOOST_TEST(read_text(folder.path() / "file") == "mine");
}

BOOST_AUTO_TEST_CASE(a_run_without_results_leaves_no_folders) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const std::string index = made.index(), deep = (folder.path() / "deep").string();
  const fs::path bad = folder.path() / "photos/bad.jpg";
  fs::create_directories(bad.parent_path());
  write_text(bad, "no photo");
  const std::vector<std::vector<std::string>> failing{
      {"query", "--index", index, (folder.path() / "missing.jpg").string(), "--grid", deep + "/er/grid.png"},
      {"query", "--index", index, bad.string(), "--report", deep + "/er/page.html"},
      {"cluster", "--index", index, "-k", "9999", "--out", deep + "/er/groups"},
      {"choose-k", "--index", index, "--k-min", "999", "--k-max", "9999", "--out", deep + "/er/curve"},
      {"train", "--images", bad.parent_path().string(), "--model", deep + "/er/m.safetensors"},
      {"index", "--images", bad.parent_path().string(), "--model", made.model(), "--index", deep + "/er/new.idx"},
      {"import-keras", bad.string(), "--model", deep + "/er/m.safetensors"},
      {"demo", "--photos", bad.parent_path().string(), "--out", deep + "/er/demo/"}};
  for (const auto& line : failing) {
    const auto result = run_imgsim(line);
    BOOST_TEST((result.exit_code == 1 || result.exit_code == 2), line[0] << ": " << result.err);
    BOOST_TEST(!fs::exists(deep), line[0] << ": " << result.err);
  }
  // Folders that were there stay, empty as they are.
  fs::create_directories(deep);
  for (const auto& line : failing) {
    BOOST_TEST(run_imgsim(line).exit_code != 0);
    BOOST_TEST((fs::is_directory(deep) && fs::is_empty(deep)), line[0]);
  }
}

BOOST_AUTO_TEST_CASE(a_run_that_a_signal_ends_leaves_no_folders) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const fs::path deep = folder.path() / "deep/er", pipe = folder.path() / "pipe";
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const int photo = ::open(pipe.c_str(), O_RDWR);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    // It waits for the photo, with the folder of the page made.
    const pid_t child = start_imgsim({"query", "--index", made.index(), "-", "--report", (deep / "page.html").string()},
                                     pipe, folder.path() / "out", folder.path() / "err");
    for (int i = 0; i < 600 && !fs::exists(deep); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    BOOST_TEST(fs::exists(deep));
    ::kill(child, number);
    BOOST_TEST(wait_for(child) == 128 + number);
    BOOST_TEST(!fs::exists(folder.path() / "deep"));
  }
  ::close(photo);
}

BOOST_AUTO_TEST_CASE(photos_and_the_index_itself_are_not_overwritten) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const fs::path photo = folder.path() / "holiday.jpg";
  write_text(photo, "\xff\xd8\xff and the rest");
  const std::string index = made.index();
  for (const std::string& place : {photo.string(), index + "/manifest.json"})
    for (const std::vector<std::string>& line :
         {std::vector<std::string>{"query", "--index", index, "--id", "0", "--report", place},
          {"neighbors", "--index", index, "--export", place},
          {"train", "--images", made.photos(), "--preset", made.architecture(), "--model", place}}) {
      const std::string before = read_text(place);
      const auto result = run_imgsim(line);
      BOOST_TEST(result.exit_code == 1, line[0] << ": " << result.err);
      BOOST_TEST(read_text(place) == before);
    }
  // A grid goes over a PNG, but not over a photo that is asked about, nor among the photos; nothing else goes over one.
  const std::string png = (folder.path() / "cat.png").string();
  write_photo(png, 0, 99);
  const std::string before = read_text(png);
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"query", "--index", index, png, "--grid", png},
        {"query", "--index", index, "--id", "0", "--grid", made.photo("red/0.png")},
        {"query", "--index", index, "--id", "0", "--grid", made.photo("new.png")},
        {"query", "--index", index, "--id", "0", "--report", made.photo("new.html")},
        {"query", "--index", index, "--id", "0", "--report", png},
        {"neighbors", "--index", index, "--matrix", png},
        {"train", "--images", made.photos(), "--preset", made.architecture(), "--model", png}}) {
    const auto result = run_imgsim(line);
    BOOST_TEST(result.exit_code == 1, line[0] << ": " << result.err);
    BOOST_TEST(read_text(png) == before, line[0] << " " << line[line.size() - 2]);
  }
  BOOST_TEST(!fs::exists(made.photo("new.png")));
  static_cast<void>(must_run({"query", "--index", index, "--id", "0", "--grid", png}));
  BOOST_TEST(read_text(png) != before);
  for (const char* name : {"history.csv", "loss.svg"})
    BOOST_TEST(run_imgsim(train_line(made, folder.path() / name)).exit_code == 1);
}

BOOST_AUTO_TEST_CASE(only_a_file_of_the_same_kind_is_replaced) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const auto lines = writers(made, folder.path());
  for (const std::string content : {"a letter", "{\"metric\": \"mine\"}", "<!DOCTYPE html><title>mine</title>", ""})
    for (const auto& line : lines) {
      if (line[0] == "choose-k" || line[0] == "cluster" || line[0] == "index") continue;
      BOOST_TEST_CONTEXT(line[0] << " " << line.back() << " over '" << content << "'") {
        write_text(line.back(), content);
        const auto result = run_imgsim(line);
        BOOST_TEST(result.exit_code == (content.empty() ? 0 : 1), result.err);
        BOOST_TEST((read_text(line.back()) == content) == !content.empty());
        if (!content.empty())
          BOOST_TEST(result.err.find("and would be lost; name another file, or remove this one") != std::string::npos,
                     result.err);
      }
    }
  // What the command wrote, it replaces.
  for (const auto& line : lines) {
    if (line[0] == "choose-k" || line[0] == "cluster" || line[0] == "index") continue;
    static_cast<void>(must_run(line));
  }
  // A folder of results, each of its files; history and plot stand beside a model.
  const std::vector<std::pair<std::vector<std::string>, std::vector<std::string>>> folders{
      {lines[4], {"choose_k.csv", "choose_k.json", "choose_k.svg"}},
      {lines[5], {"k_groups.json", "contact_sheet.png", "report.html"}},
      {train_line(made, folder.path() / "beside/m.safetensors"), {"history.csv", "loss.svg"}}};
  for (const auto& [line, names] : folders) {
    const fs::path out = line[0] == "train" ? fs::path(line.back()).parent_path() : fs::path(line.back());
    for (const std::string& name : names)
      for (const std::string content : {"\xff\xd8\xff a photo", "k,of,mine\n1,2,3\n", "{\"x\": 1}", "<svg>mine</svg>"})
        for (const bool dry : {false, true})
          BOOST_TEST_CONTEXT(line[0] << ": " << name << " holds '" << content << "'") {
            fs::remove_all(out);
            fs::create_directories(out);
            write_text(out / name, content);
            auto run = line;
            if (dry) run.emplace_back("--dry-run");
            const auto result = run_imgsim(run);
            BOOST_TEST(result.exit_code == 1, result.err);
            BOOST_TEST(result.err.find((out / name).string() + ": is ") != std::string::npos, result.err);
            BOOST_TEST(result.err.find("would be lost") != std::string::npos, result.err);
            BOOST_TEST(read_text(out / name) == content);
            BOOST_TEST(std::distance(fs::directory_iterator(out), fs::directory_iterator()) == 1);
          }
    fs::remove_all(out);
    static_cast<void>(must_run(line));
    static_cast<void>(must_run(line));
  }
}

BOOST_AUTO_TEST_CASE(results_go_into_no_index_and_among_no_photos) {
  const trained_folder made, other;
  static_cast<void>(must_run({"cluster", "--index", other.index(), "-k", "3"}));
  const std::string before = read_text(fs::path(other.index()) / "k_groups.json");
  for (const std::string& place : {other.index(), other.index() + "/below", made.index(), made.index() + "/a/b"})
    for (const std::string command : {"cluster", "choose-k"}) {
      std::vector<std::string> line{command, "--index", made.index(), "--out", place};
      if (command == "cluster") line.insert(line.end(), {"-k", "2"});
      const auto result = run_imgsim(line);
      BOOST_TEST(result.exit_code == 1);
      BOOST_TEST(result.err.find("an index") != std::string::npos, result.err);
    }
  BOOST_TEST(read_text(fs::path(other.index()) / "k_groups.json") == before);
  BOOST_TEST(!fs::exists(fs::path(other.index()) / "choose_k.csv"));
  BOOST_TEST(!fs::exists(made.index() + "/a"));
  const auto result = run_imgsim({"choose-k", "--index", made.index(), "--out", made.photos() + "/curve"});
  BOOST_TEST(result.err.find("lies within the folder of the photos") != std::string::npos, result.err);
}

BOOST_AUTO_TEST_CASE(two_commands_do_not_write_into_one_folder_of_results) {
  const trained_folder made;
  const temporary_folder folder;
  const std::string groups = made.index() + "/k_groups.json";
  static_cast<void>(must_run({"cluster", "--index", made.index(), "-k", "2"}));
  const std::string before = read_text(groups);
  {
    const imgsim::unique_descriptor held(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    BOOST_TEST_REQUIRE(::flock(held.number(), LOCK_EX) == 0);
    for (const std::vector<std::string>& line : {std::vector<std::string>{"cluster", "-k", "3"}, {"choose-k"}}) {
      std::vector<std::string> whole = line;
      for (const std::string& word :
           {std::string("--index"), made.index(), std::string("--out"), folder.path().string()})
        whole.push_back(word);
      const auto refused = run_imgsim(whole);
      BOOST_TEST(refused.exit_code == 1);
      BOOST_TEST(refused.err.find("another imgsim is writing here") != std::string::npos, refused.err);
    }
  }
  BOOST_TEST(fs::is_empty(folder.path()));
  BOOST_TEST((read_text(groups) == before));
  static_cast<void>(must_run({"cluster", "--index", made.index(), "-k", "3", "--out", folder.path().string()}));
}

namespace {

/// A run whose files may not be larger than 4 KiB.
command_result run_with_small_files(const std::vector<std::string>& line) {
  struct rlimit before{};
  BOOST_TEST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const struct rlimit small{4096, before.rlim_max};
  BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const command_result result = run_imgsim(line);
  BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  return result;
}

}  // namespace

BOOST_AUTO_TEST_CASE(files_of_groups_change_together_or_not_at_all) {
  const trained_folder made;
  const temporary_folder folder;
  const auto line = [&](const char* k) {
    return std::vector<std::string>{"cluster", "--index", made.index(), "-k", k, "--out", folder.path().string()};
  };
  const auto contents = [&] {
    std::string all = read_text(made.index() + "/k_groups.json");
    for (const char* name : {"k_groups.json", "contact_sheet.png", "report.html"})
      all += read_text(folder.path() / name);
    return all;
  };
  static_cast<void>(must_run(line("3")));
  const std::string before = contents();
  const auto refused = run_with_small_files(line("2"));
  BOOST_TEST(refused.exit_code == 1);
  BOOST_TEST(refused.err.find("contact_sheet.png: cannot be written: File too large") != std::string::npos,
             refused.err);
  BOOST_TEST((contents() == before));
  static_cast<void>(must_run(line("2")));
  BOOST_TEST((contents() != before));
}

BOOST_AUTO_TEST_CASE(a_limit_on_the_size_of_files_is_a_failure_and_no_end) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const auto refused = run_with_small_files(
      {"query", "--index", made.index(), "--id", "0", "--grid", (folder.path() / "grid.png").string()});
  BOOST_TEST(refused.exit_code == 1);
  BOOST_TEST(refused.err.find("grid.png: cannot be written: File too large\n") != std::string::npos, refused.err);
  BOOST_TEST(fs::is_empty(folder.path()));
}

BOOST_AUTO_TEST_CASE(groups_of_an_index_that_cannot_be_written_go_where_they_are_wanted) {
  const trained_folder made;
  const temporary_folder folder;
  const unwritable_folder index(made.index());
  if (::access(made.index().c_str(), W_OK) == 0) {
    BOOST_TEST_MESSAGE("skipped: no folder can be made read-only here");
    return;
  }
  const std::string out = (folder.path() / "out").string();
  const auto result = must_run({"cluster", "--index", made.index(), "-k", "3", "--out", out, "--json"});
  BOOST_TEST(nlohmann::json::parse(read_text(out + "/k_groups.json")) == result.json());
  BOOST_TEST(result.err.find(made.index() + " cannot be written into (") != std::string::npos, result.err);
  BOOST_TEST(
      result.err.find("): the groups are not kept in it, and imgsim predict will not know them\n") != std::string::npos,
      result.err);
  BOOST_TEST(run_imgsim({"predict", "--index", made.index(), made.photo("red/0.png")}).exit_code == 1);
  const auto lists =
      run_imgsim({"neighbors", "--index", made.index(), "--export", (folder.path() / "n.json").string()});
  BOOST_TEST(lists.exit_code == 0, lists.err);
  BOOST_TEST(lists.err.find("): the neighbours are not kept in it\n") != std::string::npos, lists.err);
  BOOST_TEST(nlohmann::json::parse(read_text(folder.path() / "n.json")).at("neighbors").size() == 24u);
  BOOST_TEST(run_imgsim({"neighbors", "--index", made.index()}).exit_code == 1);
}

BOOST_AUTO_TEST_SUITE_END()
