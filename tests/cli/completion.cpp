// The scripts of imgsim completion, in the shells that they are for.
#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "cli/shell.hpp"

using imgsim_test::lines_of;
using imgsim_test::listed_commands;
using imgsim_test::listed_options;
using imgsim_test::must_run;
using imgsim_test::needs_program;
using imgsim_test::run_script;
using imgsim_test::temporary_folder;

BOOST_AUTO_TEST_SUITE(completion)

namespace {

/// What is typed, in words, and what Tab offers for the last of them.
struct typed_line {
  std::vector<std::string> words;
  std::vector<std::string> offered;  // sorted
};

const std::vector<typed_line> kLines{
    {{"imgsim", "qu"}, {"query"}},
    {{"imgsim", "--seed", "3", "tra"}, {"train"}},
    {{"imgsim", "help", "dup"}, {"duplicates"}},
    {{"imgsim", "query", "--met"}, {"--metric"}},
    {{"imgsim", "query", "--metric", ""}, {"cosine", "euclidean"}},
    {{"imgsim", "info", "--device", "cu"}, {"cuda"}},
    {{"imgsim", "cluster", "-k", ""}, {"auto"}},
    {{"imgsim", "cluster", "--method", "k-me"}, {"k-means", "k-medoids"}},
    {{"imgsim", "train", "--preset", "maxpool"}, {"maxpool-16-8-4"}},
    {{"imgsim", "cluster", "--index", "a f"}, {"a folder"}},
    {{"imgsim", "query", "--grid", "a "}, {"a file.png", "a folder"}},
    {{"imgsim", "query", "a fi"}, {"a file.png"}},
    {{"imgsim", "completion", "z"}, {"zsh"}},
};

/// A folder and a file with spaces in their names, and the script of `shell`.
class completed_folder {
 public:
  explicit completed_folder(const std::string& shell) {
    std::filesystem::create_directories(folder_.path() / "a folder");
    imgsim_test::write_text(folder_.path() / "a file.png", "");
    imgsim_test::write_text(script(), must_run({"completion", shell}).out);
  }
  [[nodiscard]] std::filesystem::path path() const { return folder_.path(); }
  [[nodiscard]] std::string script() const { return (folder_.path() / "_imgsim").string(); }

 private:
  temporary_folder folder_;
};

std::string in_single_quotes(const std::string& word) {
  return "'" + word + "'";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word + "\n";
  return text;
}

/// What bash's completion function offers for each line, sorted.
std::string bash_answers(const completed_folder& folder, const std::vector<std::vector<std::string>>& lines) {
  std::string script = "source " + in_single_quotes(folder.script()) +
                       "\ntyped() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _imgsim; "
                       "printf '%s\\n' \"${COMPREPLY[@]}\" | LC_ALL=C sort; echo .; }\n";
  for (const std::vector<std::string>& words : lines) {
    script += "typed";
    for (const std::string& word : words) script += " " + in_single_quotes(word);
    script += "\n";
  }
  return run_script("bash", script, folder.path());
}

}  // namespace

BOOST_AUTO_TEST_CASE(bash_offers_commands_options_values_and_files, *needs_program("bash")) {
  const completed_folder folder("bash");
  std::vector<std::vector<std::string>> lines;
  std::string expected;
  for (const typed_line& line : kLines) {
    lines.push_back(line.words);
    expected += joined(line.offered) + ".\n";
  }
  lines.push_back({"imgsim", "query", "--metric", "=", "eu"});  // how bash parts --metric=eu
  expected += "euclidean\n.\n";
  BOOST_TEST(bash_answers(folder, lines) == expected);
}

BOOST_AUTO_TEST_CASE(bash_offers_every_option_of_every_command, *needs_program("bash")) {
  const completed_folder folder("bash");
  std::vector<std::vector<std::string>> lines;
  std::string expected;
  for (const std::string& command : listed_commands()) {
    lines.push_back({"imgsim", command, "-"});
    std::vector<std::string> options = listed_options(command);
    std::ranges::sort(options);
    expected += joined(options) + ".\n";
  }
  BOOST_TEST(lines.size() >= 18u);
  BOOST_TEST(bash_answers(folder, lines) == expected);
}

BOOST_AUTO_TEST_CASE(fish_offers_commands_options_values_and_files, *needs_program("fish")) {
  const completed_folder folder("fish");
  std::string script = "source " + in_single_quotes(folder.script()) + "\n", expected;
  for (const typed_line& line : kLines) {
    if (line.words.back().find(' ') != std::string::npos) continue;  // fish shows them escaped, in ways of its own
    std::string text;
    for (const std::string& word : line.words) text += (text.empty() ? "" : " ") + word;
    script += "complete -C " + in_single_quotes(text) + " | string replace -r '\\t.*' '' | sort; echo .\n";
    expected += joined(line.offered) + ".\n";
  }
  BOOST_TEST(run_script("env XDG_CONFIG_HOME=. XDG_DATA_HOME=. fish --no-config", script, folder.path()) == expected);
}

BOOST_AUTO_TEST_CASE(fish_offers_every_option_of_every_command, *needs_program("fish")) {
  const completed_folder folder("fish");
  for (const std::string& command : listed_commands()) {
    BOOST_TEST_CONTEXT(command) {
      const std::string answer = run_script("env XDG_CONFIG_HOME=. XDG_DATA_HOME=. fish --no-config",
                                            "source " + in_single_quotes(folder.script()) + "\ncomplete -C 'imgsim " +
                                                command + " -' | string replace -r '\\t.*' ''\n",
                                            folder.path());
      for (const std::string& option : listed_options(command))
        BOOST_TEST(("\n" + answer).find("\n" + option + "\n") != std::string::npos, option << " is missing");
    }
  }
}

BOOST_AUTO_TEST_CASE(descriptions_end_at_the_end_of_a_clause) {
  BOOST_TEST(must_run({"completion", "zsh"}).out.find("'(--labels)--labels=[where the labels come from]:") !=
             std::string::npos);
  for (const std::string& line : lines_of(must_run({"completion", "fish"}).out)) {
    const std::size_t begin = line.find(" -d '");
    if (begin == std::string::npos) continue;
    BOOST_TEST(std::ranges::count(line.substr(begin), '(') == std::ranges::count(line.substr(begin), ')'), line);
  }
}

BOOST_AUTO_TEST_CASE(zsh_completes_what_is_typed, *needs_program("zsh")) {
  const completed_folder folder("zsh");
  // A terminal of its own: zsh completes only where somebody types. What it prints while it edits is stripped of
  // escapes.
  std::string script = R"zsh(
zmodload zsh/zpty
setopt extended_glob
zpty z zsh -f -i
zpty -w z "PS1=; fpath=(\$PWD \$fpath); autoload -Uz compinit; compinit -u -D; bindkey '^I' complete-word; echo RE\"\"ADY"
zpty -r z out '*READY*'
typed() {
  local out all=
  zpty -w -n z "$1"$'\t'
  for ((i = 0; i < 100; ++i)); do
    while zpty -r -t z out; do all+=$out; done
    all=${all//$'\e['[0-9;]#[a-zA-Z]/}
    [[ ${all//$'\r'/} == *$2* ]] && break
    sleep 0.05
  done
  ((i < 100)) && print -r -- "$2" || print -r -- "not $2 but ${(V)all}"
  zpty -w -n z $'\x15'
}
)zsh";
  std::string expected;
  const std::vector<std::vector<std::string>> typed{{"imgsim qu", "imgsim query "},
                                                    {"imgsim --seed 3 tra", "imgsim --seed 3 train "},
                                                    {"imgsim help dup", "imgsim help duplicates "},
                                                    {"imgsim query --gri", "imgsim query --grid="},
                                                    {"imgsim query --metric eu", "imgsim query --metric euclidean "},
                                                    {"imgsim query --metric=co", "imgsim query --metric=cosine "},
                                                    {"imgsim train --preset maxp", "maxpool-16-8-4 "},
                                                    {"imgsim cluster --index a", "imgsim cluster --index a\\ folder/"},
                                                    {"imgsim completion fi", "imgsim completion fish "}};
  for (const std::vector<std::string>& line : typed) {
    script += "typed " + in_single_quotes(line[0]) + " " + in_single_quotes(line[1]) + "\n";
    expected += line[1] + "\n";
  }
  BOOST_TEST(run_script("zsh -f", script, folder.path()) == expected);
}

BOOST_AUTO_TEST_SUITE_END()
