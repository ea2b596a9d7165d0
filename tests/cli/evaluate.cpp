// imgsim evaluate: intervals, the baselines made of the network itself, and variants. (groups.cpp has its labels.)
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(evaluate)

BOOST_AUTO_TEST_CASE(evaluate_tells_intervals_and_stands_beside_its_own_network) {
  const trained_folder& made = shared_folder();
  const auto result = must_run({"evaluate", "--index", made.index(), "--json"}).json();
  BOOST_TEST(result.at("bootstrap").at("confidence") == 0.95);
  const auto holds = [](const nlohmann::json& method, const std::string& measure) {
    const std::vector<double> ends = method.at(measure + "_interval");
    const double value = method.at(measure);
    constexpr double kRounding = 1e-12;  // of sums of 24 values in another order
    return ends.at(0) <= value + kRounding && value <= ends.at(1) + kRounding && ends.at(0) >= 0 &&
           ends.at(1) <= 1 + kRounding;
  };
  for (const char* name :
       {"raw_pixels", "thumbnail_16x16", "colour_histogram", "pca", "untrained_network", "autoencoder_code"}) {
    BOOST_TEST_REQUIRE(result.at("baselines").contains(name), name);
    for (const char* measure : {"precision_at_n", "map", "recall_at_n"})
      BOOST_TEST(holds(result.at("baselines").at(name), measure), name << " " << measure);
  }
  BOOST_TEST(holds(result, "precision_at_n"));
  const auto again = must_run({"evaluate", "--index", made.index(), "--json", "--threads", "1"}).json();
  BOOST_TEST(again == result);
  const auto other = must_run({"evaluate", "--index", made.index(), "--json", "--seed", "5"}).json();
  BOOST_TEST(other.at("precision_at_n") == result.at("precision_at_n"));
  BOOST_TEST(other.at("bootstrap").at("seed") == 5);
}

BOOST_AUTO_TEST_CASE(evaluate_seeks_variants_without_labels) {
  const trained_folder& made = shared_folder();
  const auto result = must_run({"evaluate", "--index", made.index(), "--variants", "--json"}).json();
  BOOST_TEST(result.at("photos") == kLabels * kPhotosOfLabel);
  BOOST_TEST(result.at("gallery") == kLabels * kPhotosOfLabel);
  const auto is_sound = [](const nlohmann::json& method) {
    const double all = method.at("found_first");
    double sum = 0;
    for (const auto& [kind, share] : method.at("by_variant").items()) sum += share.get<double>();
    const std::vector<double> ends = method.at("found_first_interval");
    return std::abs(sum / 7 - all) < 1e-9 && ends.at(0) <= all + 1e-12 && all <= ends.at(1) + 1e-12;
  };
  BOOST_TEST(is_sound(result));
  BOOST_TEST(result.at("baselines").size() == 6u);
  for (const auto& [name, method] : result.at("baselines").items()) BOOST_TEST(is_sound(method), name);
  // Pixels of a photo that is smaller, or saved again, are still its own; those of its mirror image are not.
  const auto& pixels = result.at("baselines").at("raw_pixels").at("by_variant");
  BOOST_TEST(pixels.at("low_quality") == 1.0);
  BOOST_TEST(pixels.at("mirror") < 1.0);
  BOOST_TEST(must_run({"evaluate", "--index", made.index(), "--variants", "--no-baselines", "--json"})
                 .json()
                 .at("found_first") == result.at("found_first"));
  BOOST_TEST(run_imgsim({"evaluate", "--index", made.index(), "--variants", "--labels", "folder"}).exit_code == 2);
  BOOST_TEST(run_imgsim({"evaluate", "--index", made.index(), "--variants", "-n", "3"}).exit_code == 2);
}

BOOST_AUTO_TEST_CASE(a_page_tells_what_the_terminal_tells) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const std::string page = (folder.path() / "page.html").string();
  for (const bool variants : {false, true}) {
    std::vector<std::string> line{"evaluate", "--index", made.index(), "--report", page};
    if (variants) line.emplace_back("--variants");
    const auto told = must_run(line);
    BOOST_TEST(told.err.find("wrote " + page) != std::string::npos);
    const std::string written = read_text(page);
    BOOST_TEST(written.starts_with("<!DOCTYPE html>"));
    // Every number of a table of the terminal stands in a cell of its own.
    std::istringstream words(told.out.substr(told.out.find("imgsim (cosine)")));
    std::size_t numbers = 0;
    for (std::string word; words >> word;) {
      if (word.find_first_not_of("0123456789.") != std::string::npos || word.find('.') == std::string::npos) continue;
      BOOST_TEST(written.find(word) != std::string::npos, word);
      ++numbers;
    }
    BOOST_TEST(numbers > 20U);
    for (const char* text : {"untrained network", "raw pixels", "<td>imgsim (cosine)</td>"})
      BOOST_TEST(written.find(text) != std::string::npos, text);
    BOOST_TEST((written.find("<td>red</td>") != std::string::npos) == !variants);
  }
}

BOOST_AUTO_TEST_CASE(photos_that_cannot_be_read_are_told_with_baselines_and_without) {
  const trained_folder made;
  const auto result = must_run({"evaluate", "--index", made.index(), "--variants", "--json"}).json();
  BOOST_TEST(result.at("skipped").empty());
  fs::path damaged;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(made.photos()))
    if (entry.is_regular_file()) damaged = entry.path();
  write_text(damaged, "no picture any more");
  for (const char* baselines : {"", "--no-baselines"}) {
    std::vector<std::string> line{"evaluate", "--index", made.index(), "--variants", "--json", "--quiet"};
    if (*baselines != 0) line.emplace_back(baselines);
    const auto told = run_imgsim(line);
    BOOST_TEST(told.exit_code == 3, baselines);
    BOOST_TEST_REQUIRE(told.json().at("skipped").size() == 1u, baselines);
    BOOST_TEST(told.json().at("skipped")[0].at("path") == fs::relative(damaged, made.photos()).string());
    BOOST_TEST(told.json().at("photos") == kLabels * kPhotosOfLabel - 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()
