// What the commands ask of a device: the library's operations behind virtual functions over host views, so that no
// command is a template on the execution context and a backend can be a module that is loaded while running.
#pragma once

#include <string>

#include <imgsim/core/thread_pool.hpp>

namespace imgsim::app {

class compute {
 public:
  compute() = default;
  compute(const compute&) = delete;
  compute& operator=(const compute&) = delete;
  virtual ~compute() = default;

  /// For messages: "cpu (2 threads)".
  [[nodiscard]] virtual std::string name() const = 0;
  /// Host threads for work that stays on the host.
  [[nodiscard]] virtual thread_pool& host_pool() const = 0;
};

}  // namespace imgsim::app
