#include "cli/manual.hpp"

#include <algorithm>
#include <cctype>

#include "cli/help.hpp"

#include <imgsim/core/version.hpp>

namespace imgsim::app {

namespace {

/// `text` as roff prints it: hyphens that can be copied, nothing taken for a request.
std::string plain(const std::string& text) {
  std::string roff;
  for (const char c : text) {
    if (c == '\\') {
      roff += "\\e";
    } else if (c == '-') {
      roff += "\\-";
    } else if (c == '~') {
      roff += "\\(ti";
    } else if (c == '^') {
      roff += "\\(ha";
    } else if (c == '\'') {
      roff += "\\(aq";
    } else {
      roff += c;
    }
  }
  return roff.starts_with('.') ? "\\&" + roff : roff;
}

/// Sentences begin on lines of their own, which is how roff tells where they end.
std::string paragraph(const std::string& text) {
  std::string roff = plain(text);
  for (std::size_t at = 0; (at = roff.find(". ", at)) != std::string::npos; ++at)
    if (at + 2 < roff.size() && std::isupper(static_cast<unsigned char>(roff[at + 2])) != 0) roff[at + 1] = '\n';
  return roff + "\n";
}

std::string heading(const std::string& name, const std::string& summary) {
  std::string upper = name;
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return ".\\\" Made by: imgsim manual\n.TH " + plain(upper) + " 1 \"\" \"imgsim " + version +
         "\" \"imgsim manual\"\n.SH NAME\n" + plain(name) + " \\- " + plain(summary) + "\n";
}

std::string options_of(const option_set& options) {
  std::string text;
  for (const option& o : options.options()) {
    text += ".TP\n";
    if (o.letter != '\0') text += "\\fB\\-" + std::string(1, o.letter) + "\\fR, ";
    text += "\\fB" + plain("--" + o.name) + "\\fR";
    if (!o.metavar.empty()) text += " \\fI" + plain(o.metavar) + "\\fR";
    text += "\n" + paragraph(help_of(o));
  }
  return text;
}

std::string lines(const std::vector<std::string>& all) {
  std::string text = ".nf\n";
  for (const std::string& line : all) text += plain(line) + "\n";
  return text + ".fi\n";
}

/// Lines of "0  done" as a list, where they are that.
std::string exit_status(const std::vector<std::string>& codes) {
  std::string text = ".SH EXIT STATUS\n";
  const bool is_list = std::ranges::all_of(
      codes, [](const std::string& line) { return line.size() > 3 && std::isdigit(line[0]) != 0 && line[1] == ' '; });
  if (!is_list) return text + lines(codes);
  for (const std::string& line : codes)
    text += ".TP\n\\fB" + line.substr(0, 1) + "\\fR\n" + paragraph(line.substr(line.find_first_not_of(' ', 1)));
  return text;
}

std::string entry(const std::string& term, const std::string& text) {
  return ".TP\n" + term + "\n" + paragraph(text);
}

}  // namespace

std::string manual_page(const catalogue& all) {
  const first_lines first = lines_to_begin_with();
  std::string text = heading("imgsim", what_it_is());
  text += ".SH SYNOPSIS\n\\fBimgsim\\fR [\\fIGLOBAL OPTIONS\\fR] \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n.SH DESCRIPTION\n";
  text += paragraph(
      "From a folder of photos (JPEG, PNG, WebP): trains a convolutional autoencoder, finds the photos most similar to "
      "any photo, and splits the folder into groups around typical examples. No labels and no pretrained weights are "
      "needed. Results go to standard output (with --json one JSON document), progress and messages to standard "
      "error.");
  text += ".SH COMMANDS\nEach has a page of its own, e.g. \\fBimgsim\\-query\\fR(1), and \\fB\\-\\-help\\fR.\n";
  for (const described_command& c : all.commands) text += entry("\\fB" + plain(c.name) + "\\fR", c.summary);
  text += ".SH GLOBAL OPTIONS\nBefore or after the command.\n" + options_of(all.global);
  text += exit_status(common_exit_codes());
  text += ".SH ENVIRONMENT\n";
  text += entry("\\fBIMGSIM_CONFIG\\fR", "the config file; empty: none");
  text += entry("\\fBNO_COLOR\\fR", "no colour, where --color does not ask for it");
  text += ".SH FILES\n";
  text += entry("\\fI$XDG_CONFIG_HOME/imgsim/config.toml\\fR",
                "or ~/.config/imgsim/config.toml: options (TOML) for what the command line does not give. Keys at the "
                "top are global options, those of a table such as [query] are options of that command. ~/ at the "
                "beginning of a path in quotes is the home folder.");
  text += ".PP\n" + lines({"threads = 4", "[query]", "index = \"~/photos.idx\""});
  text += ".SH EXAMPLES\nThe whole journey, on pictures that it draws itself and on your own:\n.PP\n" +
          lines(first.demo) + ".PP\nStep by step on a folder of photos:\n.PP\n" + lines(first.steps);
  text += ".SH SEE ALSO\n";
  for (const described_command& c : all.commands)
    text += ".BR " + plain("imgsim-" + c.name) + " (1)" + (&c == &all.commands.back() ? "\n" : ",\n");
  return text;
}

std::string manual_page(const catalogue& all, const described_command& command) {
  const std::string name = "imgsim-" + command.name;
  std::string text = heading(name, command.summary);
  text += ".SH SYNOPSIS\n\\fBimgsim " + plain(command.name) + "\\fR " + plain(command.help.usage) +
          "\n.SH DESCRIPTION\n" + paragraph(command.help.about);
  if (!command.options.options().empty()) text += ".SH OPTIONS\n" + options_of(command.options);
  text += ".SH GLOBAL OPTIONS\nBefore or after the command; \\fBimgsim\\fR(1) tells of them all.\n" +
          options_of(all.global);
  text += exit_status(command.help.exit_codes.empty() ? common_exit_codes() : command.help.exit_codes);
  text += ".SH EXAMPLES\n" + lines(command.help.examples);
  return text + ".SH SEE ALSO\n.BR imgsim (1)\n";
}

}  // namespace imgsim::app
