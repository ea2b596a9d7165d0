// The command, run by 16 processes at once on one index: answers are those of one alone; while one updates the index
// the others see a whole version, and no update is lost.
#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"
#include "concurrency/crowd.hpp"

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(concurrency_processes)

namespace {

using command = std::vector<std::string>;

/// What only asks; the index is an argument of each.
std::vector<command> questions(const trained_folder& made) {
  return {{"query", "--index", made.index(), made.photo("red/1.png"), "-n", "6", "--json", "--device", "cpu"},
          {"query", "--index", made.index(), "--id", "green/2.png", "-n", "9", "--json", "--device", "cpu"},
          {"info", made.index(), "--json"},
          {"verify", made.index(), "--json"},
          {"neighbors", "--index", made.index(), "-n", "3", "--json", "--quiet", "--device", "cpu"},
          {"cluster", "--index", made.index(), "-k", "3", "--json", "--quiet", "--device", "cpu"}};
}

/// Whether a writer was turned away because of another one, and may come again.
bool met_another(const command_result& result) {
  return result.exit_code == 1 && result.err.find("another imgsim") != std::string::npos;
}

/// Again and again until the index is free.
command_result run_when_free(const command& line) {
  for (;;) {
    command_result result = run_imgsim(line);
    if (!met_another(result)) return result;
  }
}

/// What is the same whoever else is at work: not how long it took, and of verify, which notes that an update is under
/// way, whether the index is sound.
nlohmann::json lasting(const command& line, const std::string& text) {
  nlohmann::json document = nlohmann::json::parse(text);
  if (line.front() == "verify") return document.at("sound");
  document.erase("seconds");
  return document;
}

}  // namespace

BOOST_AUTO_TEST_CASE(answers_are_those_of_one_process_alone) {
  const trained_folder made;
  const std::vector<command> asked = questions(made);
  for (const command& line : asked) static_cast<void>(must_run(line));  // neighbours and groups are there from now on
  std::vector<nlohmann::json> alone;
  for (const command& line : asked) alone.push_back(lasting(line, must_run(line).out));
  run_crowd([&](std::size_t t) {
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const std::size_t which = (i + t) % asked.size();
      const command_result result = run_when_free(asked[which]);
      must_hold(result.exit_code == 0, asked[which].front() + " succeeds: " + result.err);
      must_hold(lasting(asked[which], result.out) == alone[which], asked[which].front() + " answers as it does alone");
    }
  });
}

BOOST_AUTO_TEST_CASE(no_update_is_lost_and_every_answer_is_of_a_whole_version) {
  constexpr std::size_t kAdded = 8;
  const trained_folder made;
  const std::vector<command> asked = questions(made);
  std::atomic<bool> is_done = false;
  run_crowd([&](std::size_t t) {
    if (t == 0) {
      const set_at_end ends{is_done};
      for (std::size_t i = 0; i < kAdded; ++i) {
        write_photo(made.photo("added/" + std::to_string(i) + ".png"), i % kLabels, 500 + i);
        const command_result result = run_when_free({"index", "--index", made.index(), "--json", "--device", "cpu"});
        must_hold(result.exit_code == 0, "the update succeeds: " + result.err);
        must_hold(nlohmann::json::parse(result.out).at("added") == 1, "one photo is new: none was lost before");
      }
      return;
    }
    for (std::size_t i = t; !is_done || i < t + 3; ++i) {
      const command& line = asked[i % asked.size()];
      const command_result result = run_when_free(line);
      must_hold(result.exit_code == 0, line.front() + " succeeds: " + result.err);
      if (line.front() == "verify") must_hold(nlohmann::json::parse(result.out).at("sound") == true, result.out);
    }
  });
  BOOST_TEST(must_run({"verify", made.index(), "--json"}).json().at("sound") == true);
  // As an index made afresh of the same photos.
  const std::string fresh = made.index() + ".fresh";
  static_cast<void>(must_run(
      {"index", "--images", made.photos(), "--model", made.model(), "--index", fresh, "--quiet", "--device", "cpu"}));
  for (const char* file : {"embeddings.npy", "images.jsonl"})
    BOOST_TEST((read_text(made.index() + "/" + file) == read_text(fresh + "/" + file)), file);
}

BOOST_AUTO_TEST_SUITE_END()
