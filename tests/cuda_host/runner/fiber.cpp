#include "cuda_host/runner/fiber.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

// The public class boost::context::fiber jumps once inside its constructor, where no sanitizer can be told; the layer
// below it, which it is made of, jumps only where we say so.
#include <boost/context/detail/fcontext.hpp>

namespace imgsim::cuda_host {
namespace {

constexpr std::size_t kPage = 4096;

}  // namespace

fiber_stack::fiber_stack(std::size_t bytes) : bytes_(bytes) {
  void* const mapped =
      mmap(nullptr, bytes + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED || mprotect(mapped, kPage, PROT_NONE) != 0) throw std::bad_alloc();
  bottom_ = static_cast<char*>(mapped) + kPage;
}

fiber_stack::~fiber_stack() {
  allow_access(bottom_, bytes_);  // a dropped fiber leaves the marks of its frames behind
  munmap(static_cast<char*>(bottom_) - kPage, bytes_ + kPage);
}

struct fiber::entry {
  static void run(boost::context::detail::transfer_t from) {
    auto& self = *static_cast<fiber*>(from.data);
    after_jump(self.inner_, self.outer_);
    self.outside_ = from.fctx;
    for (;;) {
      self.body_(self.argument_);
      self.body_ = nullptr;
      self.suspend();
    }
  }
};

fiber::fiber(std::size_t stack_bytes) : stack_(stack_bytes) {
  inside_ = boost::context::detail::make_fcontext(stack_.top(), stack_.bytes(), &entry::run);
  inner_.stack_bottom = stack_.bottom();
  inner_.stack_bytes = stack_.bytes();
#if defined(IMGSIM_CUDA_HOST_TSAN)
  inner_.flow = __tsan_create_fiber(0);
#endif
}

fiber::~fiber() {
#if defined(IMGSIM_CUDA_HOST_TSAN)
  __tsan_destroy_fiber(inner_.flow);
#endif
}

void fiber::start(body_function body, void* argument) noexcept {
  body_ = body;
  argument_ = argument;
}

void fiber::resume() {
#if defined(IMGSIM_CUDA_HOST_TSAN)
  outer_.flow = __tsan_get_current_fiber();
#endif
  before_jump(outer_, inner_);
  inside_ = boost::context::detail::jump_fcontext(inside_, this).fctx;
  after_jump(outer_, inner_);
}

void fiber::suspend() {
  before_jump(inner_, outer_);
  outside_ = boost::context::detail::jump_fcontext(outside_, nullptr).fctx;
  after_jump(inner_, outer_);
}

}  // namespace imgsim::cuda_host
