// Names of photos and folders that would break a line, move the cursor or colour the terminal: every command shows them
// and obeys none.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "cli/shell.hpp"
#include "cli/trained_folder.hpp"
#include "support/count_of.hpp"

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(hostile_names)

namespace {

namespace fs = std::filesystem;

// A line of its own; colours; the same as one C1 character; the cursor to the left; a right-to-left override; DEL; a
// byte that is no UTF-8.
const std::vector<std::string> kNames{"a\nFORGED",
                                      "b\x1b[31m\x1b]0;title\a",
                                      "c\xc2\x9b"
                                      "31m",
                                      "d\rFORGED",
                                      "e\xe2\x80\xaegnp",
                                      "f\x7f\b\b",
                                      "g\xe9\xff"};

/// That what was printed is UTF-8 lines without a control character, none of which a name has made.
void is_plain(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    BOOST_TEST((byte >= 0x20 || byte == '\n'), "control character " << int{byte} << " at " << i);
    BOOST_TEST(byte != 0x7f, "DEL at " << i);
    BOOST_TEST(!(byte == 0xc2 && next >= 0x80 && next < 0xa0), "C1 control at " << i);
    BOOST_TEST(text.compare(i, 3, "\xe2\x80\xae") != 0, "override at " << i);
  }
  for (const std::string& line : lines_of(text)) BOOST_TEST(!line.starts_with("FORGED"), line);
  BOOST_TEST(text.find('\xff') == std::string::npos);
}

command_result is_plain(const std::vector<std::string>& line, int exit_code) {
  const command_result result = run_imgsim(line);
  std::string shown;
  for (const std::string& word : line) shown += word + " ";
  BOOST_TEST_CONTEXT(shown << '\n' << result.out << result.err) {
    BOOST_TEST(result.exit_code == exit_code);
    is_plain(result.out);
    is_plain(result.err);
  }
  return result;
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_command_obeys_the_name_of_a_photo_or_a_folder) {
  const trained_folder made;
  const temporary_folder folder;
  const fs::path work = folder.path() / "the\nFORGED\x1b[2J";
  fs::create_directories(work);
  fs::copy(made.photos(), work / "photos", fs::copy_options::recursive);
  fs::copy(made.model(), work / "m.safetensors");
  const std::string photos = (work / "photos").string(), index = (work / "i.idx").string(),
                    model = (work / "m.safetensors").string(), out = (work / "out").string();
  std::uint64_t seed = 500;
  for (const std::string& name : kNames) {
    write_photo(work / "photos" / name / (name + ".png"), 0, ++seed);
    fs::copy(work / "photos" / name / (name + ".png"), work / "photos" / name / (name + " twin.png"));
    write_text(work / "photos" / name / (name + " broken.png"), "no picture");
  }
  const std::string photo = (work / "photos" / kNames[0] / (kNames[0] + ".png")).string();
  const std::string broken = (work / "photos" / kNames[1] / (kNames[1] + " broken.png")).string();
  const auto run = [&](std::vector<std::string> line, int exit_code) {
    is_plain(line, exit_code);
    line.emplace_back("--json");
    const command_result result = is_plain(line, exit_code);
    if (exit_code == 0 || exit_code == 3) static_cast<void>(result.json());
  };
  const auto shown = is_plain({"index", "--images", photos, "--model", model, "--index", index}, 3);
  BOOST_TEST(count_of(shown.err, "imgsim index: skipped ") == kNames.size(), shown.err);
  is_plain({"index", "--images", photos, "--model", model, "--index", index, "--dry-run"}, 3);
  run({"index", "--index", index}, 3);
  run({"info", index}, 0);
  run({"info", model}, 0);
  run({"verify", index}, 0);
  run({"verify", model}, 0);
  run({"neighbors", "--index", index, "-n", "3", "--export", out + "/sorted.json"}, 0);
  run({"query", "--index", index, photo, broken, "--report", out + "/q.html", "--grid", out + "/g.png"}, 3);
  run({"query", "--index", index, "--id", kNames[1] + "/" + kNames[1] + ".png", "-n", "3"}, 0);
  run({"query", "--index", index, "--id", "no\nFORGED\x1b[1m"}, 1);
  run({"choose-k", "--index", index, "--k-max", "5", "--out", out + "/curve"}, 0);
  run({"cluster", "--index", index, "-k", "3", "--outliers", "0.2", "--out", out, "--partition", "copy"}, 0);
  run({"cluster", "--index", index, "-k", "2", "--out", out, "--partition", "copy"}, 1);  // holds those of another
  run({"predict", "--index", index, photo, broken}, 3);
  run({"duplicates", "--index", index, "--report", out + "/d.html"}, 0);
  run({"evaluate", "--index", index, "--labels", "folder", "--report", out + "/e.html"}, 0);
  run({"compare", photo, photo, "--model", model}, 0);
  run({"train", "--images", photos, "--model", out + "/new\nFORGED.safetensors", "--preset", made.architecture(),
       "--epochs", "1", "--report", out + "/t.html"},
      3);

  // What changed, what is gone, what is refused.
  write_photo(work / "photos" / kNames[0] / (kNames[0] + ".png"), 1, 999);
  fs::remove(work / "photos" / kNames[1] / (kNames[1] + ".png"));
  const std::vector<std::string> again{"cluster", "--index", index,         "-k",  "3",
                                       "--out",   out + "2", "--partition", "copy"};
  BOOST_TEST(is_plain(again, 3).err.find("skipped a\xe2\x90\x8a"
                                         "FORGED/a\xe2\x90\x8a"
                                         "FORGED.png: it has changed") != std::string::npos);
  run({"verify", index}, 0);
  run({"serve", "--index", index + "\nFORGED"}, 1);
  run({"query", "--index", index + "\nFORGED", photo}, 1);
  run({"query", "--index", index, "--bad\nFORGED"}, 2);
  run({"index", "--index", out + "/none\nFORGED"}, 2);
  is_plain({"un\nFORGED\x1b[1m"}, 2);

  running_imgsim watching;
  const fs::path seen = folder.path() / "out", said = folder.path() / "err";
  watching.start({"watch", "--index", index}, seen, said);
  for (int i = 0; i < 3000 && read_text(seen).empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  watching.signal(SIGTERM);
  static_cast<void>(watching.wait());
  BOOST_TEST_CONTEXT(read_text(seen) << read_text(said)) {
    BOOST_TEST(!read_text(seen).empty());
    is_plain(read_text(seen));
    is_plain(read_text(said));
  }
}

BOOST_AUTO_TEST_CASE(a_command_to_paste_means_the_file_that_it_names, *needs_program("bash")) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const std::string index = (folder.path() / "it's \\ a\n\x1b[1m\xe9 1.idx").string();
  const auto result = must_run({"index", "--images", made.photos(), "--model", made.model(), "--index", index});
  const std::string before = "imgsim cluster --index ";
  const std::size_t at = result.err.find(before);
  BOOST_TEST_REQUIRE(at != std::string::npos, result.err);
  const std::size_t begin = at + before.size();
  const std::string word = result.err.substr(begin, result.err.find(" -k auto", begin) - begin);
  BOOST_TEST(run_script("bash", "printf %s " + word, folder.path()) == index);
}

BOOST_AUTO_TEST_SUITE_END()
