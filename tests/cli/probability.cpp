// Probabilities of query and compare: what they are told from, and what they are refused for.
#include <filesystem>
#include <string>

#include <boost/test/unit_test.hpp>

#include <imgsim/model/model_file.hpp>

#include "cli/trained_folder.hpp"

using namespace imgsim_test;

namespace {

/// A copy of the shared model without its calibration, as an older imgsim wrote it.
void write_older_model(const std::filesystem::path& path) {
  imgsim::model_file model = imgsim::read_model(shared_folder().model());
  BOOST_TEST_REQUIRE(model.metadata.erase("calibration") == 1u);
  imgsim::write_model(path, model);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(probability)

BOOST_AUTO_TEST_CASE(a_query_tells_probabilities_that_fall_with_the_similarity_and_rise_with_the_prior) {
  const trained_folder& made = shared_folder();
  const std::string photo = made.photo("red/0.png");
  const auto plain = must_run({"query", "--index", made.index(), photo, "--json"}).json();
  BOOST_TEST(!plain.contains("prior"));
  BOOST_TEST(!plain.at("results").at(0).at("matches").at(0).contains("probability"));
  const auto even = must_run({"query", "--index", made.index(), photo, "--json", "-n", "24", "--probability"}).json();
  const auto rare =
      must_run({"query", "--index", made.index(), photo, "--json", "-n", "24", "--probability", "--prior", "0.001"})
          .json();
  BOOST_TEST(even.at("prior") == 0.5);
  BOOST_TEST(rare.at("prior") == 0.001);
  double before = 1;
  for (std::size_t i = 0; i < 24; ++i) {
    const auto& match = even.at("results").at(0).at("matches").at(i);
    const double p = match.at("probability");
    BOOST_TEST((p > 0 && p < 1 && p <= before));
    BOOST_TEST(rare.at("results").at(0).at("matches").at(i).at("probability") < p);
    before = p;
  }
  BOOST_TEST(even.at("results").at(0).at("matches").at(0).at("probability") > 0.5);  // the photo itself
  BOOST_TEST(even.at("results").at(0).at("matches").at(23).at("probability") < 0.5);
  const auto text = must_run({"query", "--index", made.index(), photo, "--probability"}).out;
  BOOST_TEST(text.find("probability") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(compare_needs_the_model_alone_and_keeps_its_first_line) {
  const trained_folder& made = shared_folder();
  const std::string a = made.photo("red/0.png"), b = made.photo("blue/0.png");
  const auto plain = must_run({"compare", a, b, "--model", made.model()}).out;
  const auto with = must_run({"compare", a, b, "--model", made.model(), "--probability"}).out;
  BOOST_TEST(with.starts_with(plain));
  BOOST_TEST(with.find("probability 0.") != std::string::npos, with);
  const auto same = must_run({"compare", a, a, "--model", made.model(), "--probability", "--json"}).json();
  const auto other = must_run({"compare", a, b, "--model", made.model(), "--probability", "--json"}).json();
  BOOST_TEST(same.at("probability") > 0.5);
  BOOST_TEST(other.at("probability") < 0.5);
  BOOST_TEST(other.at("prior") == 0.5);
}

BOOST_AUTO_TEST_CASE(a_model_without_a_calibration_reads_on_and_the_remedy_is_told) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const std::string model = (folder.path() / "old.safetensors").string(), index = (folder.path() / "idx").string();
  write_older_model(model);
  const std::string a = made.photo("red/0.png");
  BOOST_TEST(run_imgsim({"compare", a, a, "--model", model}).exit_code == 0);
  const auto refused = run_imgsim({"compare", a, a, "--model", model, "--probability"});
  BOOST_TEST(refused.exit_code == 1);
  BOOST_TEST(refused.err.find("holds no calibration") != std::string::npos, refused.err);
  BOOST_TEST(refused.err.find("train it again") != std::string::npos, refused.err);
  static_cast<void>(must_run({"index", "--images", made.photos(), "--model", model, "--index", index, "--quiet"}));
  const auto noted = must_run({"query", "--index", index, a, "--probability", "--json"});
  BOOST_TEST(noted.err.find("calibrating with photos of the index") != std::string::npos, noted.err);
  for (const char* step : {"\nread sample: 24/24 photos  ", "\ncalibrate: 24/24 photos  "})
    BOOST_TEST(noted.err.find(step) != std::string::npos, noted.err);
  // The same photos, the same seed: what training would have stored.
  BOOST_TEST(noted.json().at("results") ==
             must_run({"query", "--index", made.index(), a, "--probability", "--json"}).json().at("results"));
}

BOOST_AUTO_TEST_CASE(what_a_probability_is_not_of_is_wrong_usage) {
  const trained_folder& made = shared_folder();
  const std::string a = made.photo("red/0.png");
  const std::vector<std::vector<std::string>> wrong{
      {"query", "--index", made.index(), a, "--prior", "0.1"},
      {"query", "--index", made.index(), a, "--probability", "--prior", "1"},
      {"query", "--index", made.index(), a, "--probability", "--metric", "cosine,euclidean"},
      {"compare", a, a, "--model", made.model(), "--probability", "--metric", "euclidean"},
      {"compare", a, a, "--model", made.model(), "--prior", "0.1"}};
  for (const auto& line : wrong) BOOST_TEST(run_imgsim(line).exit_code == 2, line[0] + " " + line.back());
}

BOOST_AUTO_TEST_CASE(info_says_whether_a_model_is_calibrated) {
  const auto info = must_run({"info", shared_folder().model(), "--json"}).json();
  BOOST_TEST(info.at("calibrated") == true);
  BOOST_TEST(!info.at("made").contains("calibration"));
}

BOOST_AUTO_TEST_SUITE_END()
