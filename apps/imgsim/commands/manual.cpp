#include "commands/manual.hpp"

#include <algorithm>
#include <iostream>

#include "cli/manual.hpp"
#include "commands/registry.hpp"
#include "pipeline/output_path.hpp"

#include <imgsim/core/file.hpp>
#include <imgsim/core/path_text.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

command_help manual_command::help() const {
  return {.usage = "[COMMAND] [--out DIR]",
          .about =
              "Prints the manual page of imgsim, or of one command, in roff, which man formats. With --out, writes the "
              "pages of imgsim and of every command into DIR: imgsim.1, imgsim-query.1, ... An installed imgsim has "
              "them where man looks.",
          .examples = {"imgsim manual query | man -l -", "imgsim manual --out ~/.local/share/man/man1"},
          .exit_codes = {"0  done", "1  failed", "2  wrong usage"}};
}

void manual_command::describe(option_set& options) {
  options.path("out", "DIR", out_, "folder to write all pages into");
  options.positional({.metavar = "COMMAND", .target = &names_, .least = 0, .most = 1, .offered = command_names()});
}

void manual_command::validate(const option_set& options) {
  if (!names_.empty()) expect_choice(names_.front(), command_names());
  if (options.was_given("dry-run") && !out_) throw usage_error("--dry-run is of --out, which is not given");
  if (!names_.empty() && out_) throw usage_error("--out writes every page: leave out " + names_.front());
}

exit_code manual_command::run(session& session) {
  const command_list commands = all_commands();
  const catalogue all = catalogue_of(commands);
  if (out_) {
    std::vector<std::string> pages{"imgsim.1"};
    for (const described_command& c : all.commands) pages.push_back("imgsim-" + c.name + ".1");
    prepare_output_folder(session, *out_, pages);
    if (session.is_dry_run()) return session.finish_dry_run(0);
    write_file(*out_ / "imgsim.1", manual_page(all));
    for (const described_command& c : all.commands)
      write_file(*out_ / ("imgsim-" + c.name + ".1"), manual_page(all, c));
    if (session.wants_json()) {
      session.print({{"folder", path_to_text(out_->string())}, {"pages", all.commands.size() + 1}});
    } else {
      session.note("wrote " + count_text(all.commands.size() + 1, "page") + " in " + out_->string());
    }
    return session.finish();
  }
  const described_command* const chosen = names_.empty() ? nullptr : all.find(names_.front());
  const std::string page = chosen == nullptr ? manual_page(all) : manual_page(all, *chosen);
  if (session.wants_json()) {
    session.print({{"page", page}});
  } else {
    std::cout << page;
  }
  return session.finish();
}

}  // namespace imgsim::app
