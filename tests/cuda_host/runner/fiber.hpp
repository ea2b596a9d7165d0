// A flow of control with a stack of its own, which runs until it suspends itself.
#pragma once

#include <cstddef>

#include "cuda_host/runner/sanitizer.hpp"

namespace imgsim::cuda_host {

/// Memory for one fiber's stack, with an unmapped page below it: a stack overflow faults at once.
class fiber_stack {
 public:
  explicit fiber_stack(std::size_t bytes);
  ~fiber_stack();
  fiber_stack(const fiber_stack&) = delete;
  fiber_stack& operator=(const fiber_stack&) = delete;

  [[nodiscard]] void* bottom() const noexcept { return bottom_; }
  [[nodiscard]] void* top() const noexcept { return static_cast<char*>(bottom_) + bytes_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  void* bottom_;
  std::size_t bytes_;
};

/// Runs one body after another. Destroying a fiber whose body has not returned drops the stack without unwinding it:
/// the body must own nothing that it alone can free. To ThreadSanitizer a fiber is one thread for all its bodies.
class fiber {
 public:
  using body_function = void (*)(void*);

  explicit fiber(std::size_t stack_bytes);
  ~fiber();
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;

  /// Sets what the next resume() begins with: body(argument). Only where idle().
  void start(body_function body, void* argument) noexcept;
  /// Runs the body until it suspends or returns. Called by anyone but the fiber itself; not by two at once.
  void resume();
  /// Returns to whoever resumed. Called by the body.
  void suspend();
  /// No body has been started, or it has returned.
  [[nodiscard]] bool idle() const noexcept { return body_ == nullptr; }

  /// The part of the machinery that Boost.Context calls.
  struct entry;

 private:
  fiber_stack stack_;
  body_function body_ = nullptr;
  void* argument_ = nullptr;
  void* inside_ = nullptr;   // where the body goes on
  void* outside_ = nullptr;  // where the resumer goes on
  sanitizer_context inner_;
  sanitizer_context outer_;
};

}  // namespace imgsim::cuda_host
