// What one run of a command shares: global options, the device, the two output streams and the wish to stop.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/folder_lock.hpp"
#include "cli/global_options.hpp"
#include "cli/interrupt.hpp"
#include "cli/new_folders.hpp"
#include "exit_code.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/image/detail/limits.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

class compute;
class rank_team;

using json = nlohmann::ordered_json;

class session {
 public:
  /// `team`: where the command runs as rank 0 of several.
  session(global_options options, std::string command_name, const std::vector<std::string>& arguments,
          rank_team* team = nullptr);
  ~session();

  [[nodiscard]] const global_options& options() const noexcept { return options_; }
  /// What was typed, behind what a config file set, so that it can be pasted into any shell.
  [[nodiscard]] const std::string& command_line() const noexcept { return command_line_; }
  [[nodiscard]] bool wants_json() const noexcept { return options_.json; }
  [[nodiscard]] decode_limits limits() const;
  /// CPU threads of this process; 0: one per hardware thread.
  [[nodiscard]] std::size_t threads() const;

  /// The device of --device, opened at the first call. Throws error where there is none.
  compute& device();
  /// Before the first call of device(): auto means the CPU, for what only it can do.
  void keep_to_cpu();

  /// Becomes requested at the first Ctrl-C or SIGTERM; the second ends the process at once. Signals keep their
  /// default effect until the first call.
  std::stop_token stop();
  /// A session for work in the background: silent, skip() keeps its list, with a device of its own, stopped by `stop`.
  [[nodiscard]] std::unique_ptr<session> in_background(std::stop_token stop) const;
  /// Throws cancelled with `consequence` ("nothing was changed") where a stop is wanted.
  void check_stop(const std::string& consequence);
  /// What `work` returns. The library's word of a stop, which names a step of it, becomes that of check_stop().
  template <class Work>
  auto stoppable(const std::string& consequence, Work&& work) {
    try {
      return work();
    } catch (const cancelled&) {
      check_stop(consequence);
      throw;
    }
  }

  /// "imgsim index: text" on stderr, on one line whatever bytes names in it hold, and below it a command to paste, made
  /// of shell_word()s.
  void warn(const std::string& text, const std::string& to_paste = {}) const;
  /// The same, silent under --quiet.
  void note(const std::string& text) const;
  /// Lists a photo that could not be used and remembers that the exit code is then `some_skipped`.
  void skip(const std::string& path, const std::string& reason);
  /// What was listed so far: [{"path", "reason"}...].
  [[nodiscard]] const json& skipped() const noexcept { return skipped_; }
  /// done, or some_skipped after skip().
  [[nodiscard]] exit_code finish() const;

  /// The folders of its results.
  new_folders& folders() noexcept { return folders_; }
  /// Keeps other processes from writing into `folder` until the session ends. Throws io_error where one does.
  void lock(const std::filesystem::path& folder) { locks_.emplace_back(folder); }

  /// --dry-run: nothing is to be written, plan() is told of what would be.
  [[nodiscard]] bool is_dry_run() const noexcept { return options_.dry_run; }
  /// A file that a real run would make or, where it is there, replace.
  void plan(const std::filesystem::path& file);
  /// A file that a real run would remove; nothing where it is not there.
  void plan_removal(const std::filesystem::path& file);
  /// Prints what was planned, of `photos` photos, and returns what finish() does. `more` is added to the document.
  exit_code finish_dry_run(std::size_t photos, const json& more = json::object()) const;

  /// `table` for standard output: as wide as a terminal is, its headings bold where colour is wanted.
  [[nodiscard]] std::string text_of(const text_table& table) const;

  /// The command's one JSON document, fit for a terminal.
  void print(const json& document) const;

 private:
  global_options options_;
  std::string command_name_;
  std::string command_line_;
  rank_team* team_;
  std::vector<folder_lock> locks_;  // before the next: an empty folder is removed while it is locked
  new_folders folders_;
  std::unique_ptr<compute> device_;
  std::once_flag watch_once_;  // progress callbacks ask for stop() from several threads
  std::unique_ptr<interrupt_watch> watch_;
  std::optional<std::stop_token> given_stop_;  // in place of the watch
  json skipped_ = json::array();
  json planned_ = json::array();  // [{"path", "change"}...]
  std::set<std::string> planned_paths_;
};

/// `document` as text, on one line where `indent` is negative. Bytes that are no UTF-8 become U+FFFD: paths are to be
/// brought into text by path_to_text (core/path_text.hpp) first.
[[nodiscard]] std::string json_text(const json& document, int indent = 2);

}  // namespace imgsim::app
