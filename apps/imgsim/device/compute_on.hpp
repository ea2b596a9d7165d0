// compute for any execution context: calls the library's host templates. A backend instantiates it in one file.
#pragma once

#include <utility>

#include "device/compute.hpp"

#include <imgsim/core/context.hpp>

namespace imgsim::app {

template <execution_context Context>
class compute_on final : public compute {
 public:
  explicit compute_on(Context context) : context_(std::move(context)) {}

  [[nodiscard]] std::string name() const override { return context_.name(); }
  [[nodiscard]] thread_pool& host_pool() const override { return context_.host_pool(); }

 private:
  Context context_;
};

}  // namespace imgsim::app
