// cluster --partition: one folder a group, nothing overwritten.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

namespace {

std::vector<fs::path> photos_below(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".png" && !entry.is_directory()) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

command_result partition(const trained_folder& made, const fs::path& out, const std::string& kind,
                         const std::string& k = "2") {
  return run_imgsim({"cluster", "--index", made.index(), "-k", k, "--out", out.string(), "--partition", kind});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(partitions)

BOOST_AUTO_TEST_CASE(every_photo_is_placed_once_by_each_kind) {
  // red/0.png, green/0.png and blue/0.png bear the same name: with 2 groups, some of them meet.
  const trained_folder& made = shared_folder();
  for (const std::string kind : {"copy", "symlink", "hardlink"}) {
    const temporary_folder folder;
    BOOST_TEST_CONTEXT(kind) {
      const auto result = partition(made, folder.path(), kind);
      BOOST_TEST_REQUIRE(result.exit_code == 0, result.err);
      const auto placed = photos_below(folder.path() / "groups");
      BOOST_TEST(placed.size() == kLabels * kPhotosOfLabel);
      std::set<std::string> contents;
      for (const fs::path& path : placed) {
        contents.insert(read_text(path));
        BOOST_TEST(fs::is_symlink(path) == (kind == "symlink"));
        BOOST_TEST(fs::hard_link_count(path) == (kind == "hardlink" ? 2u : 1u));
      }
      BOOST_TEST(contents.size() == kLabels * kPhotosOfLabel);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_interrupted_partition_is_continued) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  BOOST_TEST_REQUIRE(partition(made, folder.path(), "copy").exit_code == 0);
  const auto placed = photos_below(folder.path() / "groups");
  fs::remove(placed[3]);
  // Of the photo that is missing, and of one in a group where nothing is missing.
  for (const fs::path& beside : {placed[3], placed.back()})
    write_text(beside.parent_path() / ".imgsim-partial", "half a photo");
  BOOST_TEST_REQUIRE(placed[3].parent_path() != placed.back().parent_path());
  const auto again = partition(made, folder.path(), "copy");
  BOOST_TEST(again.exit_code == 0);
  BOOST_TEST(again.err.find("1 photo placed") != std::string::npos, again.err);
  BOOST_TEST((photos_below(folder.path() / "groups") == placed));
  for (const fs::path& beside : {placed[3], placed.back()})
    BOOST_TEST(!fs::exists(beside.parent_path() / ".imgsim-partial"));
}

BOOST_AUTO_TEST_CASE(what_a_partial_file_leads_to_is_not_written) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  BOOST_TEST_REQUIRE(partition(made, folder.path() / "out", "copy").exit_code == 0);
  const auto placed = photos_below(folder.path() / "out/groups");
  const fs::path victim = folder.path() / "victim", linked = folder.path() / "linked";
  write_text(victim, "precious");
  write_text(linked, "precious, too");
  fs::remove(placed[0]);
  const fs::path partial = placed[0].parent_path() / ".imgsim-partial";
  fs::create_symlink(victim, partial);
  BOOST_TEST(partition(made, folder.path() / "out", "copy").exit_code == 0);
  fs::remove(placed[0]);
  fs::create_hard_link(linked, partial);
  BOOST_TEST(partition(made, folder.path() / "out", "copy").exit_code == 0);
  BOOST_TEST(read_text(victim) == "precious");
  BOOST_TEST(read_text(linked) == "precious, too");
  BOOST_TEST(fs::is_regular_file(fs::symlink_status(placed[0])));
  BOOST_TEST((photos_below(folder.path() / "out/groups") == placed));
  // Nor where a group's folder leads.
  const fs::path group = placed[0].parent_path(), elsewhere = folder.path() / "elsewhere";
  fs::rename(group, elsewhere);
  fs::create_directory_symlink(elsewhere, group);
  const auto led = partition(made, folder.path() / "out", "copy");
  BOOST_TEST(led.exit_code == 1);
  BOOST_TEST(led.err.find("is a link to elsewhere") != std::string::npos, led.err);
}

BOOST_AUTO_TEST_CASE(a_partition_that_leads_elsewhere_is_refused_before_a_file_is_written) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const fs::path out = folder.path() / "out", elsewhere = folder.path() / "elsewhere";
  fs::create_directories(out);
  fs::create_directories(elsewhere);
  const auto is_refused = [&](const std::string& reason) {
    const auto led = partition(made, out, "copy");
    BOOST_TEST(led.exit_code == 1);
    BOOST_TEST(led.err.find(reason) != std::string::npos, led.err);
    BOOST_TEST(!fs::exists(out / "k_groups.json"));
    BOOST_TEST(fs::is_empty(elsewhere));
  };
  fs::create_directory_symlink(elsewhere, out / "groups");
  is_refused("is a link to elsewhere");
  fs::remove(out / "groups");
  fs::create_directories(out / "groups");
  fs::create_directory_symlink(elsewhere, out / "groups/group_01");
  is_refused("is a link to elsewhere");
  fs::remove_all(out / "groups");
  fs::copy(made.index(), out / "groups");
  is_refused("is an index; name another place");
}

BOOST_AUTO_TEST_CASE(names_of_any_kind_are_kept_and_equal_ones_numbered) {
  const trained_folder made;
  const std::string dash = "-rf.png", line = "two\nlines.png", accent = "\xc3\xa9t\xc3\xa9.png", raw = "caf\xe9.png",
                    upper = "LOUD.PNG", lower = "loud.png", full = std::string(250, 'x') + ".png";
  const auto characters = [](std::size_t count) {  // of 2 bytes each
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "\xc3\xa9";
    return text;
  };
  const std::string wide = characters(125) + ".png";
  std::uint64_t seed = 700;
  for (const std::string& name : {dash, line, accent, raw, upper, full, wide})
    write_photo(made.photo("red/" + name), 0, ++seed);
  for (const std::string& name : {dash, line, accent, raw, lower, full, wide})
    write_photo(made.photo("blue/" + name), 0, ++seed);
  write_photo(made.photo("red/more/" + dash), 0, ++seed);  // a third, and one that is called as it will be
  write_photo(made.photo("red/more/-rf~3.png"), 0, ++seed);
  static_cast<void>(must_run({"index", "--images", made.photos(), "--index", made.index(), "--quiet"}));
  const temporary_folder folder;
  const auto result = partition(made, folder.path(), "copy", "1");
  BOOST_TEST_REQUIRE(result.exit_code == 0, result.err);
  const fs::path group = folder.path() / "groups/group_00";
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(group)) names.insert(entry.path().filename().string());
  BOOST_TEST(names.size() == kLabels * kPhotosOfLabel + 16);
  for (const std::string& name : {dash, line, accent, raw, full, wide}) BOOST_TEST(names.count(name) == 1u, name);
  for (const std::string& name :
       {std::string("-rf~2.png"), std::string("-rf~3.png"), std::string("-rf~3~2.png"), std::string("two\nlines~2.png"),
        std::string("caf\xe9~2.png"), std::string(249, 'x') + "~2.png", characters(124) + "~2.png"})
    BOOST_TEST(names.count(name) == 1u, name);
  BOOST_TEST(names.count("LOUD~2.PNG") + names.count("loud~2.png") == 1u);
}

BOOST_AUTO_TEST_CASE(a_place_that_is_taken_is_left_alone) {
  const trained_folder& made = shared_folder();
  for (const std::string kind : {"copy", "symlink", "hardlink"}) {
    const temporary_folder folder;
    BOOST_TEST_CONTEXT(kind) {
      BOOST_TEST_REQUIRE(partition(made, folder.path(), kind).exit_code == 0);
      const auto placed = photos_below(folder.path() / "groups");
      for (std::size_t i = 0; i < 5; ++i) {
        fs::remove(placed[i]);
        write_text(placed[i], "mine");
      }
      const auto again = partition(made, folder.path(), kind);
      BOOST_TEST(again.exit_code == 3);
      BOOST_TEST(again.err.find("skipped 5 photos: something else is in the place of each, the first at " +
                                (folder.path() / "groups").string()) != std::string::npos,
                 again.err);
      BOOST_TEST(again.err.find("left alone") == again.err.rfind("left alone"));
      for (std::size_t i = 0; i < 5; ++i) BOOST_TEST(read_text(placed[i]) == "mine");
    }
  }
}

BOOST_AUTO_TEST_CASE(another_grouping_and_foreign_folders_are_refused) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  BOOST_TEST_REQUIRE(partition(made, folder.path(), "copy").exit_code == 0);
  const auto written = [&] {
    return read_text(folder.path() / "k_groups.json") + read_text(folder.path() / "report.html") +
           read_text(folder.path() / "groups/k_groups.json") + read_text(made.index() + "/manifest.json");
  };
  const std::string before = written();
  const auto refuses = [&](const std::string& kind, const std::string& k, const std::string& difference) {
    const auto other = partition(made, folder.path(), kind, k);
    BOOST_TEST(other.exit_code == 1);
    BOOST_TEST(other.err.ends_with("\nimgsim cluster: " + (folder.path() / "groups").string() +
                                   ": holds the groups of another run (" + difference +
                                   "); name another --out folder, or remove this one\n"));
    BOOST_TEST((written() == before));
  };
  refuses("copy", "3", "k 2, now 3");
  refuses("copy", "20", "k 2, now 20");
  refuses("symlink", "2", "partition \"copy\", now \"symlink\"");
  fs::create_directories(folder.path() / "foreign/groups");
  write_text(folder.path() / "foreign/groups/letter.txt", "dear");
  const auto foreign = partition(made, folder.path() / "foreign", "copy");
  BOOST_TEST(foreign.exit_code == 1);
  BOOST_TEST(foreign.err.find("not made by imgsim") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(groups_do_not_go_beside_the_partition_of_others) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const std::string out = folder.path().string();
  BOOST_TEST_REQUIRE(partition(made, out, "symlink").exit_code == 0);
  const std::string before = read_text(out + "/k_groups.json"), page = read_text(out + "/report.html");
  const auto other = run_imgsim({"cluster", "--index", made.index(), "-k", "3", "--out", out});
  BOOST_TEST(other.exit_code == 1);
  BOOST_TEST(other.err.find(out + "/groups: holds the groups of another run (k 2, now 3); name another --out folder, "
                                  "or remove this one") != std::string::npos,
             other.err);
  BOOST_TEST(read_text(out + "/k_groups.json") == before);
  BOOST_TEST(read_text(out + "/report.html") == page);
  static_cast<void>(must_run({"cluster", "--index", made.index(), "-k", "2", "--out", out}));
  fs::remove_all(out + "/groups");
  static_cast<void>(must_run({"cluster", "--index", made.index(), "-k", "3", "--out", out}));
}

BOOST_AUTO_TEST_CASE(hard_links_to_another_file_system_are_refused_and_leave_the_folder_usable) {
  const trained_folder& made = shared_folder();
  std::error_code missing;
  struct stat here{}, there{};
  if (::stat(made.photos().c_str(), &here) != 0 || ::stat("/dev/shm", &there) != 0 || here.st_dev == there.st_dev ||
      ::access("/dev/shm", W_OK) != 0) {
    BOOST_TEST_MESSAGE("skipped: no second file system");
    return;
  }
  const fs::path out = "/dev/shm/imgsim-test-" + std::to_string(::getpid());
  fs::remove_all(out, missing);
  const auto refused = partition(made, out, "hardlink");
  BOOST_TEST(refused.exit_code == 1);
  BOOST_TEST(refused.err.find("it lies on another file system); use --partition copy or symlink") != std::string::npos,
             refused.err);
  BOOST_TEST(!fs::exists(out));
  const auto copied = partition(made, out, "copy");
  BOOST_TEST(copied.exit_code == 0, copied.err);
  BOOST_TEST(photos_below(out / "groups").size() == kLabels * kPhotosOfLabel);
  fs::remove_all(out, missing);
}

BOOST_AUTO_TEST_CASE(output_within_the_photos_is_refused) {
  const trained_folder made;
  fs::create_directory_symlink(made.photos(), made.photos() + "-link");
  for (const std::string& out : {made.photos(), made.photo("red"), made.photo("new/deep"), made.photos() + "-link/x"}) {
    const auto result = partition(made, out, "copy");
    BOOST_TEST(result.exit_code == 1, out);
    BOOST_TEST(result.err.find("lies within the folder of the photos") != std::string::npos, result.err);
    BOOST_TEST(!fs::exists(fs::path(out) / "groups"));
  }
}

BOOST_AUTO_TEST_CASE(a_photo_that_is_gone_is_skipped) {
  const trained_folder made;
  const temporary_folder folder;
  fs::remove(made.photo("red/0.png"));
  const auto result = partition(made, folder.path(), "hardlink");
  BOOST_TEST(result.exit_code == 3);
  BOOST_TEST(result.err.find("skipped red/0.png: it is no longer") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_photo_that_changed_since_it_was_indexed_is_listed_and_not_placed) {
  const trained_folder made;
  const auto flip_last_byte = [&](const std::string& name) {
    std::string bytes = read_text(made.photo(name));
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    write_text(made.photo(name), bytes);
  };
  fs::resize_file(made.photo("red/1.png"), fs::file_size(made.photo("red/1.png")) / 2);
  write_photo(made.photo("red/2.png"), 2, 77);
  flip_last_byte("red/3.png");
  const auto date = fs::last_write_time(made.photo("red/4.png"));
  flip_last_byte("red/4.png");
  fs::last_write_time(made.photo("red/4.png"), date);
  fs::last_write_time(made.photo("red/5.png"), date + std::chrono::hours(1));
  for (const std::string kind : {"copy", "symlink", "hardlink"}) {
    // A link leads to whatever is there later: a look at size and date is what it is made after.
    std::set<std::string> changed{"red/1.png", "red/2.png", "red/3.png"};
    const temporary_folder folder;
    std::vector<std::string> line{"cluster",     "--index", made.index(), "-k", "1", "--out", folder.path().string(),
                                  "--partition", kind,      "--quiet"};
    line.emplace_back("--dry-run");
    const auto names_every_one = [&](const command_result& result) {
      BOOST_TEST_CONTEXT(kind << ": " << result.err) {
        BOOST_TEST(result.exit_code == 3);
        for (const std::string& name : changed)
          BOOST_TEST(result.err.find("skipped " + name + ": it has changed since it was indexed; run imgsim index") !=
                     std::string::npos);
        BOOST_TEST(static_cast<std::size_t>(std::ranges::count(result.err, '\n')) == changed.size());
      }
    };
    names_every_one(run_imgsim(line));
    line.pop_back();
    if (kind == "copy") changed.insert("red/4.png");
    for (const bool again : {false, true}) {
      names_every_one(run_imgsim(line));
      const std::size_t placed = photos_below(folder.path() / "groups").size();
      BOOST_TEST(placed == kLabels * kPhotosOfLabel - changed.size(), kind << again);
    }
    BOOST_TEST(!fs::exists(folder.path() / "groups/group_00/.imgsim-partial"));
  }
}

BOOST_AUTO_TEST_CASE(a_copy_that_is_not_the_photo_that_was_indexed_is_not_taken_for_it) {
  const trained_folder made;
  const temporary_folder folder;
  BOOST_TEST_REQUIRE(partition(made, folder.path(), "copy", "1").exit_code == 0);
  const fs::path copy = photos_below(folder.path() / "groups").front();
  std::string bytes = read_text(copy);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_text(copy, bytes);
  const auto again = partition(made, folder.path(), "copy", "1");
  BOOST_TEST(again.exit_code == 3);
  BOOST_TEST(
      again.err.find("something else is in the place of each, the first at " + copy.string()) != std::string::npos,
      again.err);
}

BOOST_AUTO_TEST_SUITE_END()
