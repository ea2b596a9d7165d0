// Photos that are broken, missing or oddly named, and folders without any.
#include <filesystem>
#include <fstream>
#include <string>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(photos)

BOOST_AUTO_TEST_CASE(a_broken_photo_is_listed_with_its_reason_and_gives_exit_code_3) {
  const trained_folder made;
  write_text(made.photo("red/broken.jpg"), "this is text");
  write_text(made.photo("red/empty.png"), "");
  const auto result = run_imgsim({"index", "--index", made.index(), "--json", "--quiet"});
  BOOST_TEST(result.exit_code == 3);
  BOOST_TEST(result.err.find("imgsim index: skipped red/broken.jpg: ") != std::string::npos);
  BOOST_TEST(result.err.find("imgsim index: skipped red/empty.png: ") != std::string::npos);
  BOOST_TEST(result.json().at("skipped").size() == 2u);
  BOOST_TEST(result.json().at("photos") == kLabels * kPhotosOfLabel);

  const auto trained = run_imgsim(
      {"train", "--images", made.photos(), "--model", made.model(), "--preset", made.architecture(), "--epochs", "1"});
  BOOST_TEST(trained.exit_code == 3);
  BOOST_TEST(trained.err.find("skipped red/broken.jpg") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_query_that_cannot_be_read_fails_alone_and_is_skipped_among_others) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const std::string broken = (folder.path() / "broken.png").string();
  write_text(broken, "no picture");
  const auto alone = run_imgsim({"query", "--index", made.index(), broken});
  BOOST_TEST(alone.exit_code == 1);
  BOOST_TEST(alone.err.starts_with("imgsim query: " + broken + ": "));
  BOOST_TEST(alone.out.empty());
  const auto among = run_imgsim({"query", "--index", made.index(), broken, made.photo("red/0.png"), "--json"});
  BOOST_TEST(among.exit_code == 3);
  BOOST_TEST(among.json().at("results").size() == 1u);
  BOOST_TEST_REQUIRE(among.json().at("skipped").size() == 1u);
  BOOST_TEST(among.json().at("skipped").at(0).at("path") == broken);
  BOOST_TEST(among.json().at("skipped").at(0).at("reason").get<std::string>().find("no JPEG") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_photo_of_the_index_that_cannot_be_read_any_more_is_an_empty_tile_and_named) {
  const trained_folder made;
  const temporary_folder folder;
  std::filesystem::remove(made.photo("red/1.png"));
  std::filesystem::resize_file(made.photo("red/2.png"), 20);
  const auto result = must_run({"query", "--index", made.index(), "--id", "red/0.png", "-n", "23", "--grid",
                                (folder.path() / "grid.png").string()});
  for (const char* gone : {"red/1.png", "red/2.png"}) {
    const std::size_t at = result.err.find("imgsim query: " + made.photo(gone) + ": ");
    BOOST_TEST_REQUIRE(at != std::string::npos, result.err);
    BOOST_TEST(result.err.substr(at, result.err.find('\n', at) - at).ends_with(" (shown as an empty tile)"));
  }
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_named_and_gives_exit_code_1) {
  const trained_folder& made = shared_folder();
  const std::vector<std::vector<std::string>> lines{
      {"query", "--index", made.index(), "/nowhere/cat.jpg"},
      {"query", "--index", "/nowhere/idx", made.photo("red/0.png")},
      {"query", "--index", made.index(), "--id", "/nowhere/cat.jpg"},
      {"index", "--images", "/nowhere", "--model", made.model(), "--index", "/nowhere/idx"},
      {"index", "--images", made.photos(), "--model", "/nowhere/m", "--index", "/tmp/imgsim-never-made"},
      {"train", "--images", "/nowhere", "--model", "m.safetensors"},
      {"train", "--images", made.photos(), "--model", "m.safetensors", "--preset", "/nowhere/a.json"},
      {"neighbors", "--index", "/nowhere/idx"},
      {"cluster", "--index", "/nowhere/idx", "-k", "3"},
      {"evaluate", "--index", "/nowhere/idx"},
      {"verify", "/nowhere/model"},
      {"info", "/nowhere/model"},
      {"import-keras", "/nowhere/weights.h5", "--model", "/tmp/imgsim-never-made.safetensors"},
  };
  for (const auto& line : lines) {
    const auto result = run_imgsim(line);
    BOOST_TEST_CONTEXT(line[0] << ": " << result.err) {
      BOOST_TEST(result.exit_code == 1);
      BOOST_TEST(result.err.starts_with("imgsim " + line[0] + ": "));
      BOOST_TEST(result.err.find("/nowhere") != std::string::npos);
      BOOST_TEST(result.out.empty());
    }
  }
  BOOST_TEST(!fs::exists("/tmp/imgsim-never-made"));
}

BOOST_AUTO_TEST_CASE(a_photo_that_is_not_in_the_index_is_told_the_nearest_name) {
  const auto result = run_imgsim({"query", "--index", shared_folder().index(), "--id", "red/33.png"});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.err.find("did you mean 'red/3.png'?") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_folder_without_photos_is_refused_and_makes_no_index) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  fs::create_directory(folder.path() / "empty");
  const auto result = run_imgsim({"index", "--images", (folder.path() / "empty").string(), "--model", made.model(),
                                  "--index", (folder.path() / "idx").string()});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.err.find("holds no photos (*.jpg, *.jpeg, *.png, *.webp), at any depth\n") != std::string::npos);
  BOOST_TEST(!fs::exists(folder.path() / "idx/manifest.json"));

  for (const char* name : {"a.HEIC", "b.heic", "c.txt", ".d.jpg"}) write_text(folder.path() / "empty" / name, "x");
  for (const char* command : {"index", "train"}) {
    std::vector<std::string> line{command, "--images", (folder.path() / "empty").string(), "--model", made.model()};
    if (line[0] == "index") line.insert(line.end(), {"--index", (folder.path() / "idx").string()});
    const std::string err = run_imgsim(line).err;
    BOOST_TEST(err.find("at any depth; other files there: 2 .heic, 1 .txt; 1 photo with a hidden name (a leading dot) "
                        "does not count\n") != std::string::npos,
               err);
  }
}

BOOST_AUTO_TEST_CASE(pictures_that_are_left_out_are_counted_and_other_files_are_not) {
  const trained_folder made;
  const temporary_folder folder;
  const auto noted = [&](const std::string& more) {
    std::vector<std::string> line{
        "index", "--images", made.photos(), "--model", made.model(), "--index", (folder.path() / "idx").string()};
    if (!more.empty()) line.push_back(more);
    return must_run(line).err;
  };
  for (const char* name : {"notes.txt", "labels.json", "film.mp4", "red/._0.png"}) write_text(made.photo(name), "x");
  BOOST_TEST(noted("").find("left out") == std::string::npos);
  for (const char* name : {"a.HEIC", "red/b.heic", "c.gif", ".d.jpg"}) write_text(made.photo(name), "x");
  const std::string line =
      "imgsim index: left out: 1 photo with a hidden name (a leading dot) and 3 pictures that are no JPEG, PNG or WebP "
      "(2 .heic, 1 .gif)\n";
  for (const std::string more : {"", "--dry-run"}) BOOST_TEST(noted(more).find(line) != std::string::npos, noted(more));
  BOOST_TEST(noted("--quiet").empty());
  const std::string trained = must_run({"train", "--images", made.photos(), "--model", (folder.path() / "m").string(),
                                        "--size", "32", "--epochs", "1", "--dry-run"})
                                  .err;
  BOOST_TEST(trained.find("imgsim train: left out: 1 photo with a hidden name") != std::string::npos, trained);
}

BOOST_AUTO_TEST_CASE(names_of_any_bytes_are_indexed_found_and_printed_safely) {
  const trained_folder made;
  const std::string odd = "red/a\x1b[31m\xff\n.png";
  write_photo(made.photo(odd), 0, 300);
  static_cast<void>(must_run({"index", "--index", made.index()}));
  const auto found = must_run({"query", "--index", made.index(), "--id", odd, "-n", "2"});
  BOOST_TEST(found.out.find('\x1b') == std::string::npos);
  const auto json = must_run({"query", "--index", made.index(), "--id", odd, "-n", "2", "--json"}).json();
  BOOST_TEST(json.at("results").at(0).at("query").get<std::string>().find(std::string("\0ff", 3)) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_demo_does_not_mix_two_sets_of_pictures) {
  const temporary_folder folder;
  write_text(folder.path() / ".imgsim-demo", "");
  write_photo(folder.path() / "photos/bricks/bricks-0003.jpg", 0, 1);
  const auto result = run_imgsim({"demo", "--count", "24", "--out", folder.path().string()});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.err.find("holds 1 picture that a set of --count 24 has not") != std::string::npos, result.err);
  BOOST_TEST(!std::filesystem::exists(folder.path() / "photos/fish"));
}

BOOST_AUTO_TEST_CASE(a_demo_takes_no_folder_of_other_files) {
  const temporary_folder folder;
  const std::string out = (folder.path() / "mine").string();
  fs::create_directory(out);
  write_photo(fs::path(out) / "groups.png", 0, 1);
  const std::string before = read_text(fs::path(out) / "groups.png");
  const std::vector<std::string> line{"demo", "--photos", shared_folder().photos(), "--out", out, "--epochs", "1"};
  for (const bool dry : {true, false}) {
    auto tried = line;
    if (dry) tried.emplace_back("--dry-run");
    const auto refused = run_imgsim(tried);
    BOOST_TEST(refused.exit_code == 1);
    BOOST_TEST(refused.err == "imgsim demo: " + out +
                                  ": holds files that no demo made (groups.png); name a new or an empty folder as "
                                  "--out\n");
  }
  BOOST_TEST(read_text(fs::path(out) / "groups.png") == before);
  BOOST_TEST(std::distance(fs::directory_iterator(out), fs::directory_iterator()) == 1);
  fs::remove(fs::path(out) / "groups.png");
  for (int run = 0; run < 2; ++run) static_cast<void>(must_run(line));  // into an empty one, and into its own
}

BOOST_AUTO_TEST_CASE(the_cap_on_pixels_holds) {
  const trained_folder& made = shared_folder();
  const auto result = run_imgsim({"query", "--index", made.index(), made.photo("red/0.png"), "--max-pixels", "1000"});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.err.find("pixels") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
