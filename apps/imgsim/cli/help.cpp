#include "cli/help.hpp"

#include <algorithm>
#include <utility>

#include "cli/text.hpp"

#include <imgsim/core/version.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

std::string what_it_is() {
  return "finds similar photos and groups a folder of photos";
}

first_lines lines_to_begin_with() {
  return {.demo = {"imgsim demo", "imgsim demo --photos FOLDER"},
          .steps = {"imgsim train --images photos --model photos.safetensors",
                    "imgsim index --images photos --model photos.safetensors --index photos.idx",
                    "imgsim query --index photos.idx cat.jpg --grid similar.png",
                    "imgsim cluster --index photos.idx -k auto --out groups", "imgsim serve --index photos.idx"}};
}

const std::vector<std::string>& common_exit_codes() {
  static const std::vector<std::string> codes{"0  done", "1  failed", "2  wrong usage",
                                              "3  done, but some photos were skipped (each is listed)"};
  return codes;
}

std::string usage_of(const option& described) {
  std::string text = described.letter == '\0' ? "" : "-" + std::string(1, described.letter) + ", ";
  text += "--" + described.name;
  return described.metavar.empty() ? text : text + " " + described.metavar;
}

std::string help_of(const option& described) {
  if (described.is_required) return described.help + " (required)";
  return described.default_text.empty() ? described.help
                                        : described.help + " (default: " + described.default_text + ")";
}

namespace {

/// Lines longer than this are hard to read, however wide the terminal.
constexpr std::size_t kWidth = 100;

std::size_t width_within(std::size_t columns) {
  constexpr std::size_t kLeast = 40;
  return columns == 0 ? kWidth : std::clamp(columns, kLeast, kWidth);
}

/// Each term with its text beside it or, where that would leave too little room for it, below.
void print_list(std::ostream& out, const std::vector<std::pair<std::string, std::string>>& entries, std::size_t width) {
  constexpr std::size_t kLeastText = 32, kIndent = 10;
  std::size_t terms = 0;
  for (const auto& [term, text] : entries) terms = std::max(terms, terminal_width(term));
  for (const auto& [term, text] : entries) {
    out << "  " << term;
    if (terms + 4 + kLeastText <= width)
      out << std::string(terms - terminal_width(term) + 2, ' ') << wrapped(text, width - terms - 4, terms + 4) << '\n';
    else
      out << '\n' << std::string(kIndent, ' ') << wrapped(text, width - kIndent, kIndent) << '\n';
  }
}

void print_options(std::ostream& out, const option_set& options, std::size_t width) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (const option& o : options.options())
    entries.emplace_back((o.letter == '\0' ? "    " : "") + usage_of(o), help_of(o));
  print_list(out, entries, width);
}

void print_global_options(std::ostream& out, std::size_t width) {
  global_options defaults;
  option_set options;
  describe(options, defaults);
  out << "\nGlobal options, before or after the command:\n";
  print_options(out, options, width);
}

}  // namespace

void print_overview(std::ostream& out, const command_list& commands, std::size_t columns) {
  const std::size_t width = width_within(columns);
  const first_lines first = lines_to_begin_with();
  out << wrapped("imgsim " + std::string(version) + ": " + what_it_is() + ".", width, 0) << "\n\nStart here:\n";
  print_list(out,
             {{first.demo.at(0), "the whole journey on pictures of its own; less than half a minute"},
              {first.demo.at(1), "the same on your photos"}},
             width);
  out << "\nStep by step on a folder of photos:\n";
  for (const std::string& line : first.steps) out << "  " << line << '\n';
  out << "\nCommands (imgsim COMMAND --help says more):\n";
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto& c : commands) entries.emplace_back(c->name(), c->summary());
  print_list(out, entries, width);
  print_global_options(out, width);
}

void print_help(std::ostream& out, const command& described, const option_set& options, std::size_t columns) {
  const std::size_t width = width_within(columns);
  const command_help help = described.help();
  out << "Usage: " << wrapped("imgsim " + std::string(described.name()) + " " + help.usage, width - 7, 7) << "\n\n"
      << wrapped(help.about, width, 0) << '\n';
  if (!options.options().empty()) {
    out << "\nOptions:\n";
    print_options(out, options, width);
  }
  print_global_options(out, width);
  out << (help.examples.size() == 1 ? "\nExample:\n" : "\nExamples:\n");
  for (const std::string& example : help.examples) out << "  " << example << '\n';
  out << "\nExit codes:\n";
  for (const std::string& line : help.exit_codes.empty() ? common_exit_codes() : help.exit_codes)
    out << "  " << (line.size() + 2 <= width ? line : line.substr(0, 3) + wrapped(line.substr(3), width - 5, 5))
        << '\n';
}

}  // namespace imgsim::app
