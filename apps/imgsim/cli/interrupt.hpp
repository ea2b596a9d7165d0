// Ctrl-C and SIGTERM as a std::stop_token.
#pragma once

#include <stop_token>
#include <thread>

namespace imgsim::app {

/// While it lives, the first SIGINT or SIGTERM requests a stop and the second has the effect that it had before, by
/// default to end the process. One at a time.
class interrupt_watch {
 public:
  interrupt_watch();
  interrupt_watch(const interrupt_watch&) = delete;
  interrupt_watch& operator=(const interrupt_watch&) = delete;
  ~interrupt_watch();

  [[nodiscard]] std::stop_token token() const noexcept { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::thread reader_;
};

}  // namespace imgsim::app
