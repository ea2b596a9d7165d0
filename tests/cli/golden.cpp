// Files of each version of the formats, as the imgsim of that time wrote them (golden/VERSION/: eight drawn photos, a
// model, an index with neighbours and groups): they stay readable, and give the same answers.
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(golden)

namespace {

/// A copy of the files of one version, to be written to.
class golden_files {
 public:
  explicit golden_files(const std::string& version) {
    fs::copy(fs::path(IMGSIM_TEST_SOURCE_DIR) / "cli" / "golden" / version, folder_.path(),
             fs::copy_options::recursive);
  }

  [[nodiscard]] std::string photo(const std::string& name) const { return (folder_.path() / "photos" / name).string(); }
  [[nodiscard]] std::string photos() const { return (folder_.path() / "photos").string(); }
  [[nodiscard]] std::string model() const { return (folder_.path() / "model.safetensors").string(); }
  [[nodiscard]] std::string index() const { return (folder_.path() / "photos.idx").string(); }

 private:
  temporary_folder folder_;
};

/// Replaces one text of a file, of the same length.
void edit(const fs::path& path, const std::string& from, const std::string& to) {
  std::string text = read_text(path);
  const std::size_t at = text.find(from);
  BOOST_REQUIRE(at != std::string::npos);
  BOOST_REQUIRE(from.size() == to.size());
  write_text(path, text.replace(at, from.size(), to));
}

}  // namespace

BOOST_AUTO_TEST_CASE(version_1_is_sound_and_answers_as_it_did) {
  const golden_files files("1");
  for (const std::string& path : {files.index(), files.model()})
    BOOST_TEST(must_run({"verify", path, "--json"}).json().at("sound") == true, path);

  const auto cached = must_run({"query", "--index", files.index(), "--id", "a0.png", "-n", "3", "--json"}).json();
  const auto& matches = cached.at("results").at(0).at("matches");
  const std::vector<std::pair<std::string, double>> wanted{
      {"a4.png", 0.8718089461326599}, {"a2.png", 0.2755184471607208}, {"b7.png", 0.02587997168302536}};
  BOOST_TEST_REQUIRE(matches.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    BOOST_TEST(matches.at(i).at("path") == wanted[i].first);
    BOOST_TEST(matches.at(i).at("similarity") == wanted[i].second);
  }
  // The model still encodes as it did: each photo finds its own row.
  for (const char* name : {"a0.png", "b3.png", "b7.png"}) {
    const auto found =
        must_run({"query", "--index", files.index(), files.photo(name), "-n", "1", "--json", "--device", "cpu"})
            .json()
            .at("results")
            .at(0)
            .at("matches")
            .at(0);
    BOOST_TEST(found.at("path") == name);
    // Other instructions add in another order: a rounding for each product of the few layers.
    BOOST_TEST(std::abs(found.at("similarity").get<double>() - 1.0) < 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(version_1_is_updated_without_encoding_anything_again) {
  const golden_files files("1");
  const std::string rows = read_text(fs::path(files.index()) / "embeddings.npy");
  const auto summary = must_run({"index", "--images", files.photos(), "--model", files.model(), "--index",
                                 files.index(), "--json", "--device", "cpu"})
                           .json();
  BOOST_TEST(summary.at("unchanged") == 8);
  BOOST_TEST((read_text(fs::path(files.index()) / "embeddings.npy") == rows));
  BOOST_TEST(must_run({"verify", files.index(), "--json"}).json().at("sound") == true);
}

BOOST_AUTO_TEST_CASE(files_of_the_future_are_refused_as_such) {
  const golden_files files("1");
  edit(fs::path(files.index()) / "manifest.json", "\"version\": 1,", "\"version\": 2,");
  edit(files.model(), "\"format_version\":\"1\"", "\"format_version\":\"2\"");
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"query", "--index", files.index(), "--id", "a0.png"},
        std::vector<std::string>{"index", "--images", files.photos(), "--model", files.model(), "--index",
                                 files.index() + "2"}}) {
    const command_result refused = run_imgsim(line);
    BOOST_TEST(refused.exit_code == 1);
    BOOST_TEST(refused.err.find("update imgsim") != std::string::npos, refused.err);
  }
  const command_result verified = run_imgsim({"verify", files.model()});
  BOOST_TEST(verified.exit_code == 1);
  BOOST_TEST(verified.out == "newer: " + files.model() +
                                 ": was made by a newer imgsim, and this one cannot read it; update imgsim\n" +
                                 files.model() + " cannot be checked by this imgsim\n");
}

BOOST_AUTO_TEST_SUITE_END()
