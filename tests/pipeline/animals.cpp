// The main job on real photos, by the command.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_data.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

namespace {

/// The first `count` photos of a set, by name, as links in a folder.
std::vector<std::string> link_photos(const std::string& set, std::size_t count, const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(data_folder() / set)) {
    if (entry.path().extension() == ".jpg") names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  names.resize(std::min(count, names.size()));
  fs::create_directories(folder);
  for (const std::string& name : names) fs::create_symlink(fs::canonical(data_folder() / set / name), folder / name);
  return names;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pipeline)

BOOST_AUTO_TEST_CASE(photos_to_groups, *needs_data("animals256")) {
  constexpr std::size_t kCount = 200;
  const temporary_folder folder;
  const std::string photos = (folder.path() / "photos").string();
  const std::string model = (folder.path() / "animals.safetensors").string();
  const std::string index = (folder.path() / "animals.idx").string();
  const std::vector<std::string> names = link_photos("animals256", kCount, photos);
  BOOST_TEST_REQUIRE(names.size() == kCount);

  const auto trained = must_run({"train", "--images", photos, "--model", model, "--preset", "maxpool-16-8-4", "--size",
                                 "64", "--epochs", "1", "--json"})
                           .json();
  BOOST_TEST(trained.at("training_photos") == 160);
  BOOST_TEST(trained.at("validation_photos") == 40);
  const auto indexed = must_run({"index", "--images", photos, "--model", model, "--index", index, "--json"}).json();
  BOOST_TEST(indexed.at("photos") == kCount);

  for (const std::size_t i : {std::size_t{0}, std::size_t{77}, kCount - 1}) {
    const auto answer = must_run({"query", "--index", index, photos + "/" + names[i], "-n", "3", "--metric",
                                  "cosine,euclidean", "--json"})
                            .json();
    for (const auto& list : answer.at("results")) {
      BOOST_TEST(list.at("matches").at(0).at("path") == names[i]);
      BOOST_TEST(list.at("matches").at(0).at("similarity") == (list.at("metric") == "cosine" ? 1.0 : 0.0));
    }
  }

  const auto groups = must_run({"cluster", "--index", index, "-k", "8", "--json"}).json();
  std::vector<std::size_t> rows;
  for (const auto& cluster : groups.at("clusters"))
    for (const auto& row : cluster) rows.push_back(row);
  std::sort(rows.begin(), rows.end());
  BOOST_TEST_REQUIRE(rows.size() == kCount);
  for (std::size_t row = 0; row < kCount; ++row) BOOST_TEST(rows[row] == row);
  BOOST_TEST(must_run({"verify", index, "--json"}).json().at("sound") == true);
}

BOOST_AUTO_TEST_CASE(every_broken_file_is_skipped_with_a_reason, *needs_data("bad")) {
  const temporary_folder folder;
  const std::string model = (folder.path() / "m.safetensors").string();
  const std::string bad = (data_folder() / "bad").string();
  const auto trained = run_imgsim({"train", "--images", bad, "--model", model, "--preset", "maxpool-16-8-4", "--size",
                                   "32", "--epochs", "1", "--quiet"});
  BOOST_TEST(trained.exit_code == 3, trained.err);
  const auto indexed =
      run_imgsim({"index", "--images", bad, "--model", model, "--index", (folder.path() / "idx").string(), "--json"});
  BOOST_TEST(indexed.exit_code == 3);
  std::size_t sound = 0;
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(bad)) {
    ++files;
    if (entry.path().filename().string().find("_ok") != std::string::npos) ++sound;
  }
  BOOST_TEST(indexed.json().at("photos").get<std::size_t>() >= sound);
  BOOST_TEST(indexed.json().at("photos").get<std::size_t>() + indexed.json().at("skipped").size() == files);
  for (const auto& file : indexed.json().at("skipped")) {
    BOOST_TEST(file.at("path").get<std::string>().find("_ok") == std::string::npos);
    BOOST_TEST(!file.at("reason").get<std::string>().empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()
