// What each command says to an index whose files are damaged, and whether the repair that is advised works.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

namespace {

using command = std::vector<std::string>;

struct indexed_folder : trained_folder {
  indexed_folder() {
    static_cast<void>(must_run(neighbors()));
    static_cast<void>(must_run(cluster()));
  }

  [[nodiscard]] command neighbors() const { return {"neighbors", "--index", index(), "-n", "5"}; }
  [[nodiscard]] command cluster() const { return {"cluster", "--index", index(), "-k", "3", "--method", "k-means"}; }
  [[nodiscard]] command predict() const { return {"predict", "--index", index(), photo("red/0.png")}; }
  [[nodiscard]] command query() const { return {"query", "--index", index(), photo("red/0.png")}; }
  [[nodiscard]] command cached_query() const { return {"query", "--index", index(), "--id", "red/0.png", "-n", "5"}; }
  [[nodiscard]] command update() const { return {"index", "--index", index()}; }
  [[nodiscard]] command info() const { return {"info", index(), "--json"}; }

  [[nodiscard]] fs::path file(const std::string& name) const { return fs::path(index()) / name; }
  void flip_last_byte(const fs::path& path) const {
    std::string bytes = read_text(path);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    write_text(path, bytes);
  }
  [[nodiscard]] bool is_sound() const {
    return run_imgsim({"verify", index(), "--json"}).json().at("sound").get<bool>();
  }
};

/// That `line` fails with one sentence that names the file and the repair.
void refuses(const command& line, const std::string& file, const std::string& repair) {
  const command_result result = run_imgsim(line);
  BOOST_TEST_CONTEXT(line[0] << ": " << result.err) {
    BOOST_TEST(result.exit_code == 1);
    BOOST_TEST(result.out.empty());
    BOOST_TEST(result.err.find(file + ": ") != std::string::npos);
    BOOST_TEST(result.err.find(repair) != std::string::npos);
    BOOST_TEST(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(damage)

BOOST_AUTO_TEST_CASE(damaged_neighbours_are_missed_by_the_cached_mode_alone_and_are_made_again) {
  const indexed_folder made;
  const std::string repair = "make the neighbours again with: imgsim neighbors --index " + made.index();
  for (const std::string name : {"neighbors_index.npy", "neighbors_similarity.npy"}) {
    for (const bool removed : {true, false}) {
      if (removed)
        fs::remove(made.file(name));
      else
        fs::resize_file(made.file(name), fs::file_size(made.file(name)) / 2);
      BOOST_TEST(!made.is_sound());
      refuses(made.cached_query(), name, repair);
      // More than are stored: these would not do anyway.
      static_cast<void>(must_run({"query", "--index", made.index(), "--id", "red/0.png", "-n", "9"}));
      for (const command& line : {made.query(), made.predict(), made.update(), made.cluster()})
        static_cast<void>(must_run(line));
      const auto damage = must_run(made.info()).json().at("damage");
      BOOST_TEST_REQUIRE(damage.size() == 1u);
      BOOST_TEST(damage.at(0).get<std::string>().starts_with(name + ": "));
      static_cast<void>(must_run(made.neighbors()));
      BOOST_TEST(made.is_sound());
      static_cast<void>(must_run(made.cached_query()));
      BOOST_TEST(!must_run(made.info()).json().contains("damage"));
    }
  }
}

BOOST_AUTO_TEST_CASE(damaged_groups_are_missed_by_predict_alone_and_are_made_again) {
  const indexed_folder made;
  const std::string repair = "make the groups again with: imgsim cluster --index " + made.index() + " -k K";
  for (const std::string name : {"k_groups.json", "centroids.npy"}) {
    for (const bool removed : {true, false}) {
      if (removed)
        fs::remove(made.file(name));
      else
        made.flip_last_byte(made.file(name));
      BOOST_TEST(!made.is_sound());
      refuses(made.predict(), name, repair);
      for (const command& line : {made.query(), made.cached_query(), made.update(), made.neighbors(), made.info()})
        static_cast<void>(must_run(line));
      static_cast<void>(must_run(made.cluster()));
      BOOST_TEST(made.is_sound());
      static_cast<void>(must_run(made.predict()));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_copy_of_the_model_is_never_taken_for_another_model) {
  const indexed_folder made;
  const fs::path copy = made.file("model.safetensors");
  const std::string repair = "give the model again with: imgsim index --index " + made.index() + " --model FILE";
  for (const bool in_weights : {true, false}) {
    std::string bytes = read_text(copy);
    if (in_weights) {
      bytes.back() = static_cast<char>(bytes.back() ^ 1);
    } else {
      const auto at = bytes.find("\"best_epoch\":\"");
      BOOST_TEST_REQUIRE(at != std::string::npos);
      bytes[at + 14] = '9';
    }
    write_text(copy, bytes);
    BOOST_TEST(!made.is_sound());
    refuses(made.query(), "model.safetensors", repair);
    refuses(made.update(), "model.safetensors", repair);
    refuses({"index", "--index", made.index(), "--model", copy.string()}, "model.safetensors", repair);
    for (const command& line : {made.cached_query(), made.neighbors(), made.cluster(), made.info()})
      static_cast<void>(must_run(line));
    const auto repaired = must_run({"index", "--index", made.index(), "--model", made.model(), "--json"}).json();
    BOOST_TEST(repaired.at("encoded") == 0);
    BOOST_TEST(made.is_sound());
    static_cast<void>(must_run(made.query()));
  }
}

BOOST_AUTO_TEST_CASE(embeddings_that_are_not_finite_give_no_answers) {
  const indexed_folder made;
  std::string bytes = read_text(made.file("embeddings.npy"));
  bytes.replace(bytes.size() - 4, 4, std::string("\0\0\xc0\x7f", 4));
  write_text(made.file("embeddings.npy"), bytes);
  for (const command& line :
       {made.query(), made.neighbors(), made.cluster(), command{"choose-k", "--index", made.index()}})
    refuses(line, "embeddings.npy", "row 23 holds numbers that are not finite; restore the index");
  refuses(made.update(), "embeddings.npy", "its checksum does not hold; restore the index");
}

BOOST_AUTO_TEST_CASE(a_model_with_one_changed_weight_is_damaged) {
  const indexed_folder made;
  made.flip_last_byte(made.model());
  const command_result verified = run_imgsim({"verify", made.model()});
  BOOST_TEST(verified.exit_code == 1);
  BOOST_TEST(verified.out.starts_with("damage: " + made.model() +
                                      ": it is damaged: the checksum of its weights does not hold"),
             verified.out);
  BOOST_TEST(verified.out.ends_with("\n" + made.model() + " is damaged\n"), verified.out);
  const command_result document = run_imgsim({"verify", made.model(), "--json"});
  BOOST_TEST(document.exit_code == 1);
  BOOST_TEST(document.json().at("sound") == false);
  BOOST_TEST_REQUIRE(document.json().at("findings").size() == 1u);
  BOOST_TEST(document.json().at("findings")[0].at("file") == made.model());
  refuses({"compare", made.photo("red/0.png"), made.photo("red/1.png"), "--model", made.model()}, made.model(),
          "the checksum of its weights does not hold");
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_no_index_is_not_called_a_damaged_one) {
  const trained_folder& made = shared_folder();
  refuses({"verify", made.photos()}, made.photos(), "is not an index: it has no manifest.json");
  refuses({"verify", "/nowhere/idx"}, "/nowhere/idx", "there is no such index or model");
}

BOOST_AUTO_TEST_CASE(a_manifest_that_is_cut_short_is_refused_with_the_repair_that_verify_tells) {
  const indexed_folder made;
  fs::resize_file(made.file("manifest.json"), 100);
  const std::string repair = "restore the index from a copy, or delete its folder and index the photos again";
  for (const command& line : {made.query(), made.cached_query(), made.neighbors(), made.update(), made.info()})
    refuses(line, "manifest.json", "is not valid JSON at byte 101; " + repair);
  BOOST_TEST(run_imgsim({"verify", made.index()}).out.find(repair) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_index_of_a_newer_imgsim_is_not_to_be_repaired) {
  const indexed_folder made;
  std::string manifest = read_text(made.file("manifest.json"));
  const std::size_t at = manifest.find("\"version\": 1");
  BOOST_TEST_REQUIRE(at != std::string::npos, manifest.substr(0, 100));
  manifest.replace(at, 12, "\"version\": 9");
  write_text(made.file("manifest.json"), manifest);
  refuses(made.query(), "manifest.json", "reads version 1): update imgsim\n");
  const command_result verified = run_imgsim({"verify", made.index()});
  BOOST_TEST(verified.exit_code == 1);
  BOOST_TEST(verified.out.starts_with("newer: manifest.json: was made by a newer imgsim"), verified.out);
  BOOST_TEST(verified.out.ends_with("; update imgsim\n" + made.index() + " cannot be checked by this imgsim\n"),
             verified.out);
  const auto document = run_imgsim({"verify", made.index(), "--json"}).json();
  BOOST_TEST(document.at("sound") == false);
  BOOST_TEST_REQUIRE(document.at("findings").size() == 1u);
  BOOST_TEST(document.at("findings")[0].at("severity") == "newer");
  BOOST_TEST(document.at("findings")[0].at("advice") == "update imgsim");
}

BOOST_AUTO_TEST_SUITE_END()
