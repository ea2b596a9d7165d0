// imgsim index and info say when photos are of another kind than those that the model was trained on.
#include <string>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(cli_drift)

namespace {

/// A model of red photos; red ones that it has not seen, and blue ones.
class red_and_blue {
 public:
  red_and_blue() {
    for (std::uint64_t i = 0; i < 120; ++i) write_photo(path("trained/" + std::to_string(i) + ".png"), 0, i);
    for (std::uint64_t i = 0; i < 60; ++i) {
      write_photo(path("alike/" + std::to_string(i) + ".png"), 0, 1000 + i);
      write_photo(path("other/" + std::to_string(i) + ".png"), 2, 1000 + i);
    }
    write_text(path("tiny.json"), kTinyArchitecture);
    static_cast<void>(must_run({"train", "--images", path("trained"), "--model", path("m.safetensors"), "--preset",
                                path("tiny.json"), "--quiet", "--device", "cpu"}));
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  [[nodiscard]] command_result index(const std::string& photos, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> line{"index",   "--images",           path(photos), "--model", path("m.safetensors"),
                                  "--index", path(photos + ".idx")};
    line.insert(line.end(), more.begin(), more.end());
    return must_run(line);
  }

 private:
  temporary_folder folder_;
};

const red_and_blue& kinds() {
  static const red_and_blue made;
  return made;
}

bool warns(const command_result& result) {
  return result.err.find("of another kind than those that the model was trained on") != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(photos_of_the_same_kind_are_not_drift) {
  for (const char* photos : {"trained", "alike"}) {
    const command_result result = kinds().index(photos, {"--json"});
    const auto drift = result.json().at("drift");
    BOOST_TEST(!warns(result), result.err);
    BOOST_TEST(drift.at("drifted") == false);
    BOOST_TEST(drift.at("told_apart").get<double>() <= drift.at("chance").get<double>());
    BOOST_TEST(drift.at("photos") == result.json().at("photos"));
    const std::string text = kinds().index(photos).out;
    BOOST_TEST(text.find("\ndrift: none; a photo here is told from one ") != std::string::npos, text);
  }
}

BOOST_AUTO_TEST_CASE(photos_of_another_kind_are_with_a_figure) {
  const command_result result = kinds().index("other");
  BOOST_TEST(warns(result), result.err);
  BOOST_TEST(result.out.find("\ndrift: a photo here is told from one that the model was trained on in ") !=
             std::string::npos);
  const auto again = kinds().index("other", {"--json"});  // also where nothing was encoded
  BOOST_TEST(warns(again), again.err);
  BOOST_TEST(again.json().at("encoded") == 0);
  const auto drift = again.json().at("drift");
  BOOST_TEST(drift.at("told_apart").get<double>() > 0.95);
  BOOST_TEST(drift.at("drifted") == true);
  BOOST_TEST(must_run({"info", kinds().path("other.idx"), "--json"}).json().at("drift") == drift);
}

BOOST_AUTO_TEST_CASE(a_model_says_that_it_tells_drift_and_not_by_which_numbers) {
  const auto told = must_run({"info", kinds().path("m.safetensors"), "--json"});
  BOOST_TEST(told.json().at("tells_drift") == true);
  BOOST_TEST(!told.json().at("made").contains("drift"));
  BOOST_TEST(told.out.size() < 4000u);
}

BOOST_AUTO_TEST_CASE(models_of_few_photos_say_nothing) {
  const trained_folder few;  // 24 photos, of which 5 are held out: all are kept, and compared with themselves
  BOOST_TEST(must_run({"info", few.model(), "--json"}).json().at("tells_drift") == true);
  const temporary_folder folder;
  for (std::uint64_t i = 0; i < 15; ++i) write_photo(folder.path() / "photos" / (std::to_string(i) + ".png"), i % 2, i);
  const std::string model = (folder.path() / "m.safetensors").string();
  static_cast<void>(must_run({"train", "--images", (folder.path() / "photos").string(), "--model", model, "--preset",
                              few.architecture(), "--quiet", "--device", "cpu"}));
  BOOST_TEST(must_run({"info", model, "--json"}).json().at("tells_drift") == false);
  const auto result = must_run({"index", "--images", kinds().path("other"), "--model", model, "--index",
                                (folder.path() / "idx").string(), "--json"});
  BOOST_TEST(result.json().at("drift").is_null());
  BOOST_TEST(!warns(result));
}

BOOST_AUTO_TEST_SUITE_END()
