// imgsim graph, and the queries that walk it.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(graph)

namespace {

#ifdef IMGSIM_TEST_HNSW

std::vector<std::string> paths_of(const nlohmann::json& answer) {
  std::vector<std::string> paths;
  for (const auto& match : answer.at("results").at(0).at("matches")) paths.push_back(match.at("path"));
  return paths;
}

#endif

}  // namespace

BOOST_AUTO_TEST_CASE(without_a_graph_an_approximate_query_says_how_to_make_one) {
  const trained_folder made;
  const auto result = run_imgsim({"query", "--index", made.index(), "--id", "0", "--approximate"});
  BOOST_TEST(result.exit_code == 2);
  BOOST_TEST(result.err.find("make one with: imgsim graph --index " + made.index() + "\n") != std::string::npos,
             result.err);
  const auto stray = run_imgsim({"query", "--index", made.index(), "--id", "0", "--breadth", "9"});
  BOOST_TEST(stray.exit_code == 2);
  BOOST_TEST(stray.err.find("--breadth is for --approximate") != std::string::npos, stray.err);
}

#ifdef IMGSIM_TEST_HNSW

BOOST_AUTO_TEST_CASE(a_graph_is_kept_measured_and_walked) {
  const trained_folder made;
  const auto told = must_run({"graph", "--index", made.index(), "--json", "--deterministic"}).json();
  BOOST_TEST(told.at("photos") == 24);
  BOOST_TEST(told.at("tried") == 24);
  BOOST_TEST(told.at("recall") == 1.0);  // among 24, each is linked to all near it
  BOOST_TEST(told.at("trials").size() == 1u);
  BOOST_TEST(told.at("exact_seconds") == 0);
  BOOST_TEST(told.at("trials").at(0).at("seconds") == 0);
  BOOST_TEST(told.at("trials").at(0).at("compared").get<double>() <= 24 + 6);  // once each, and on the way down
  BOOST_TEST(must_run({"verify", made.index(), "--json"}).json().at("sound") == true);
  const auto info = must_run({"info", made.index(), "--json"}).json().at("graph");
  BOOST_TEST(info.at("metric") == "cosine");
  BOOST_TEST(info.at("breadth") == told.at("breadth"));

  for (const std::vector<std::string>& asked :
       {std::vector<std::string>{"--id", "red/3.png"}, {made.photo("blue/1.png")}, {"--id", "2", "-n", "30"}}) {
    std::vector<std::string> line{"query", "--index", made.index(), "--json"};
    line.insert(line.end(), asked.begin(), asked.end());
    const auto exact = must_run(line).json();
    line.emplace_back("--approximate");
    const auto walked = must_run(line).json();
    BOOST_TEST(walked.at("approximate") == true);
    BOOST_TEST(!exact.contains("approximate"));
    BOOST_TEST(walked.at("results") == exact.at("results"));
    BOOST_TEST(!paths_of(walked).empty());
  }
  const auto other =
      run_imgsim({"query", "--index", made.index(), "--id", "0", "--approximate", "--metric", "euclidean"});
  BOOST_TEST(other.exit_code == 2);
  BOOST_TEST(other.err.find("imgsim graph --index " + made.index() + " --metric euclidean") != std::string::npos,
             other.err);
}

BOOST_AUTO_TEST_CASE(a_graph_is_made_the_same_by_one_thread_and_goes_with_its_photos) {
  const trained_folder made;
  const std::vector<std::string> line{"graph", "--index", made.index(), "--deterministic", "--metric", "euclidean"};
  static_cast<void>(must_run(line));
  const std::string links = read_text(fs::path(made.index()) / "graph_links.npy");
  static_cast<void>(must_run(line));
  BOOST_TEST((read_text(fs::path(made.index()) / "graph_links.npy") == links));
  write_photo(made.photo("red/new.png"), 0, 900);
  const auto result = must_run({"index", "--index", made.index(), "--json"});
  BOOST_TEST(result.json().at("dropped") == nlohmann::json{"graph"});
  BOOST_TEST(result.err.find("make them again with: imgsim graph --index " + made.index() + "\n") != std::string::npos,
             result.err);
  BOOST_TEST(!fs::exists(fs::path(made.index()) / "graph_links.npy"));
  BOOST_TEST(!fs::exists(fs::path(made.index()) / "graph_layers.npy"));
}

BOOST_AUTO_TEST_CASE(a_damaged_graph_is_missed_by_approximate_queries_alone) {
  const trained_folder made;
  static_cast<void>(must_run({"graph", "--index", made.index()}));
  const std::vector<std::string> exact{"query", "--index", made.index(), "--id", "0"};
  std::vector<std::string> walked = exact;
  walked.emplace_back("--approximate");
  const std::string repair = "make the graph again with: imgsim graph --index " + made.index();
  for (const std::string name : {"graph_links.npy", "graph_layers.npy"}) {
    const fs::path file = fs::path(made.index()) / name;
    const std::string whole = read_text(file);
    for (const std::string& damaged :
         {whole.substr(0, whole.size() - 1), whole.substr(0, 128) + std::string(whole.size() - 128, '\x7f')}) {
      write_text(file, damaged);
      static_cast<void>(must_run(exact));
      const auto refused = run_imgsim(walked);
      BOOST_TEST(refused.exit_code == 1);
      BOOST_TEST(refused.err.find(repair) != std::string::npos, refused.err);
      BOOST_TEST(std::count(refused.err.begin(), refused.err.end(), '\n') == 1, refused.err);
      const auto verified = run_imgsim({"verify", made.index()});
      BOOST_TEST(verified.exit_code == 1);
      BOOST_TEST(verified.out.find(repair) != std::string::npos, verified.out);
    }
    static_cast<void>(must_run({"graph", "--index", made.index()}));
    static_cast<void>(must_run(walked));
  }
}

#else

BOOST_AUTO_TEST_CASE(a_build_without_hnswlib_says_so) {
  const trained_folder made;
  const auto result = run_imgsim({"graph", "--index", made.index()});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.err ==
             "imgsim graph: this imgsim was built without hnswlib and makes no graphs (it uses those of "
             "others)\n");
}

#endif

BOOST_AUTO_TEST_SUITE_END()
