#include "cli/completion.hpp"

#include <algorithm>
#include <map>

#include "cli/text.hpp"

namespace imgsim::app {

namespace {

std::string joined(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

/// The first clause of a help text, with what it has in parentheses: menus show one line.
std::string brief(const std::string& help) {
  int depth = 0;
  for (std::size_t i = 0; i < help.size(); ++i) {
    if (help[i] == '(') ++depth;
    if (help[i] == ')') --depth;
    const bool ends_clause = help.compare(i, 2, "; ") == 0 || help.compare(i, 2, ": ") == 0;
    if (depth == 0 && ends_clause) return help.substr(0, i);
  }
  return help;
}

/// "-n" and "--number".
std::vector<std::string> spellings(const option& o) {
  std::vector<std::string> names{"--" + o.name};
  if (o.letter != '\0') names.push_back("-" + std::string(1, o.letter));
  return names;
}

std::vector<std::string> all_spellings(const option_set& options) {
  std::vector<std::string> names;
  for (const option& o : options.options())
    for (const std::string& name : spellings(o)) names.push_back(name);
  return names;
}

/// The words that are followed by a value of their own.
std::vector<std::string> with_values(const option_set& options) {
  std::vector<std::string> names;
  for (const option& o : options.options())
    if (!o.metavar.empty())
      for (const std::string& name : spellings(o)) names.push_back(name);
  return names;
}

/// What bash offers for a value.
std::string bash_values(value_kind kind, const std::vector<std::string>& offered) {
  std::string action;
  if (!offered.empty()) action += "_imgsim_words '" + joined(offered, " ") + "'; ";
  if (kind == value_kind::file) action += "_imgsim_paths -f; ";
  if (kind == value_kind::folder) action += "_imgsim_paths -d; ";
  return action;
}

void bash_options(std::string& text, const std::string& command, const option_set& options) {
  for (const option& o : options.options()) {
    if (o.metavar.empty()) continue;
    std::string patterns;
    for (const std::string& name : spellings(o)) patterns += (patterns.empty() ? "" : "|") + command + shell_word(name);
    text += "    " + patterns + ") " + bash_values(o.kind, o.offered) + "return ;;\n";
  }
}

std::string bash_script(const catalogue& all) {
  std::string text = R"(# Completion of imgsim for bash, made by: imgsim completion bash
_imgsim_words() { # words: those that begin with what is typed
  local word
  for word in $1; do [[ $word == "$cur"* ]] && COMPREPLY+=("$word"); done
}
_imgsim_paths() { # -f or -d: files or folders, with their spaces
  local path
  compopt -o filenames 2>/dev/null
  while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen "$1" -- "$cur")
}
_imgsim() {
  local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= word i
  COMPREPLY=()
  # bash parts --option=value into three words.
  if [[ $cur == = ]]; then cur=; elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    case $word in
)";
  text += "      " + joined(with_values(all.global), "|") +
          ") if [[ ${COMP_WORDS[i+1]} == = ]]; then ((i += 2)); else ((++i)); fi ;;\n";
  text += R"(      -*) ;;
      *) command=$word; break ;;
    esac
  done
  case $command' '$previous in
)";
  bash_options(text, "*' '", all.global);
  for (const described_command& c : all.commands) bash_options(text, c.name + "' '", c.options);
  text += "  esac\n  if [[ $cur == -* ]]; then\n    _imgsim_words '" + joined(all_spellings(all.global), " ") +
          "'\n    case $command in\n";
  for (const described_command& c : all.commands)
    text += "      " + c.name + ") _imgsim_words '" + joined(all_spellings(c.options), " ") + "' ;;\n";
  text += "    esac\n    return\n  fi\n  case $command in\n    '') _imgsim_words 'help " + joined(all.names(), " ") +
          "' ;;\n    help) _imgsim_words '" + joined(all.names(), " ") + "' ;;\n";
  for (const described_command& c : all.commands) {
    const positional_arguments& more = c.options.positionals();
    const std::string action = bash_values(more.kind, more.offered);
    if (!action.empty()) text += "    " + c.name + ") " + action + ";;\n";
  }
  return text + "  esac\n}\ncomplete -F _imgsim imgsim\n";
}

/// `text` within single quotes, of which `special` characters get a backslash.
std::string quoted(const std::string& text, const std::string& special) {
  std::string escaped;
  for (const char c : text) {
    if (special.find(c) != std::string::npos) escaped += '\\';
    escaped += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return escaped;
}

/// What zsh does for a value: "NAME:action".
std::string zsh_values(const std::string& metavar, value_kind kind, const std::vector<std::string>& offered) {
  std::string action = " ";
  if (kind == value_kind::folder) action = "_files -/";
  if (kind == value_kind::file) action = offered.empty() ? "_files" : " _imgsim_words_or_files " + joined(offered, " ");
  if (kind == value_kind::text && !offered.empty()) action = "(" + joined(offered, " ") + ")";
  return quoted(metavar, ":") + ":" + action;
}

void zsh_options(std::string& text, const std::string& indent, const option_set& options) {
  for (const option& o : options.options()) {
    for (const std::string& name : spellings(o)) {
      const std::string others = o.is_repeatable ? "*" : "(" + joined(spellings(o), " ") + ")";
      text += " \\\n" + indent + "'" + others + name;
      if (!o.metavar.empty()) text += name.starts_with("--") ? "=" : "+";
      text += "[" + quoted(brief(o.help), "[]\\") + "]";
      if (!o.metavar.empty()) text += ":" + zsh_values(o.metavar, o.kind, o.offered);
      text += "'";
    }
  }
}

std::string zsh_script(const catalogue& all) {
  std::string text = R"zsh(#compdef imgsim
# Completion of imgsim for zsh, made by: imgsim completion zsh
_imgsim_words_or_files() { _alternative "words:word:($*)" 'files:file:_files' }
_imgsim() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a commands
  commands=(
    'help:explain a command'
)zsh";
  for (const described_command& c : all.commands) text += "    '" + c.name + ":" + quoted(c.summary, ":\\") + "'\n";
  text += "  )\n  _arguments -C";
  zsh_options(text, "    ", all.global);
  text += R"( \
    '1:command:->command' '*::argument:->argument'
  case $state in
  command) _describe -t commands command commands ;;
  argument)
    case $words[1] in
    help) _describe -t commands command commands ;;
)";
  for (const described_command& c : all.commands) {
    text += "    " + c.name + ")\n      _arguments";
    zsh_options(text, "        ", all.global);
    zsh_options(text, "        ", c.options);
    const positional_arguments& more = c.options.positionals();
    if (more.target != nullptr)
      text += " \\\n        '" + std::string(more.most == 1 ? "1" : "*") + ":" +
              zsh_values(more.metavar, more.kind, more.offered) + "'";
    text += " ;;\n";
  }
  return text + R"(    esac ;;
  esac
}
if [[ $funcstack[1] == _imgsim ]]; then _imgsim "$@"; else compdef _imgsim imgsim; fi
)";
}

/// `text` within single quotes of fish.
std::string fish_quoted(const std::string& text) {
  std::string escaped = "'";
  for (const char c : text) escaped += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return escaped + "'";
}

/// What fish offers for a value.
std::string fish_values(value_kind kind, const std::vector<std::string>& offered) {
  std::string text = kind == value_kind::file ? " -F" : " -f";
  std::string words = joined(offered, " ");
  if (kind == value_kind::folder) words += "(__fish_complete_directories (commandline -ct))";
  return words.empty() ? text : text + " -a '" + words + "'";
}

void fish_options(std::string& text, const std::string& condition, const option_set& options) {
  for (const option& o : options.options()) {
    text += "complete -c imgsim" + condition + " -l " + o.name;
    if (o.letter != '\0') text += " -s " + std::string(1, o.letter);
    if (!o.metavar.empty()) text += " -r" + fish_values(o.kind, o.offered);
    text += " -d " + fish_quoted(brief(o.help)) + "\n";
  }
}

std::string fish_script(const catalogue& all) {
  std::string text = R"(# Completion of imgsim for fish, made by: imgsim completion fish
function __imgsim_command # the command that is typed already
    set -l words (commandline -opc)
    set -e words[1]
    set -l is_value 0
    for word in $words
        if test $is_value = 1
            set is_value 0
            continue
        end
        switch $word
            case )" + joined(with_values(all.global), " ") +
                     R"(
                set is_value 1
            case '-*'
            case '*'
                echo $word
                return
        end
    end
end
function __imgsim_is
    test (count (__imgsim_command)) -eq 1; and test (__imgsim_command) = $argv[1]
end
complete -c imgsim -f
complete -c imgsim -n 'test -z (__imgsim_command)' -a help -d 'explain a command'
)";
  fish_options(text, "", all.global);
  for (const described_command& c : all.commands) {
    text += "complete -c imgsim -n 'test -z (__imgsim_command); or __imgsim_is help' -a " + c.name + " -d " +
            fish_quoted(c.summary) + "\n";
    const std::string condition = " -n '__imgsim_is " + c.name + "'";
    fish_options(text, condition, c.options);
    const positional_arguments& more = c.options.positionals();
    if (more.kind != value_kind::text || !more.offered.empty())
      text += "complete -c imgsim" + condition + fish_values(more.kind, more.offered) + "\n";
  }
  return text;
}

using script_maker = std::string (*)(const catalogue&);
const std::map<std::string, script_maker> kMakers{{"bash", bash_script}, {"fish", fish_script}, {"zsh", zsh_script}};

}  // namespace

const std::vector<std::string>& completed_shells() {
  static const std::vector<std::string> shells = [] {
    std::vector<std::string> names;
    for (const auto& [name, maker] : kMakers) names.push_back(name);
    return names;
  }();
  return shells;
}

std::string completion_script(const std::string& shell, const catalogue& all) {
  return kMakers.at(shell)(all);
}

}  // namespace imgsim::app
