// "mpirun -n 4 imgsim ..." is all that a person types: the command on several ranks writes and prints what it does on
// one process.
#include <cmath>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(mpi_command)

namespace {

constexpr int kRanks[] = {1, 2, 4};

[[nodiscard]] std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

[[nodiscard]] std::vector<std::string> on_ranks(int ranks, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = words_of(IMGSIM_MPIEXEC);
  words.insert(words.end(), {"-n", std::to_string(ranks), IMGSIM_COMMAND});
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

/// A run under way on several ranks.
class running_ranks {
 public:
  running_ranks(int ranks, const std::vector<std::string>& arguments)
      : process_(start_program(on_ranks(ranks, arguments), "/dev/null", out(), err())) {}
  running_ranks(const running_ranks&) = delete;
  running_ranks& operator=(const running_ranks&) = delete;
  ~running_ranks() {
    if (process_ == 0) return;
    kill(process_, SIGKILL);
    static_cast<void>(wait());
  }

  [[nodiscard]] fs::path out() const { return folder_.path() / "out"; }
  [[nodiscard]] fs::path err() const { return folder_.path() / "err"; }
  [[nodiscard]] int wait() { return wait_for(std::exchange(process_, 0)); }

  /// The process of a rank.
  [[nodiscard]] pid_t process_of(int rank) const {
    const std::string wanted = "OMPI_COMM_WORLD_RANK=" + std::to_string(rank);
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      const std::string status = read_text(entry.path() / "status");
      if (status.find("\nPPid:\t" + std::to_string(process_) + "\n") == std::string::npos) continue;
      const std::string environment = read_text(entry.path() / "environ");
      if (environment.find('\0' + wanted + '\0') != std::string::npos) return std::stoi(name);
    }
    BOOST_FAIL("there is no rank " << rank);
    return 0;
  }
  void wait_for_output(const std::string& text) const {
    for (int i = 0; i < 1200; ++i) {
      if (read_text(out()).find(text) != std::string::npos) return;
      usleep(50'000);
    }
    BOOST_FAIL("waited in vain for " << text << ": " << read_text(err()));
  }

 private:
  temporary_folder folder_;
  pid_t process_;
};

/// Photos enough to be worth sharing, some of which cannot be decoded, a model and an index of them.
struct indexed_folder {
  indexed_folder() {
    const char* const names[kLabels] = {"red", "green", "blue"};
    for (std::size_t label = 0; label < kLabels; ++label)
      for (std::size_t i = 0; i < 40; ++i)
        write_photo(photos() / names[label] / (std::to_string(i) + ".png"), label, i);
    write_text(photos() / "green" / "no_photo.png", "nothing");
    write_text(folder.path() / "tiny.json", kTinyArchitecture);
    train(model());
    index(idx());
  }

  [[nodiscard]] fs::path photos() const { return folder.path() / "photos"; }
  [[nodiscard]] std::string model() const { return folder.path() / "tiny.safetensors"; }
  [[nodiscard]] std::string idx() const { return folder.path() / "tiny.idx"; }
  void train(const std::string& file) const {
    BOOST_REQUIRE(
        run_imgsim({"train", "--images", photos(), "--model", file, "--preset", folder.path() / "tiny.json", "--quiet"})
            .exit_code == 3);
  }
  void index(const std::string& file) const {
    BOOST_REQUIRE(
        run_imgsim({"index", "--images", photos(), "--model", model(), "--index", file, "--quiet"}).exit_code == 3);
  }

  temporary_folder folder;
};

const indexed_folder& made() {
  static const indexed_folder folder;
  return folder;
}

/// Every file below `folder`, by its path in it.
[[nodiscard]] std::map<std::string, std::string> contents_of(const fs::path& folder) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) contents[fs::relative(entry.path(), folder)] = read_text(entry.path());
  return contents;
}

/// What a command leaves in a folder of its own, a copy of the index beside it, and what it prints.
struct outcome {
  int exit_code = 0;
  std::string out, err;
  std::map<std::string, std::string> files;
};

/// `ranks` 0: without mpirun. "IDX" and "OUT" among `arguments` become the copy of the index and a folder; as these are
/// named in results, they have the same names each time.
[[nodiscard]] outcome outcome_of(int ranks, std::vector<std::string> arguments) {
  const fs::path place = made().folder.path() / "place";
  fs::remove_all(place);
  fs::create_directory(place);
  fs::copy(made().idx(), place / "copy.idx", fs::copy_options::recursive);
  for (std::string& argument : arguments) {
    if (argument == "IDX") argument = place / "copy.idx";
    if (argument == "OUT") argument = place / "out";
  }
  arguments.insert(arguments.end(), {"--json", "--deterministic", "--threads", "1"});
  const command_result run = ranks == 0 ? run_imgsim(arguments) : run_program(on_ranks(ranks, arguments));
  return {run.exit_code, run.out, run.err, contents_of(place)};
}

/// `out` as JSON, without how long it took.
[[nodiscard]] nlohmann::json without_seconds(const std::string& out) {
  BOOST_TEST_REQUIRE(nlohmann::json::accept(out), out);
  nlohmann::json document = nlohmann::json::parse(out);
  document.erase("seconds");
  return document;
}

/// Runs it without mpirun and on each number of ranks, and compares.
void check_same(const std::vector<std::string>& arguments, bool is_shared) {
  const outcome alone = outcome_of(0, arguments);
  for (const int ranks : kRanks) {
    BOOST_TEST_CONTEXT(arguments[0] << " on " << ranks << " ranks") {
      const outcome found = outcome_of(ranks, arguments);
      BOOST_TEST(found.exit_code == alone.exit_code);
      BOOST_TEST(without_seconds(found.out) == without_seconds(alone.out));
      BOOST_TEST(found.files.size() == alone.files.size());
      for (const auto& [name, content] : alone.files) {
        const auto same = found.files.find(name);
        BOOST_TEST((same != found.files.end() && same->second == content), name << " differs");
      }
      const std::string told = std::to_string(ranks) + " ranks" + (is_shared ? " shared the work" : ": the first had");
      BOOST_TEST((found.err.find(told) != std::string::npos) == (ranks > 1), found.err);
    }
  }
}

/// On two ranks, of which the second has `fault` in its environment (faulty_rank.cpp).
[[nodiscard]] command_result with_faulty_rank(const std::string& fault, std::vector<std::string> arguments) {
  // LD_PRELOAD is a list that spaces part, and the build folder may have one in its name.
  const temporary_folder folder;
  const fs::path library = folder.path() / "faulty_rank.so";
  fs::create_symlink(IMGSIM_FAULTY_RANK, library);
  arguments.insert(arguments.begin(), IMGSIM_COMMAND);
  std::vector<std::string> words = words_of(IMGSIM_MPIEXEC);
  words.insert(words.end(), {"-n", "1"});
  words.insert(words.end(), arguments.begin(), arguments.end());
  words.insert(words.end(), {":", "-n", "1", "-x", fault, "-x", "LD_PRELOAD=" + library.string()});
  words.insert(words.end(), arguments.begin(), arguments.end());
  const command_result run = run_program(words);
  BOOST_TEST(run.err.find("cannot be preloaded") == std::string::npos, run.err);
  return run;
}

/// How often `text` stands in `in`.
[[nodiscard]] std::size_t count(const std::string& in, const std::string& text) {
  std::size_t found = 0;
  for (std::size_t at = in.find(text); at != std::string::npos; at = in.find(text, at + 1)) ++found;
  return found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_index_is_that_of_one_process) {
  const std::string photos = made().photos(), model = made().model();
  check_same({"index", "--images", photos, "--model", model, "--index", "OUT"}, true);
  check_same({"index", "--images", photos, "--model", model, "--index", "IDX"}, false);  // nothing is new
}

BOOST_AUTO_TEST_CASE(photos_that_another_rank_cannot_read_are_read_by_the_first) {
  const fs::path copy = made().folder.path() / "alone.idx";
  const command_result run =
      with_faulty_rank("IMGSIM_TEST_BLIND=" + made().photos().string(),
                       {"index", "--images", made().photos(), "--model", made().model(), "--index", copy, "--json"});
  BOOST_TEST(run.exit_code == 3);
  BOOST_TEST(run.json()["photos"] == 120);
  BOOST_TEST(run.json()["skipped"].size() == 1U);
  BOOST_TEST((contents_of(copy)["embeddings.npy"] == contents_of(made().idx())["embeddings.npy"]));
  BOOST_TEST(run.err.find("2 ranks shared the work") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_a_rank_fails_with_is_what_the_command_says) {
  // Of the distances between 120 photos, each of two ranks keeps 60 columns.
  const command_result run =
      with_faulty_rank("IMGSIM_TEST_REFUSED=" + std::to_string(120 * 60 * sizeof(float)),
                       {"cluster", "--index", made().idx(), "-k", "3", "--out", made().folder.path() / "failed"});
  BOOST_TEST(run.exit_code == 1);
  BOOST_TEST(count(run.err, "imgsim cluster: rank 1: not enough memory\n") == 1U);
  BOOST_TEST(count(run.err, "imgsim cluster: ") == 1U);
}

BOOST_AUTO_TEST_CASE(neighbours_are_those_of_one_process) {
  check_same({"neighbors", "--index", "IDX", "-n", "7"}, true);
  check_same({"neighbors", "--index", "IDX", "-n", "3", "--metric", "euclidean", "--export", "OUT"}, true);
}

BOOST_AUTO_TEST_CASE(queries_are_answered_as_by_one_process) {
  check_same({"query", "--index", "IDX", made().photos() / "red" / "3.png", "-n", "5"}, false);
  check_same({"duplicates", "--index", "IDX"}, true);  // seeks each photo and its mirror image
}

BOOST_AUTO_TEST_CASE(groups_are_those_of_one_process) {
  check_same({"choose-k", "--index", "IDX", "--k-max", "9"}, true);
  check_same({"cluster", "--index", "IDX", "-k", "5", "--out", "OUT"}, true);
  check_same({"cluster", "--index", "IDX", "-k", "auto", "--metric", "euclidean", "--out", "OUT"}, true);
  check_same({"cluster", "--index", "IDX", "--max-distance", "0.2", "--out", "OUT"}, true);
  check_same({"cluster", "--index", "IDX", "-k", "3", "--method", "silhouette", "--out", "OUT"}, true);
  check_same({"cluster", "--index", "IDX", "-k", "4", "--method", "k-means", "--out", "OUT"}, false);
  check_same({"cluster", "--index", "IDX", "-k", "4", "--sample", "50", "--out", "OUT"}, false);
}

BOOST_AUTO_TEST_CASE(a_training_is_that_of_one_process_but_for_the_order_of_sums) {
  // Batches of 3 photos, some of fewer photos than ranks.
  const auto history_of = [&](int ranks, const std::vector<std::string>& more) {
    std::vector<std::string> words{"train", "--images", made().photos(), "--model", "OUT"};
    words.insert(words.end(), more.begin(), more.end());
    const outcome run = outcome_of(ranks, words);
    BOOST_TEST(run.exit_code == 3);
    BOOST_TEST((run.err.find(" ranks shared the work") != std::string::npos) == (ranks > 1), run.err);
    BOOST_TEST(run.files.contains("out"));
    std::vector<double> losses;
    std::istringstream lines(run.files.at("history.csv"));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      const std::size_t training = line.find(',') + 1, validation = line.find(',', training) + 1;
      losses.push_back(std::stod(line.substr(training)));
      losses.push_back(std::stod(line.substr(validation)));
    }
    BOOST_TEST(losses.size() == 6U);
    return losses;
  };
  const std::string tiny = made().folder.path() / "tiny.json";
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--preset", tiny, "--batch", "3", "--epochs", "3", "--mask", "0"},
        std::vector<std::string>{"--preset", tiny, "--batch", "3", "--epochs", "3", "--mask", "0.3"},
        std::vector<std::string>{"--preset", "default", "--size", "32", "--batch", "30", "--epochs", "3"}}) {
    const std::vector<double> alone = history_of(0, more);
    for (const int ranks : kRanks) {
      const std::vector<double> found = history_of(ranks, more);
      for (std::size_t i = 0; i < alone.size(); ++i) BOOST_TEST(std::abs(found[i] / alone[i] - 1) < 1e-4);
      if (ranks == 1) BOOST_TEST((found == alone));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_training_that_cannot_be_parted_is_the_first_ranks) {
  check_same({"train", "--images", made().photos(), "--model", "OUT", "--preset", "default", "--size", "32", "--epochs",
              "1", "--invariance", "0.1", "--augment", "flip=0.5"},
             false);
}

BOOST_AUTO_TEST_CASE(a_command_prints_once) {
  for (const int ranks : kRanks) {
    BOOST_TEST_CONTEXT(ranks << " ranks") {
      const command_result help = run_program(on_ranks(ranks, {"neighbors", "--help"}));
      BOOST_TEST(help.exit_code == 0);
      BOOST_TEST((words_of(help.out) == words_of(run_imgsim({"neighbors", "--help"}).out)));  // wrapped elsewhere
      const command_result usage = run_program(on_ranks(ranks, {"neighbors", "--frobnicate"}));
      BOOST_TEST(usage.exit_code == 2);
      BOOST_TEST(usage.out == "");
      BOOST_TEST(count(usage.err, "imgsim neighbors: ") == 1U);
      const command_result failure = run_program(on_ranks(ranks, {"neighbors", "--index", "/nonexistent"}));
      BOOST_TEST(failure.exit_code == 1);
      BOOST_TEST(count(failure.err, "imgsim neighbors: ") == 1U);
    }
  }
  const command_result cuda = run_program(on_ranks(
      2, {"neighbors", "--index", made().idx(), "--export", made().folder.path() / "no.json", "--device", "cuda"}));
  BOOST_TEST(cuda.exit_code == 1);
  BOOST_TEST(count(cuda.err, "--device cuda: the ranks of mpirun compute on their CPUs") == 1U);
}

BOOST_AUTO_TEST_CASE(a_build_without_mpi_says_so_once) {
  setenv("IMGSIM_MPI_MODULE", "/nonexistent", 1);
  const command_result refused = run_program(on_ranks(4, {"neighbors", "--index", made().idx()}));
  const command_result alone = run_program(on_ranks(1, {"--version"}));
  const auto told = run_imgsim({"info", "--json"}).json();
  unsetenv("IMGSIM_MPI_MODULE");
  BOOST_TEST(refused.exit_code == 1);
  BOOST_TEST(count(refused.err, "imgsim: as one of 4 ranks: this build of imgsim has no MPI backend") == 1U);
  BOOST_TEST(alone.exit_code == 0);
  BOOST_TEST(!told["mpi"]["available"].get<bool>());
  BOOST_TEST(run_imgsim({"info", "--json"}).json()["mpi"]["available"].get<bool>());
}

BOOST_AUTO_TEST_CASE(ranks_that_are_to_do_different_things_are_refused) {
  std::vector<std::string> words = on_ranks(1, {"info"});
  words.insert(words.end(), {":", "-n", "1", IMGSIM_COMMAND, "info", "--json"});
  const command_result refused = run_program(words);
  BOOST_TEST(refused.exit_code == 1);
  BOOST_TEST(refused.out == "");
  BOOST_TEST(count(refused.err, "with different arguments on different ranks") == 1U);
}

BOOST_AUTO_TEST_CASE(each_rank_can_be_a_run_of_its_own) {
  setenv("IMGSIM_MPI", "off", 1);
  const command_result both = run_program(on_ranks(2, {"--version"}));
  unsetenv("IMGSIM_MPI");
  BOOST_TEST(both.exit_code == 0);
  BOOST_TEST(count(both.out, "imgsim ") == 2U);
  BOOST_TEST(count(run_program(on_ranks(2, {"--version"})).out, "imgsim ") == 1U);
}

BOOST_AUTO_TEST_CASE(ranks_of_another_mpi_are_refused) {
  // As where mpirun belongs to another MPI: each process believes that it is alone.
  setenv("PMI_SIZE", "2", 1);
  setenv("PMI_RANK", "0", 1);
  const command_result first = run_imgsim({"neighbors", "--index", made().idx()});
  setenv("PMI_RANK", "1", 1);
  const command_result second = run_imgsim({"neighbors", "--index", made().idx()});
  unsetenv("PMI_SIZE");
  unsetenv("PMI_RANK");
  BOOST_TEST(first.exit_code == 1);
  BOOST_TEST(first.err.find("built with another MPI") != std::string::npos, first.err);
  BOOST_TEST(second.exit_code == 0);
  BOOST_TEST(second.err == "");
}

BOOST_AUTO_TEST_CASE(a_rank_that_is_killed_ends_the_job_and_leaves_the_index) {
  const fs::path copy = made().folder.path() / "killed.idx";
  fs::copy(made().idx(), copy, fs::copy_options::recursive);
  running_ranks run(3, {"watch", made().photos(), "--index", copy});
  run.wait_for_output(" photos; ");
  const auto before = contents_of(copy);
  kill(run.process_of(1), SIGKILL);
  BOOST_TEST(run.wait() != 0);
  BOOST_TEST(read_text(run.err()).find("rank 1") != std::string::npos);
  for (const auto& [name, content] : before) BOOST_TEST((contents_of(copy)[name] == content), name);
  BOOST_TEST(run_imgsim({"verify", copy}).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(a_wish_to_stop_is_heeded_in_order) {
  const fs::path copy = made().folder.path() / "stopped.idx";
  fs::copy(made().idx(), copy, fs::copy_options::recursive);
  running_ranks run(3, {"watch", made().photos(), "--index", copy});
  run.wait_for_output(" photos; ");
  // As a Ctrl-C that reaches all, of which only the first ends by itself.
  for (const int rank : {2, 1, 0}) kill(run.process_of(rank), SIGINT);
  BOOST_TEST(run.wait() == 0);
  BOOST_TEST(run_imgsim({"verify", copy}).exit_code == 0);
}

BOOST_AUTO_TEST_SUITE_END()
