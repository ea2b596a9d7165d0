// What imgsim says to command lines that are wrong, and to questions for help.
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "support/run_command.hpp"

using imgsim_test::run_imgsim;

namespace {

const std::vector<std::string> kCommands{"train",   "index",      "query",       "neighbors", "choose-k",
                                         "cluster", "duplicates", "predict",     "evaluate",  "compare",
                                         "info",    "verify",     "import-keras"};

struct bad_line {
  std::vector<std::string> arguments;
  std::string message;  // that stderr begins with
};

const std::vector<bad_line> kBadLines{
    {{"qury"}, "imgsim: unknown command 'qury'; did you mean query?"},
    {{"--jsno", "info"}, "imgsim: unknown option --jsno; did you mean --json?"},
    {{"index", "--imges", "x"}, "imgsim index: unknown option --imges; did you mean --images?"},
    {{"index", "--index"}, "imgsim index: --index: a value is missing (IDX)"},
    {{"cluster", "--index", "x", "-k", "2", "--out", "--dry-run"},
     "imgsim cluster: --out: a value is missing (DIR) before --dry-run; one that begins so is given as "
     "--out=--dry-run\n"},
    {{"cluster", "--index", "x", "-k", "2", "--out", "-5"},
     "imgsim cluster: --out: a value is missing (DIR) before -5; "},
    {{"cluster", "--index", "x", "--max-distance", "-inf"}, "imgsim cluster: --max-distance: expected a number of at "},
    {{"query", "-n", "-q", "--index", "x"}, "imgsim query: -n: a value is missing (N) before -q; "},
    {{"predict", "-rf.jpg"},
     "imgsim predict: unknown option -rf.jpg; a file whose name begins with - is named as ./-NAME"},
    {{"query", "--index", "x", "a.jpg", "-n", "18446744073709551616"},
     "imgsim query: --number: expected a whole number from 1 to 18446744073709551615, got '18446744073709551616'"},
    {{"cluster", "--index", "x", "-k", "2", "--k-max", "9"}, "imgsim cluster: --k-max has no meaning with -k K"},
    {{"cluster", "--index", "x", "-k", "auto", "--k-min", "9", "--k-max", "3"},
     "imgsim cluster: --k-min 9 is more than --k-max 3"},
    {{"index"}, "imgsim index: --index IDX is missing"},
    {{"train", "--model", "m"}, "imgsim train: --images DIR is missing"},
    {{"train", "--images", "a", "--model", "m", "--epochs", "0"},
     "imgsim train: --epochs: expected a whole number from 1 to 1000000, got '0'"},
    {{"train", "--images", "a", "--model", "m", "--epochs", "1.5"},
     "imgsim train: --epochs: expected a whole number from 1 to 1000000, got '1.5'"},
    {{"train", "--images", "a", "--model", "m", "--validation", "2"},
     "imgsim train: --validation: expected a number from 0 to 0.9, got '2'"},
    {{"train", "--images", "a", "--model", "m", "--preset", "defalt"},
     "imgsim train: --preset: expected default, maxpool-16-8-4, strided-dense-16, conv-transpose or a FILE.json, "
     "got 'defalt'; did you mean default?"},
    {{"train", "--images", "a", "--model", "m", "--preset", "x.json", "--size", "64"},
     "imgsim train: --size and --latent belong to named presets"},
    {{"train", "--images", "a", "--model", "m", "--size", "100"}, "imgsim train: preset default needs a size"},
    {{"train", "--images", "a", "--model", "m", "--schedule", "sine"}, "imgsim train: --schedule: "},
    {{"train", "--images", "a", "--model", "m", "--augment", "zoom=2"},
     "imgsim train: --augment: the augmentation has no 'zoom'; its form is crop=1,flip=0,"},
    {{"train", "--images", "a", "--model", "m", "--mask", "1"},
     "imgsim train: --mask: expected a number from 0 to 0.95, got '1'"},
    {{"train", "--images", "a", "--model", "m", "--invariance", "1"},
     "imgsim train: without --augment two views of a photo do not differ: add --invariance 0"},
    {{"train", "--images", "a", "--model", "m", "--minutes", "1", "--epochs", "2"},
     "imgsim train: --minutes takes the place of --epochs: give one of them"},
    {{"train", "--images", "a", "--model", "m", "--minutes", "1", "--deterministic"},
     "imgsim train: --minutes depends on how fast the machine is"},
    {{"query", "--index", "x"}, "imgsim query: no PHOTO and no --id is given"},
    {{"query", "--index", "x", "a.jpg", "-n", "0"}, "imgsim query: --number: expected a whole number of at least 1"},
    {{"query", "--index", "x", "a.jpg", "-n", "-3"}, "imgsim query: --number: expected a whole number of at least 1"},
    {{"query", "--index", "x", ""}, "imgsim query: PHOTO: expected a name, got an empty one"},
    {{"query", "--index", "x", "--id", ""}, "imgsim query: --id: expected NAME, got an empty text"},
    {{"query", "--index", "", "a.jpg"}, "imgsim query: --index: expected IDX, got an empty text"},
    {{"query", "--index", "x", "FTP://host/a.jpg"},
     "imgsim query: 'FTP://host/a.jpg': a URL must begin with http:// or https://, not FTP://; name a file by its "
     "path"},
    {{"compare", "file:///a.jpg", "b.jpg", "--model", "m"}, "imgsim compare: 'file:///a.jpg': a URL must begin with "},
    {{"query", "--index", "x", "a.jpg", "--grid", "x.jpg"},
     "imgsim query: --grid: expected the name of a .png file, got 'x.jpg'"},
    {{"query", "--index", "x", "-", "-"}, "imgsim query: - (standard input) holds one photo and can be named once"},
    {{"query", "--index", "x", "--index", "y", "a.jpg"}, "imgsim query: --index is given twice"},
    {{"query", "--index", "x", "a.jpg", "--metric", "cosine,manhattan"},
     "imgsim query: --metric: expected cosine or euclidean, got 'manhattan'"},
    {{"query", "--index", "x", "a.jpg", "--metric", "cosine,,euclidean"}, "imgsim query: --metric: expected names"},
    {{"choose-k", "--index", "x", "--k-min", "9", "--k-max", "3"}, "imgsim choose-k: --k-min 9 is more than --k-max 3"},
    {{"cluster", "--index", "x"}, "imgsim cluster: --groups K is missing"},
    {{"cluster", "--index", "x", "-k", "many"}, "imgsim cluster: --groups: expected a whole number of at least 1"},
    {{"cluster", "--index", "x", "-k", "3", "--partition", "copy"}, "imgsim cluster: --partition needs --out DIR"},
    {{"cluster", "--index", "x", "-k", "3", "--out", "o", "--partition", "copy,symlink,hardlink"},
     "imgsim cluster: --partition: takes one of copy, symlink or hardlink, got 'copy,symlink,hardlink'"},
    {{"cluster", "--index", "x", "-k", "3", "--method", "k-medoid"},
     "imgsim cluster: --method: expected k-medoids, k-means or silhouette, got 'k-medoid'; did you mean k-medoids?"},
    {{"cluster", "--index", "x", "-k", "3", "--max-distance", "0.5"},
     "imgsim cluster: --max-distance takes the place of -k: give one of them"},
    {{"cluster", "--index", "x", "--max-distance", "0.5", "--restarts", "2"},
     "imgsim cluster: --restarts has no meaning with --max-distance"},
    {{"cluster", "--index", "x", "--max-distance", "-1"}, "imgsim cluster: --max-distance: expected a number of at "},
    {{"cluster", "--index", "x", "-k", "3", "--method", "k-means", "--init", "lab"},
     "imgsim cluster: --init has no meaning with --method k-means"},
    {{"cluster", "--index", "x", "-k", "3", "--init", "kmeans"},
     "imgsim cluster: --init: expected build, lab, k-means"},
    {{"cluster", "--index", "x", "-k", "3", "--sample", "some"},
     "imgsim cluster: --sample: expected a whole number of at least 1, got 'some' (or auto, or off)"},
    {{"compare", "a.jpg", "--model", "m"}, "imgsim compare: 2 photos are needed, 1 given"},
    {{"compare", "a", "b", "c", "--model", "m"}, "imgsim compare: unexpected argument 'c'"},
    {{"predict", "--index", "x"}, "imgsim predict: no PHOTO is given"},
    {{"completion"}, "imgsim completion: no SHELL is given: bash, fish or zsh\n"},
    {{"predict", "--index", "x", "--dry-run"}, "imgsim predict: takes no --dry-run: it writes no results to files\n"},
    {{"serve", "--dry-run", "--index", "x"}, "imgsim serve: takes no --dry-run: it writes no results to files\n"},
    {{"--dry-run", "info"}, "imgsim: unknown option --dry-run (a command's own options stand behind its name)\n"},
    {{"verify"}, "imgsim verify: name one index or model to verify"},
    {{"info", "--device", "gpu"}, "imgsim info: --device: expected auto, cpu, cuda or cuda:N, got 'gpu'"},
    {{"info", "--threads", "0"}, "imgsim info: --threads: expected a whole number from 1 to 4096, got '0'"},
    {{"info", "--json=yes"}, "imgsim info: --json: takes no value"},
    {{"index", "--index", "/nonexistent/idx"}, "imgsim index: --images DIR is missing, and there is no index"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(usage)

BOOST_AUTO_TEST_CASE(each_wrong_line_has_its_message_and_exit_code_2) {
  for (const bad_line& line : kBadLines) {
    const auto result = run_imgsim(line.arguments);
    BOOST_TEST_CONTEXT(line.message) {
      BOOST_TEST(result.exit_code == 2);
      BOOST_TEST(result.err.substr(0, line.message.size()) == line.message);
      BOOST_TEST(result.err.find("\nTry: imgsim") != std::string::npos);
      BOOST_TEST(result.out.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(behind_two_dashes_an_option_is_a_name) {
  const auto result = run_imgsim({"info", "--", "--dry-run"});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.err.starts_with("imgsim info: --dry-run: there is no such index or model"), result.err);
}

BOOST_AUTO_TEST_CASE(each_command_has_help_with_usage_example_and_exit_codes) {
  for (const std::string& command : kCommands) {
    BOOST_TEST_CONTEXT(command) {
      const auto result = run_imgsim({command, "--help"});
      BOOST_TEST(result.exit_code == 0);
      BOOST_TEST(result.err.empty());
      BOOST_TEST(result.out.starts_with("Usage: imgsim " + command));
      for (const char* part : {"\nExample", "\nExit codes:", "--device", "  2  wrong usage"})
        BOOST_TEST(result.out.find(part) != std::string::npos, part);
      BOOST_TEST(run_imgsim({"help", command}).out == result.out);
    }
  }
}

BOOST_AUTO_TEST_CASE(alone_it_says_what_to_do_first_and_names_every_command) {
  const auto result = run_imgsim({});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.out.find("Start here:") != std::string::npos);
  for (const std::string& command : kCommands) BOOST_TEST(result.out.find("\n  " + command + " ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(version_and_global_options_stand_on_either_side_of_the_command) {
  BOOST_TEST(run_imgsim({"--version"}).out.starts_with("imgsim "));
  BOOST_TEST(run_imgsim({"info", "--version"}).out == run_imgsim({"--version"}).out);
  const auto before = run_imgsim({"--json", "--threads", "2", "info"});
  BOOST_TEST(before.exit_code == 0);
  BOOST_TEST(before.out == run_imgsim({"info", "--threads=2", "--json"}).out);
  BOOST_TEST(before.json().contains("devices"));
}

BOOST_AUTO_TEST_CASE(a_full_disk_behind_stdout_is_noticed) {
  const imgsim_test::temporary_folder folder;
  const pid_t child = imgsim_test::start_imgsim({"info"}, "/dev/null", "/dev/full", folder.path() / "err");
  BOOST_TEST(imgsim_test::wait_for(child) == 1);
  BOOST_TEST(imgsim_test::read_text(folder.path() / "err").find("standard output") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
