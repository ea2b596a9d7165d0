#include "serve/background_task.hpp"

#include <memory>
#include <new>

#include <imgsim/report/escape.hpp>

namespace imgsim::app {

void background_task::start(session& parent, work make) {
  const std::stop_token parent_stop = parent.stop();
  const std::lock_guard lock(mutex_);
  if (phase_ == phase::running || phase_ == phase::done) return;
  begun_ = std::chrono::steady_clock::now();
  // A thread that failed before has nothing left to do but to end: it is joined here.
  thread_ = std::jthread([this, &parent, parent_stop, make = std::move(make)](const std::stop_token& own_stop) {
    std::stop_source either;
    const auto stop = [&either] { either.request_stop(); };
    const std::stop_callback when_dropped(own_stop, stop);
    const std::stop_callback when_parent_stops(parent_stop, stop);
    try {
      const std::unique_ptr<session> background = parent.in_background(either.get_token());
      finish(phase::done, json_text(make(*background), -1));
    } catch (const std::bad_alloc&) {
      finish(phase::failed, json_text("there is not enough memory for it", -1));
    } catch (const std::exception& failure) {
      finish(phase::failed, json_text(printable_utf8(failure.what()), -1));
    }
  });
  phase_ = phase::running;  // the thread cannot finish before: the lock is held
}

void background_task::finish(phase outcome, std::string text) {
  const std::lock_guard lock(mutex_);
  phase_ = outcome;
  text_ = std::move(text);
}

std::string background_task::state(const std::string& version) const {
  const std::string head = R"({"version":")" + version + R"(","state":)";
  const std::lock_guard lock(mutex_);
  switch (phase_) {
    case phase::idle:
      return head + R"("idle"})";
    case phase::running: {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begun_);
      return head + R"("running","seconds":)" + std::to_string(seconds.count()) + "}";
    }
    case phase::done:
      return head + R"("done","result":)" + text_ + "}";
    case phase::failed:
      break;
  }
  return head + R"("failed","reason":)" + text_ + "}";
}

}  // namespace imgsim::app
