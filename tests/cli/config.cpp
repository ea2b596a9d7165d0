// Options from a config file: what is used, what wins, and what is refused, with file and line.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"

using imgsim_test::must_run;
using imgsim_test::run_imgsim;
using imgsim_test::shared_folder;
using imgsim_test::temporary_folder;
using imgsim_test::write_text;

BOOST_AUTO_TEST_SUITE(config)

#ifdef IMGSIM_WITH_TOML

namespace {

/// A variable of the environment, for as long as it lives.
class with_variable {
 public:
  with_variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  with_variable(const with_variable&) = delete;
  with_variable& operator=(const with_variable&) = delete;
  ~with_variable() {
    if (before_)
      setenv(name_, before_->c_str(), 1);
    else
      unsetenv(name_);
  }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

/// A config file in a folder whose name has a space.
class config_file {
 public:
  explicit config_file(const std::string& text) {
    std::filesystem::create_directories(folder_.path() / "a folder" / "imgsim");
    write_text(path(), text);
  }
  [[nodiscard]] std::string path() const { return (home() / "imgsim" / "config.toml").string(); }
  [[nodiscard]] std::filesystem::path home() const { return folder_.path() / "a folder"; }

 private:
  temporary_folder folder_;
};

std::size_t matches_of(const std::vector<std::string>& more) {
  std::vector<std::string> line{"query", "--id", "red/0.png", "--json"};
  line.insert(line.end(), more.begin(), more.end());
  return must_run(line).json().at("results").at(0).at("matches").size();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_table_switches_off_what_the_top_of_the_file_switches_on) {
  const config_file on("json = true\n"), off("json = true\n[info]\njson = false\n");
  const std::string index = shared_folder().index();
  BOOST_TEST(must_run({"info", index, "--config", on.path()}).out.starts_with("{"));
  BOOST_TEST(!must_run({"info", index, "--config", off.path()}).out.starts_with("{"));
  BOOST_TEST(must_run({"info", index, "--config", off.path(), "--json"}).out.starts_with("{"));
}

BOOST_AUTO_TEST_CASE(what_shells_and_manuals_read_does_not_depend_on_it) {
  const config_file file("json = true\n"), broken("json = \n");
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"completion", "bash"}, std::vector<std::string>{"manual", "query"}}) {
    const std::string expected = must_run(line).out;
    for (const config_file* one : {&file, &broken}) {
      const with_variable set("IMGSIM_CONFIG", one->path());
      BOOST_TEST((must_run(line).out == expected));
    }
  }
}

BOOST_AUTO_TEST_CASE(options_come_from_the_file_and_the_command_line_wins) {
  const std::string index = shared_folder().index();
  const config_file file("quiet = true\ndevice = 'cpu'\n[query]\nindex = '" + index + "'\nnumber = 3\n");
  BOOST_TEST(matches_of({"--config", file.path()}) == 3u);
  BOOST_TEST(matches_of({"--config", file.path(), "-n", "5"}) == 5u);
  {
    const with_variable named("IMGSIM_CONFIG", file.path());
    BOOST_TEST(matches_of({}) == 3u);
    const config_file other("[query]\nindex = '" + index + "'\nnumber = 4\n");
    BOOST_TEST(matches_of({"--config", other.path()}) == 4u);
  }
  unsetenv("IMGSIM_CONFIG");
  const with_variable folder("XDG_CONFIG_HOME", file.home().string());
  const std::size_t matches = matches_of({});
  setenv("IMGSIM_CONFIG", "", 1);  // no file, as for all other tests
  BOOST_TEST(matches == 3u);
  BOOST_TEST(run_imgsim({"query", "--id", "red/0.png"}).exit_code == 2);
}

BOOST_AUTO_TEST_CASE(what_is_typed_outdoes_what_takes_its_place_in_the_file) {
  const std::string index = shared_folder().index();
  const config_file file("[cluster]\nindex = '" + index +
                         "'\nmax-distance = 0.5\nmethod = 'silhouette'\npartition = 'copy'\n"
                         "[query]\nindex = '" +
                         index + "'\nprior = 0.1\nbreadth = 9\n");
  const auto k_of = [&](const std::vector<std::string>& more) {
    std::vector<std::string> line{"cluster", "--config", file.path(), "--json"};
    line.insert(line.end(), more.begin(), more.end());
    return must_run(line).json();
  };
  BOOST_TEST(k_of({}).at("method") == "cover");
  BOOST_TEST(k_of({"-k", "4"}).at("method") == "silhouette");
  BOOST_TEST(k_of({"-k", "4", "--method", "k-medoids"}).at("k") == 4);
  BOOST_TEST(matches_of({"--config", file.path()}) == 10u);  // a prior and a breadth that nothing asks for
  const config_file both("[cluster]\nindex = '" + index + "'\nmax-distance = 0.5\ngroups = 3\n");
  const auto refused = run_imgsim({"cluster", "--config", both.path()});
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(refused.err.find("--max-distance takes the place of -k: give one of them") != std::string::npos,
             refused.err);
}

BOOST_AUTO_TEST_CASE(lists_flags_and_tables_of_a_command_for_global_options) {
  const std::string index = shared_folder().index();
  const config_file file("json = true\nseed = 1\n[query]\nindex = '" + index +
                         "'\nid = ['red/0.png', 'red/1.png']\nmetric = ['cosine', 'euclidean']\n"
                         "[choose-k]\nindex = '" +
                         index + "'\nseed = 7\nk-max = 4\nsensitivity = 1.5\n");
  BOOST_TEST(must_run({"query", "--config", file.path()}).json().at("results").size() == 4u);
  BOOST_TEST(must_run({"choose-k", "--config", file.path()}).json().at("seed") == 7);
}

BOOST_AUTO_TEST_CASE(the_home_folder_is_expanded) {
  const std::filesystem::path index = shared_folder().index();
  const with_variable home("HOME", index.parent_path().string());
  const config_file file("[query]\nindex = '~/" + index.filename().string() + "'\n");
  BOOST_TEST(matches_of({"--config", file.path()}) == 10u);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_told_with_file_and_line_and_exit_code_2) {
  const struct {
    std::string text;
    std::string message;  // behind the path
  } table[] = {
      {"gridd = 'x.png'\n", ":1: there is no option 'gridd'; did you mean grid?"},
      {"sed = 3\n", ":1: there is no option 'sed'; did you mean seed?"},
      {"\n[qury]\nnumber = 3\n", ":2: there is no command 'qury'; did you mean query?"},
      {"[query]\nnumbr = 3\n", ":2: there is no option 'numbr'; did you mean number?"},
      {"number = 3\n", ":1: number is an option of a command: put it into a table such as [query]"},
      {"[query]\nnumber = 'many'\n", ":2: number: expected a whole number of at least 1, got 'many'"},
      {"[query]\nindex = 3\n", ":2: index: expected IDX in quotes, got a number"},
      {"[query]\nprobability = 'yes'\n", ":2: probability: expected true or false, got a text"},
      {"[train]\nresume = 1\n", ":2: resume: expected true or false, got a number"},  // another command's
      {"[query]\nmetric = true\n", ":2: metric: expected NAMES, got true or false"},
      {"[query]\nindex = \"x\n", ":2: "},
      {"[query]\nmetric = []\n", ":2: metric: the list is empty: put NAMES into it or remove the line"},
      {"[query]\nprobability = []\n", ":2: probability: expected true or false, got a list"},
      {"[query]\nn = 5\n", ":2: n: options have their long names here: write number"},
      {"[query.number]\nvalue = 5\n", ":1: number: expected N, got a table"},
      {"[query]\nindex = {path = 'x'}\n", ":2: index: expected IDX in quotes, got a table"},
      {"[query]\nprobability = {on = true}\n", ":2: probability: expected true or false, got a table"},
      {"[query]\nnumber = 2026-01-01\n", ":2: number: expected N, got a date or a time"},
      {"\n[seed]\nvalue = 5\n", ":2: seed is an option, no table: write seed = VALUE above the first table"},
      {"\n[[query]]\nnumber = 5\n", ":2: a command has one table: write [query] in place of [[query]]"},
      {"query = 5\n", ":1: query is a command: put its options into a table [query]"},
      {"index = 'x'\n",
       ":1: index is a command and an option of commands: put the option into a table such as [query]"},
      {"images = 'x'\n", ":1: images is an option of a command: put it into a table such as [train]"},
      {"help = true\n", ":1: help belongs on the command line"},
  };
  for (const auto& row : table) {
    const config_file file(row.text);
    const auto result = run_imgsim({"query", "--index", shared_folder().index(), "--id", "0", "--config", file.path()});
    const std::string expected = "imgsim query: " + file.path() + row.message;
    BOOST_TEST_CONTEXT(row.text) {
      BOOST_TEST(result.exit_code == 2);
      BOOST_TEST(result.err.substr(0, expected.size()) == expected);
    }
  }
  const auto missing = run_imgsim({"info", "--config", "/nonexistent/imgsim.toml"});
  BOOST_TEST(missing.exit_code == 2);
  BOOST_TEST(missing.err.starts_with("imgsim info: /nonexistent/imgsim.toml: cannot be opened"));
}

BOOST_AUTO_TEST_CASE(advice_to_resume_repeats_what_the_file_set) {
  const auto& made = shared_folder();
  const temporary_folder folder;
  const std::string model = (folder.path() / "m.safetensors").string();
  const config_file file("seed = 11\n[train]\nbatch = 4\nresume = false\nepochs = 7\npreset = \"" +
                         made.architecture() + "\"\n");
  imgsim_test::running_imgsim training;
  {
    const with_variable config("IMGSIM_CONFIG", file.path());
    training.start({"train", "--images", made.photos(), "--model", model, "--epochs", "400", "--device", "cpu"},
                   folder.path() / "out", folder.path() / "err");
  }
  // The first checkpoint shows that training is under way.
  for (int i = 0; i < 3000 && !std::filesystem::exists(folder.path() / "m.last.safetensors"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  training.signal(SIGINT);
  BOOST_TEST(training.wait() == 1);
  const std::string err = imgsim_test::read_text(folder.path() / "err");
  BOOST_TEST(err.ends_with("continue with:\n  imgsim train --batch=4 --preset=" + made.architecture() +
                           " --seed=11 --images " + made.photos() + " --model " + model +
                           " --epochs 400 --device cpu --resume\n"),
             err);
}

BOOST_AUTO_TEST_CASE(a_refusal_names_what_the_file_set) {
  const config_file file("[choose-k]\nk-max = 3\n");
  const auto result =
      run_imgsim({"choose-k", "--index", shared_folder().index(), "--k-min", "5", "--config", file.path()});
  BOOST_TEST(result.exit_code == 2);
  BOOST_TEST(result.err.find("Set in " + file.path() + ": --k-max") != std::string::npos);
}

#else

BOOST_AUTO_TEST_CASE(without_toml_the_command_says_so) {
  const auto result = run_imgsim({"info", "--config", "x.toml"});
  BOOST_TEST(result.exit_code == 2);
  BOOST_TEST(result.err ==
             "imgsim info: this imgsim was built without toml++ and cannot read x.toml; leave out --config, or set "
             "IMGSIM_CONFIG= (to nothing) where it was not given\nTry: imgsim info --help\n");
}

#endif

BOOST_AUTO_TEST_SUITE_END()
