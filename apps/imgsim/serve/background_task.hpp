// Work of seconds or minutes that a page asks for once and looks after until it is done.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "cli/session.hpp"

namespace imgsim::app {

class background_task {
 public:
  /// Makes the result, with a session of its own. Throws error with what a reader should know.
  using work = std::function<json(session& background)>;

  background_task() = default;
  background_task(const background_task&) = delete;
  background_task& operator=(const background_task&) = delete;
  /// Stops work under way and waits for it.
  ~background_task() = default;

  /// Begins, unless it is under way or has succeeded. It stops when `parent` stops.
  void start(session& parent, work make);

  /// {"version": `version`, "state": "idle" | "running" | "done" | "failed"}, with "seconds" since it began, with
  /// "result" or "reason". `version` names what the work is done on, in characters that JSON takes as they are.
  [[nodiscard]] std::string state(const std::string& version) const;

 private:
  enum class phase { idle, running, done, failed };

  void finish(phase outcome, std::string text);

  mutable std::mutex mutex_;
  phase phase_ = phase::idle;
  std::chrono::steady_clock::time_point begun_;
  std::string text_;  // JSON: the result, or the reason of a failure
  std::jthread thread_;
};

}  // namespace imgsim::app
