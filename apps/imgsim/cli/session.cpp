#include "cli/session.hpp"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "cli/text.hpp"
#include "device/compute.hpp"
#include "device/open_compute.hpp"
#include "device/rank_team.hpp"

#include <imgsim/core/path_text.hpp>
#include <imgsim/report/escape.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

/// JSON lets these stand as they are, a terminal may obey them: DEL, the C1 controls and what reorders text. In a
/// document they stand within strings alone, where an escape means the same.
std::string escaped_controls(const std::string& document) {
  std::string text;
  text.reserve(document.size());
  for (std::size_t at = 0; at < document.size();) {
    const detail::code_point read = detail::read_code_point(document, at);
    if (read.value >= 0x7f && read.value != detail::kBadCodePoint && read.value < 0x10000 &&
        detail::printable_code_point(read.value) != read.value) {
      constexpr const char* kDigits = "0123456789abcdef";
      text += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) text += kDigits[(read.value >> shift) & 15];
    } else {
      text.append(document, at, read.length);
    }
    at += read.length;
  }
  return text;
}

}  // namespace

session::session(global_options options, std::string command_name, const std::vector<std::string>& arguments,
                 rank_team* team)
    : options_(options), command_name_(std::move(command_name)), command_line_("imgsim " + command_name_), team_(team) {
  for (const std::string& argument : arguments) command_line_ += " " + shell_word(argument);
}

session::~session() = default;

decode_limits session::limits() const {
  decode_limits limits;
  limits.max_pixels = options_.max_pixels;
  return limits;
}

std::size_t session::threads() const {
  return options_.threads == 0 && team_ != nullptr ? team_->threads() : options_.threads;
}

compute& session::device() {
  if (device_) return *device_;
  if (team_ != nullptr) {
    if (options_.device.kind == device_kind::cuda)
      throw error("--device cuda: the ranks of mpirun compute on their CPUs; leave it out, or mpirun");
    keep_to_cpu();
  }
  opened_compute opened = open_compute(options_.device, threads());
  if (!opened.why_no_gpu.empty()) note("runs on the CPU: " + opened.why_no_gpu);
  device_ = team_ == nullptr ? std::move(opened.device) : team_->lead(std::move(opened.device), options_.threads);
  return *device_;
}

void session::keep_to_cpu() {
  if (options_.device.kind == device_kind::automatic) options_.device.kind = device_kind::cpu;
}

std::stop_token session::stop() {
  if (given_stop_) return *given_stop_;
  std::call_once(watch_once_, [this] { watch_ = std::make_unique<interrupt_watch>(); });
  return watch_->token();
}

std::unique_ptr<session> session::in_background(std::stop_token stop) const {
  global_options options = options_;
  options.quiet = true;
  auto background = std::make_unique<session>(options, command_name_, std::vector<std::string>{}, team_);
  background->given_stop_ = std::move(stop);
  return background;
}

void session::check_stop(const std::string& consequence) {
  if (stop().stop_requested()) throw cancelled("stopped; " + consequence);
}

void session::warn(const std::string& text, const std::string& to_paste) const {
  std::cerr << "imgsim " + command_name_ + ": " + printable_utf8(text) +
                   (to_paste.empty() ? "" : "\n  " + printable_utf8(to_paste)) + "\n";
}

void session::note(const std::string& text) const {
  if (!options_.quiet) warn(text);
}

void session::skip(const std::string& path, const std::string& reason) {
  skipped_.push_back({{"path", path_to_text(path)}, {"reason", path_to_text(reason)}});
  if (given_stop_) return;  // in the background, whoever began it tells
  warn("skipped " + path + ": " + reason);
}

void session::plan(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!planned_paths_.insert(file.string()).second) return;
  planned_.push_back(
      {{"path", path_to_text(file.string())}, {"change", std::filesystem::exists(file, ignored) ? "replace" : "make"}});
}

void session::plan_removal(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored))
    planned_.push_back({{"path", path_to_text(file.string())}, {"change", "remove"}});
}

exit_code session::finish_dry_run(std::size_t photos, const json& more) const {
  if (wants_json()) {
    json document{{"dry_run", true}, {"photos", photos}, {"files", planned_}, {"skipped", skipped_}};
    document.update(more);
    print(document);
    return finish();
  }
  for (const json& file : planned_) {
    const auto change = file.at("change").get<std::string>();
    std::cout << "would " << change << std::string(8 - change.size(), ' ')
              << printable_utf8(file.at("path").get<std::string>()) << '\n';
  }
  std::cout << count_text(photos, "photo") << ", " << count_text(planned_.size(), "file")
            << "; nothing was written (--dry-run)\n";
  return finish();
}

std::string session::text_of(const text_table& table) const {
  const std::string text = to_text(table, terminal_columns(STDOUT_FILENO));
  if (!wants_colour(STDOUT_FILENO, options_.colour)) return text;
  const std::size_t heading = text.find('\n');
  return "\x1b[1m" + text.substr(0, heading) + "\x1b[0m" + text.substr(heading);
}

exit_code session::finish() const {
  return !skipped_.empty() ? exit_code::some_skipped : exit_code::done;
}

void session::print(const json& document) const {
  std::cout << escaped_controls(json_text(document)) << '\n';
}

std::string json_text(const json& document, int indent) {
  return document.dump(indent, ' ', false, json::error_handler_t::replace);
}

}  // namespace imgsim::app
