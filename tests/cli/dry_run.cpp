// --dry-run: it leaves no trace, and what it says is what a real run then does.
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"

using imgsim_test::must_run;
using imgsim_test::read_text;
using imgsim_test::run_imgsim;
using imgsim_test::temporary_folder;
using imgsim_test::trained_folder;
using imgsim_test::write_photo;
using imgsim_test::write_text;

BOOST_AUTO_TEST_SUITE(dry_run)

namespace {

namespace fs = std::filesystem;

struct trace {
  fs::file_time_type modified;
  std::string bytes;  // of a regular file, or where a link leads to

  friend bool operator==(const trace&, const trace&) = default;
};

/// Everything below a folder, the folders' own dates too.
std::map<std::string, trace> traces_of(const fs::path& folder) {
  std::map<std::string, trace> traces;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    trace found;
    if (entry.is_symlink())
      found.bytes = fs::read_symlink(entry.path()).string();
    else
      found.modified = entry.last_write_time();
    if (entry.is_regular_file() && !entry.is_symlink()) found.bytes = read_text(entry.path());
    traces[entry.path().string()] = found;
  }
  return traces;
}

/// "make PATH", "replace PATH" and "remove PATH" for what differs.
std::set<std::string> changes(const std::map<std::string, trace>& before, const std::map<std::string, trace>& after) {
  std::set<std::string> changed;
  for (const auto& [path, now] : after) {
    if (fs::is_directory(path) && !fs::is_symlink(path)) continue;
    const auto then = before.find(path);
    if (then == before.end()) changed.insert("make " + path);
    if (then != before.end() && then->second != now) changed.insert("replace " + path);
  }
  for (const auto& [path, then] : before)
    if (!after.contains(path)) changed.insert("remove " + path);
  return changed;
}

/// What a dry run says, as its JSON document and as text alike.
std::set<std::string> planned(const std::vector<std::string>& line, std::size_t photos, int exit_code) {
  std::vector<std::string> dry = line;
  dry.insert(dry.end(), {"--dry-run", "--json"});
  const auto result = run_imgsim(dry);
  BOOST_TEST(result.exit_code == exit_code, result.err);
  const auto document = result.json();
  BOOST_TEST(document.at("photos") == photos);
  std::set<std::string> files;
  for (const auto& file : document.at("files"))
    files.insert(file.at("change").get<std::string>() + " " + file.at("path").get<std::string>());
  dry.pop_back();
  const auto text = run_imgsim(dry);
  BOOST_TEST(text.exit_code == exit_code);
  for (const std::string& file : files) {
    const std::size_t space = file.find(' ');
    const std::string shown = "would " + file.substr(0, space) + std::string(8 - space, ' ') + file.substr(space + 1);
    BOOST_TEST(text.out.find(shown + "\n") != std::string::npos, shown);
  }
  BOOST_TEST(text.out.find("nothing was written") != std::string::npos);
  return files;
}

/// The dry run leaves `folder` as it was; the real one makes what was planned.
void expect_same(const fs::path& folder, const std::vector<std::string>& line, std::size_t photos, int exit_code = 0) {
  std::string shown;
  for (const std::string& word : line) shown += word + " ";
  BOOST_TEST_CONTEXT(shown) {
    const auto before = traces_of(folder);
    const std::set<std::string> files = planned(line, photos, exit_code);
    BOOST_TEST((traces_of(folder) == before), "the dry run left a trace");
    BOOST_TEST(run_imgsim(line).exit_code == exit_code);
    const std::set<std::string> made = changes(before, traces_of(folder));
    for (const std::string& file : files) BOOST_TEST(made.contains(file), "planned, not done: " << file);
    for (const std::string& file : made) BOOST_TEST(files.contains(file), "done, not planned: " << file);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_command_plans_what_it_does) {
  const trained_folder made;
  const fs::path folder = fs::path(made.photos()).parent_path();
  const std::string out = (folder / "to come").string(), index = made.index();
  constexpr std::size_t kPhotos = imgsim_test::kLabels * imgsim_test::kPhotosOfLabel;
  const auto run = [&](std::vector<std::string> line, std::size_t photos, int exit_code = 0) {
    line.insert(line.end(), {"--quiet", "--device", "cpu"});
    expect_same(folder, line, photos, exit_code);
  };
  run({"train", "--images", made.photos(), "--model", out + "/m.safetensors", "--preset", made.architecture(),
       "--report", out + "/t.html"},
      kPhotos);
  run({"train", "--images", made.photos(), "--model", out + "/m.safetensors", "--preset", made.architecture(), "--seed",
       "5"},
      kPhotos);
  run({"index", "--images", made.photos(), "--model", made.model(), "--index", out + "/new.idx"}, kPhotos);
  run({"neighbors", "--index", index, "--matrix", out + "/m.npy", "--export", out + "/sorted.json"}, kPhotos);
  run({"query", "--index", index, made.photo("red/0.png"), "--grid", out + "/grid.png", "--report", out + "/q.html"},
      1);
  run({"query", "--index", index, made.photo("red/0.png"), "--id", "1", "--grid", out + "/two.png"}, 2);
  run({"choose-k", "--index", index, "--out", out + "/curve"}, kPhotos);
  run({"cluster", "--index", index, "-k", "3", "--out", out + "/groups", "--partition", "symlink"}, kPhotos);
  run({"cluster", "--index", index, "-k", "3", "--method", "k-means", "--out", out + "/copies", "--partition", "copy"},
      kPhotos);
#ifdef IMGSIM_TEST_HNSW
  run({"graph", "--index", index}, kPhotos);
#endif
  run({"cluster", "--index", index, "-k", "3"}, kPhotos);  // the centroids of before go
  run({"duplicates", "--index", index, "--report", out + "/d.html"}, kPhotos);
  run({"evaluate", "--index", index, "--report", out + "/e.html"}, kPhotos);
  run({"evaluate", "--index", index, "--variants", "--report", out + "/v.html"}, kPhotos);
  run({"manual", "--out", out + "/man"}, 0);

  // An update: a photo more, one that cannot be read, one less; the neighbours and groups of before go.
  write_photo(made.photo("red/new.png"), 0, 99);
  write_text(made.photo("red/broken.png"), "no picture");
  fs::remove(made.photo("blue/0.png"));
  run({"index", "--index", index}, kPhotos, 3);
  run({"index", "--index", index}, kPhotos, 3);  // nothing changes any more
  fs::remove(fs::path(index) / ".lock");         // an index that was copied without it
  run({"neighbors", "--index", index}, kPhotos);
  fs::remove(fs::path(index) / ".lock");
  run({"index", "--index", index}, kPhotos, 3);
}

BOOST_AUTO_TEST_CASE(a_demo_plans_its_files) {
  const temporary_folder folder;
  const std::string out = (folder.path() / "a demo").string();
  const auto result = must_run({"demo", "--out", out, "--count", "24", "--dry-run", "--json", "--quiet"});
  BOOST_TEST(fs::is_empty(folder.path()));
  const auto document = result.json();
  BOOST_TEST(document.at("photos") == 24);
  std::set<std::string> files;
  for (const auto& file : document.at("files")) files.insert(file.at("path").get<std::string>());
  static_cast<void>(must_run({"demo", "--out", out, "--count", "24", "--epochs", "1", "--quiet", "--device", "cpu"}));
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(out)) {
    if (!entry.is_directory()) BOOST_TEST(files.erase(entry.path().string()) == 1u, "not planned: " << entry.path());
  }
  for (const std::string& file : files) BOOST_TEST(false, "planned, not made: " << file);
}

BOOST_AUTO_TEST_CASE(refusals_are_those_of_a_real_run) {
  const trained_folder made;
  const fs::path folder = fs::path(made.photos()).parent_path();
  fs::create_directories(folder / "empty");
  write_text(folder / "notes.html", "<p>mine</p>");
  write_text(folder / "file", "");
  const std::string index = made.index();
  const std::vector<std::vector<std::string>> lines{
      {"train", "--images", (folder / "empty").string(), "--model", (folder / "m.safetensors").string()},
      {"train", "--images", (folder / "none").string(), "--model", (folder / "m.safetensors").string()},
      {"train", "--images", made.photos(), "--model", made.photo("red/0.png"), "--preset", made.architecture()},
      {"index", "--images", (folder / "empty").string(), "--model", made.model(), "--index", (folder / "n").string()},
      {"index", "--images", made.photos(), "--model", made.model(), "--index", made.photos()},
      {"index", "--images", made.photos(), "--model", made.model(), "--index", (folder / "file").string()},
      {"query", "--index", index, "--id", "0", "--report", (folder / "notes.html").string()},
      {"query", "--index", index, "--id", "0", "--grid", (folder / "file" / "grid.png").string()},
      {"neighbors", "--index", index, "--matrix", index + "/m.npy"},
      {"choose-k", "--index", index, "--out", (folder / "file").string()},
      {"cluster", "--index", index, "-k", "3", "--out", made.photo("groups")},
      {"cluster", "--index", index, "-k", "3", "--out", (folder / "file").string()},
      {"cluster", "--index", index, "-k", "100"},
      {"manual", "--out", (folder / "file").string()},
  };
  for (std::vector<std::string> line : lines) {
    line.insert(line.end(), {"--quiet", "--device", "cpu"});
    std::vector<std::string> dry = line;
    dry.emplace_back("--dry-run");
    std::string shown;
    for (const std::string& word : line) shown += word + " ";
    BOOST_TEST_CONTEXT(shown) {
      const auto before = traces_of(folder);
      const auto tried = run_imgsim(dry);
      BOOST_TEST((traces_of(folder) == before), "the dry run left a trace");
      const auto done = run_imgsim(line);
      BOOST_TEST(tried.exit_code == done.exit_code);
      BOOST_TEST(tried.exit_code != 0);
      BOOST_TEST(tried.err == done.err);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
