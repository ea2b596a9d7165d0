#include "cli/help.hpp"

#include <algorithm>

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

constexpr std::size_t kWidth = 100;

void print_options(std::ostream& out, const option_set& options) {
  const auto aligned = [](const option& o) { return (o.letter == '\0' ? "    " : "") + usage_of(o); };
  std::size_t width = 0;
  for (const option& o : options.options()) width = std::max(width, terminal_width(aligned(o)));
  for (const option& o : options.options()) {
    const std::string usage = aligned(o);
    out << "  " << usage << std::string(width - terminal_width(usage) + 2, ' ')
        << wrapped(help_of(o), kWidth - width - 4, width + 4) << '\n';
  }
}

void print_global_options(std::ostream& out) {
  global_options defaults;
  option_set options;
  describe(options, defaults);
  out << "\nGlobal options, before or after the command:\n";
  print_options(out, options);
}

}  // namespace

void print_overview(std::ostream& out, const command_list& commands) {
  const first_lines first = lines_to_begin_with();
  out << "imgsim " << version << ": " << what_it_is() << ".\n\n"
      << "Start here:\n"
      << "  " << first.demo.at(0) << "                    the whole journey on pictures it draws itself; 2 minutes\n"
      << "  " << first.demo.at(1) << "    the same on your photos\n\n"
      << "Step by step on a folder of photos:\n";
  for (const std::string& line : first.steps) out << "  " << line << '\n';
  out << "\nCommands (imgsim COMMAND --help says more):\n";
  std::size_t width = 0;
  for (const auto& c : commands) width = std::max(width, c->name().size());
  for (const auto& c : commands)
    out << "  " << c->name() << std::string(width - c->name().size() + 2, ' ') << c->summary() << '\n';
  print_global_options(out);
}

void print_help(std::ostream& out, const command& described, const option_set& options) {
  const command_help help = described.help();
  out << "Usage: imgsim " << described.name() << (help.usage.empty() ? "" : " ") << help.usage << "\n\n"
      << wrapped(help.about, kWidth, 0) << '\n';
  if (!options.options().empty()) {
    out << "\nOptions:\n";
    print_options(out, options);
  }
  print_global_options(out);
  out << (help.examples.size() == 1 ? "\nExample:\n" : "\nExamples:\n");
  for (const std::string& example : help.examples) out << "  " << example << '\n';
  out << "\nExit codes:\n";
  for (const std::string& line : help.exit_codes.empty() ? common_exit_codes() : help.exit_codes)
    out << "  " << line << '\n';
}

}  // namespace imgsim::app
