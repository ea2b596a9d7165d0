// An index that is brought up to date with another folder or another model than it was made with.
#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

namespace {

bool says(const command_result& result, const std::string& text) {
  return result.err.find(text) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reindex)

BOOST_AUTO_TEST_CASE(a_folder_that_shares_no_photo_replaces_them_only_when_told_to) {
  const trained_folder made;
  const temporary_folder folder;
  const std::string other = (folder.path() / "other").string();
  for (std::size_t i = 0; i < 3; ++i) write_photo(fs::path(other) / "red" / (std::to_string(i) + ".png"), 0, 500 + i);
  const std::string before = read_text(made.index() + "/manifest.json");
  std::vector<std::string> line{"index", "--index", made.index(), "--images", other};
  const auto refused = run_imgsim(line);
  BOOST_TEST(refused.exit_code == 1);
  BOOST_TEST(says(refused, "holds 24 photos of " + made.photos() + ", none of which is in " + other), refused.err);
  BOOST_TEST(says(refused, "--replace"));
  BOOST_TEST(read_text(made.index() + "/manifest.json") == before);
  line.insert(line.end(), {"--replace", "--json"});
  const auto replaced = must_run(line);
  BOOST_TEST(says(replaced, "24 of them are dropped"), replaced.err);
  BOOST_TEST(replaced.json().at("photos") == 3);
}

BOOST_AUTO_TEST_CASE(another_folder_with_some_of_the_photos_says_how_many_are_dropped) {
  const trained_folder made;
  const temporary_folder folder;
  const fs::path other = folder.path() / "other";
  fs::copy(made.photo("red"), other, fs::copy_options::recursive);
  const auto refused = run_imgsim({"index", "--index", made.index(), "--images", other.string()});
  BOOST_TEST(refused.exit_code == 1);
  BOOST_TEST(says(refused, "16 of which are not in"), refused.err);
  const auto result = must_run({"index", "--index", made.index(), "--images", other.string(), "--replace", "--json"});
  BOOST_TEST(says(result, "16 of them are dropped"), result.err);
  BOOST_TEST(result.json().at("photos") == 8);
  BOOST_TEST(result.json().at("encoded") == 0);
}

BOOST_AUTO_TEST_CASE(a_folder_that_was_moved_is_no_other_folder) {
  const trained_folder made;
  fs::rename(made.photos(), made.photos() + "-moved");
  const auto result = must_run({"index", "--index", made.index(), "--images", made.photos() + "-moved", "--json"});
  BOOST_TEST(result.json().at("unchanged") == 24);
  BOOST_TEST(says(result, "all of them are there, too"), result.err);
  BOOST_TEST(!says(result, "dropped"));
}

BOOST_AUTO_TEST_CASE(another_model_encodes_all_again_and_says_so) {
  const trained_folder made;
  static_cast<void>(must_run({"neighbors", "--index", made.index(), "-n", "3"}));
  static_cast<void>(must_run({"cluster", "--index", made.index(), "-k", "3"}));
  const temporary_folder folder;
  const std::string model = (folder.path() / "other.safetensors").string();
  static_cast<void>(must_run({"train", "--images", made.photos(), "--model", model, "--preset", made.architecture(),
                              "--seed", "3", "--epochs", "1"}));
  const std::vector<std::string> line{"index", "--index", made.index(), "--model", model};
  const auto result = must_run(line);
  BOOST_TEST(says(result, "another model than the index was made with: all 24 photos are encoded again"), result.err);
  BOOST_TEST(says(result, "the stored neighbors and groups were of the photos before and are dropped"), result.err);
  BOOST_TEST(result.out.find("unchanged 0, encoded again 24,") != std::string::npos, result.out);
  const auto again = must_run(line);
  BOOST_TEST(again.err.empty(), again.err);
  BOOST_TEST(again.out.find("unchanged 24,") != std::string::npos, again.out);
}

BOOST_AUTO_TEST_CASE(what_goes_with_changed_photos_is_told) {
  const trained_folder made;
  static_cast<void>(must_run({"neighbors", "--index", made.index(), "-n", "3"}));
  write_photo(made.photo("red/new.png"), 0, 900);
  const auto result = must_run({"index", "--index", made.index(), "--json"});
  BOOST_TEST(result.json().at("dropped") == nlohmann::json{"neighbors"});
  BOOST_TEST(says(result, "make them again with: imgsim neighbors --index " + made.index() + "\n"), result.err);
}

BOOST_AUTO_TEST_SUITE_END()
