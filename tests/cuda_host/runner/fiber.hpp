// A flow of control with a stack of its own, which runs until it suspends itself.
#pragma once

#include <cstddef>

#include "cuda_host/runner/sanitizer.hpp"

namespace imgsim::cuda_host {

/// Memory for one fiber's stack, with an unmapped page below it: a stack overflow faults at once. Stacks are kept and
/// used again, except under ThreadSanitizer, which would take the old owner's accesses for races with the new one's.
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

/// Runs body(argument). A fiber belongs to the OS thread that resumes it first. Destroying one that has not ended drops
/// its stack without unwinding it: its body must own nothing that it alone can free.
class fiber {
 public:
  using body_function = void (*)(void*);

  fiber(body_function body, void* argument, std::size_t stack_bytes);
  ~fiber();
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;

  /// Runs the body until it suspends or ends. Called by anyone but the fiber itself; not by two at once.
  void resume();
  /// Returns to whoever resumed. Called by the body.
  void suspend();
  [[nodiscard]] bool ended() const noexcept { return ended_; }

  /// The part of the machinery that Boost.Context calls.
  struct entry;

 private:
  fiber_stack stack_;
  body_function body_;
  void* argument_;
  void* inside_ = nullptr;   // where the body goes on
  void* outside_ = nullptr;  // where the resumer goes on
  sanitizer_context inner_;
  sanitizer_context outer_;
  bool ended_ = false;
};

}  // namespace imgsim::cuda_host
