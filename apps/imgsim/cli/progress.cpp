#include "cli/progress.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>

#include <unistd.h>

#include "cli/terminal.hpp"
#include "cli/text.hpp"

#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kLineEvery = std::chrono::seconds(10);
constexpr std::size_t kBarWidth = 24;

std::string rate_text(double per_second) {
  return fixed_text(per_second, per_second < 9.95 ? 1 : 0) + "/s";
}

}  // namespace

progress::progress(const global_options& options, std::string task, std::string unit, std::uint64_t total)
    : task_(std::move(task)),
      unit_(std::move(unit)),
      total_(total),
      style_(options.quiet                ? style::silent
             : is_terminal(STDERR_FILENO) ? style::bar
                                          : style::lines),
      colour_(wants_colour(STDERR_FILENO, options.colour)),
      begin_(clock::now()),
      drawn_(begin_) {}

progress::~progress() {
  // Left by an exception: the message that follows gets a line of its own.
  if (!finished_ && style_ == style::bar && drawn_ != begin_) std::cerr << '\n';
}

void progress::update(std::uint64_t done) {
  if (style_ == style::silent) return;
  const std::lock_guard lock(mutex_);
  done_ = std::max(done_, std::min(done, total_));
  const auto now = clock::now();
  if (now - drawn_ < (style_ == style::bar ? clock::duration(kRedraw) : clock::duration(kLineEvery))) return;
  drawn_ = now;
  draw(now, {});
}

void progress::finish(const std::string& remark) {
  if (style_ == style::silent) return;
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  finished_ = true;
  done_ = total_;
  draw(clock::now(), remark);
}

void progress::finish_with(const std::string& line) {
  if (style_ == style::silent) return;
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  finished_ = true;
  std::cerr << (style_ == style::bar ? "\r" + line + "\x1b[K\n" : line + "\n") << std::flush;
}

void progress::draw(clock::time_point now, const std::string& remark) {
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  const double rate = seconds > 0 ? static_cast<double>(done_) / seconds : 0;
  std::string tail = std::to_string(done_) + "/" + std::to_string(total_) + " " + unit_;
  if (rate > 0) tail += "  " + rate_text(rate);
  if (finished_) {
    tail += "  " + duration_text(seconds);
    if (!remark.empty()) tail += "  " + remark;
  } else if (rate > 0) {
    tail += "  " + duration_text(static_cast<double>(total_ - done_) / rate) + " left";
  }

  if (style_ == style::lines) {
    std::cerr << task_ << ": " << tail << '\n';
    return;
  }
  const double part = total_ == 0 ? 1.0 : static_cast<double>(done_) / static_cast<double>(total_);
  const auto filled = static_cast<std::size_t>(std::floor(part * static_cast<double>(kBarWidth)));
  std::string line = "\r" + task_;
  if (task_.size() + kBarWidth + tail.size() + 7 < terminal_columns(STDERR_FILENO)) {
    const std::string bar(filled, '=');
    line += "  [" + (colour_ ? "\x1b[32m" + bar + "\x1b[0m" : bar) + std::string(kBarWidth - filled, ' ') + "]";
  }
  std::cerr << line << "  " << tail << "\x1b[K" << (finished_ ? "\n" : "") << std::flush;
}

}  // namespace imgsim::app
