#include "cli/help.hpp"

#include <algorithm>

#include "cli/text.hpp"

#include <imgsim/core/version.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

namespace {

constexpr std::size_t kWidth = 100;

void print_options(std::ostream& out, const option_set& options) {
  const auto usage_of = [](const option& o) {
    std::string text = o.letter == '\0' ? "    " : "-" + std::string(1, o.letter) + ", ";
    text += "--" + o.name;
    return o.metavar.empty() ? text : text + " " + o.metavar;
  };
  std::size_t width = 0;
  for (const option& o : options.options()) width = std::max(width, terminal_width(usage_of(o)));
  for (const option& o : options.options()) {
    std::string help = o.help;
    if (o.is_required) {
      help += " (required)";
    } else if (!o.default_text.empty()) {
      help += " (default: " + o.default_text + ")";
    }
    const std::string usage = usage_of(o);
    out << "  " << usage << std::string(width - terminal_width(usage) + 2, ' ')
        << wrapped(help, kWidth - width - 4, width + 4) << '\n';
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
  out << "imgsim " << version << ": finds similar photos and groups a folder of photos.\n\n"
      << "Start here:\n"
      << "  imgsim demo                    the whole journey on pictures it draws itself; 2 minutes\n"
      << "  imgsim demo --photos FOLDER    the same on your photos\n\n"
      << "Step by step on a folder of photos:\n"
      << "  imgsim train --images photos --model photos.safetensors\n"
      << "  imgsim index --images photos --model photos.safetensors --index photos.idx\n"
      << "  imgsim query --index photos.idx cat.jpg --grid similar.png\n"
      << "  imgsim cluster --index photos.idx -k auto --out groups\n\n"
      << "Commands (imgsim COMMAND --help says more):\n";
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
  if (help.exit_codes.empty()) {
    out << "  0  done\n  1  failed\n  2  wrong usage\n  3  done, but some photos were skipped (each is listed)\n";
  }
  for (const std::string& line : help.exit_codes) out << "  " << line << '\n';
}

}  // namespace imgsim::app
