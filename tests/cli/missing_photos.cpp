// Pictures and pages of photos that are gone: all of them, their folder, or some.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"
#include "support/count_of.hpp"

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(missing_photos)

namespace {

namespace fs = std::filesystem;

/// Every command that draws the photos of an index, or reads them, writing into `out`.
std::vector<std::vector<std::string>> readers(const trained_folder& made, const fs::path& out) {
  const auto at = [&](const char* name) { return (out / name).string(); };
  return {{"query", "--index", made.index(), "--id", "0", "--grid", at("grid.png")},
          {"query", "--index", made.index(), "--id", "0", "--report", at("page.html")},
          {"query", "--index", made.index(), "--id", "0", "--thumbnails", "kitty"},
          {"cluster", "--index", made.index(), "-k", "3", "--out", at("groups")},
          {"cluster", "--index", made.index(), "-k", "3", "--out", at("groups"), "--partition", "copy"},
          {"duplicates", "--index", made.index(), "--report", at("page.html")},
          {"evaluate", "--index", made.index()}};
}

constexpr const char* kToldTile = " (shown as an empty tile)\n";

}  // namespace

BOOST_AUTO_TEST_CASE(of_a_folder_that_is_gone_nothing_is_drawn) {
  const trained_folder made;
  const temporary_folder folder;
  const fs::path out = folder.path() / "out";
  fs::rename(made.photos(), made.photos() + "-elsewhere");
  fs::create_directories(made.photos() + "-");
  write_text(made.photos() + "-/manifest.json", "{}");  // nearer by its name, but an index
  for (std::vector<std::string> line : readers(made, out))
    for (const bool dry : {false, true}) {
      const bool writes = line[0] != "evaluate" && line[0] != "duplicates";
      if (dry && !writes) continue;
      if (dry) line.emplace_back("--dry-run");
      const auto refused = run_imgsim(line);
      BOOST_TEST_CONTEXT(line[0] << " " << line.back() << ": " << refused.err) {
        BOOST_TEST(refused.exit_code == 1);
        BOOST_TEST(refused.out.empty());
        BOOST_TEST(refused.err.starts_with("imgsim " + line[0] + ": " + made.photos() +
                                           ": the folder of the photos is not there (moved, or not mounted?)"));
        BOOST_TEST(refused.err.ends_with("\nDid you mean " + made.photos() + "-elsewhere?\n"));
        BOOST_TEST(std::count(refused.err.begin(), refused.err.end(), '\n') == 2);
      }
    }
  BOOST_TEST(!fs::exists(out));
  // What needs no photo goes on.
  static_cast<void>(must_run({"query", "--index", made.index(), "--id", "0"}));
  static_cast<void>(must_run({"cluster", "--index", made.index(), "-k", "3"}));
  BOOST_TEST(must_run({"evaluate", "--index", made.index(), "--no-baselines", "--json"}).json().contains("map"));
}

BOOST_AUTO_TEST_CASE(a_folder_that_holds_none_of_them_is_one_that_is_gone) {
  const trained_folder made;
  const temporary_folder folder;
  fs::rename(made.photos(), made.photos() + "-elsewhere");
  fs::create_directories(made.photos());  // where a disk is mounted at other times
  for (const std::vector<std::string>& line : readers(made, folder.path() / "out")) {
    const auto refused = run_imgsim(line);
    BOOST_TEST(refused.exit_code == 1, line[0] << ": " << refused.err);
    BOOST_TEST(refused.err.starts_with("imgsim " + line[0] + ": " + made.photos() + ": holds none of the photos of " +
                                       made.index() + " (moved, or not mounted?)"),
               refused.err);
    BOOST_TEST(std::count(refused.err.begin(), refused.err.end(), '\n') == 1, refused.err);
  }
  BOOST_TEST(!fs::exists(folder.path() / "out"));
}

BOOST_AUTO_TEST_CASE(some_that_are_gone_are_named_once_and_remarked_on_the_page) {
  const trained_folder made;
  const temporary_folder folder;
  fs::remove(made.photo("red/1.png"));
  fs::resize_file(made.photo("red/2.png"), 20);
  const std::string page = (folder.path() / "page.html").string(), groups = (folder.path() / "groups").string();
  const std::string remark = "2 photos could not be read and are empty tiles: red/1.png and red/2.png";
  const auto asked = must_run({"query", "--index", made.index(), "--id", "red/0.png", "-n", "23", "--grid",
                               (folder.path() / "grid.png").string(), "--report", page});
  BOOST_TEST(count_of(asked.err, kToldTile) == 2u, asked.err);
  BOOST_TEST(read_text(page).find(remark) != std::string::npos);
  const auto grouped = must_run({"cluster", "--index", made.index(), "-k", "3", "--out", groups});
  BOOST_TEST(count_of(grouped.err, kToldTile) == 2u, grouped.err);
  BOOST_TEST(read_text(groups + "/report.html").find(remark) != std::string::npos);
  BOOST_TEST(read_text(groups + "/report.html").find("24 photos in 3 groups by ") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
