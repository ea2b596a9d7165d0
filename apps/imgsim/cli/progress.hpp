// Progress on stderr: a bar with rate and time left on a terminal, a plain line now and then elsewhere, nothing under
// --quiet.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "cli/global_options.hpp"

namespace imgsim::app {

class progress {
 public:
  /// "encode  [====    ]  120/400 photos  83/s  3.4 s left".
  progress(const global_options& options, std::string task, std::string unit, std::uint64_t total);
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  ~progress();

  /// Usable from any thread. `done` counts from the beginning.
  void update(std::uint64_t done);
  /// Ends the line, with a remark in place of the time left.
  void finish(const std::string& remark = {});
  /// Puts a line of text in place of the progress.
  void finish_with(const std::string& line);

 private:
  using clock = std::chrono::steady_clock;

  void draw(clock::time_point now, const std::string& remark);

  enum class style { silent, lines, bar };

  std::mutex mutex_;
  std::string task_;
  std::string unit_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  style style_;
  bool colour_;
  bool finished_ = false;
  clock::time_point begin_;
  clock::time_point drawn_;
};

}  // namespace imgsim::app
