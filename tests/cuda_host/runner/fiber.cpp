#include "cuda_host/runner/fiber.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <map>
#include <new>
#include <vector>

// The public class boost::context::fiber jumps once inside its constructor, where no sanitizer can be told; the layer
// below it, which it is made of, jumps only where we say so.
#include <boost/context/detail/fcontext.hpp>

namespace imgsim::cuda_host {
namespace {

constexpr std::size_t kPage = 4096;

#if defined(IMGSIM_CUDA_HOST_TSAN)
constexpr bool kKeepStacks = false;
#else
constexpr bool kKeepStacks = true;
#endif

void* map_stack(std::size_t bytes) {
  void* mapped =
      mmap(nullptr, bytes + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  if (mprotect(mapped, kPage, PROT_NONE) != 0) std::abort();
  return static_cast<char*>(mapped) + kPage;
}

void unmap_stack(void* bottom, std::size_t bytes) {
  munmap(static_cast<char*>(bottom) - kPage, bytes + kPage);
}

/// The stacks of ended fibers, by size, for the fibers that this OS thread makes next.
class kept_stacks {
 public:
  ~kept_stacks() {
    for (auto& [bytes, stacks] : free_) {
      for (void* bottom : stacks) unmap_stack(bottom, bytes);
    }
  }
  void* take(std::size_t bytes) {
    std::vector<void*>& stacks = free_[bytes];
    if (stacks.empty()) return map_stack(bytes);
    void* bottom = stacks.back();
    stacks.pop_back();
    allow_access(bottom, bytes);  // a dropped fiber leaves the marks of its frames behind
    return bottom;
  }
  void keep(void* bottom, std::size_t bytes) { free_[bytes].push_back(bottom); }

 private:
  std::map<std::size_t, std::vector<void*>> free_;
};

thread_local kept_stacks stacks_of_this_thread;

}  // namespace

fiber_stack::fiber_stack(std::size_t bytes)
    : bottom_(kKeepStacks ? stacks_of_this_thread.take(bytes) : map_stack(bytes)), bytes_(bytes) {}

fiber_stack::~fiber_stack() {
  if (kKeepStacks) {
    stacks_of_this_thread.keep(bottom_, bytes_);
  } else {
    unmap_stack(bottom_, bytes_);
  }
}

struct fiber::entry {
  static void run(boost::context::detail::transfer_t from) {
    auto& self = *static_cast<fiber*>(from.data);
    after_jump(self.inner_, self.outer_);
    self.outside_ = from.fctx;
    self.body_(self.argument_);
    self.ended_ = true;
    before_jump(self.inner_, self.outer_, true);
    boost::context::detail::jump_fcontext(self.outside_, nullptr);
    std::abort();  // an ended fiber was resumed
  }
};

fiber::fiber(body_function body, void* argument, std::size_t stack_bytes)
    : stack_(stack_bytes), body_(body), argument_(argument) {
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

void fiber::resume() {
#if defined(IMGSIM_CUDA_HOST_TSAN)
  outer_.flow = __tsan_get_current_fiber();
#endif
  before_jump(outer_, inner_, false);
  inside_ = boost::context::detail::jump_fcontext(inside_, this).fctx;
  after_jump(outer_, inner_);
}

void fiber::suspend() {
  before_jump(inner_, outer_, false);
  outside_ = boost::context::detail::jump_fcontext(outside_, nullptr).fctx;
  after_jump(inner_, outer_);
}

}  // namespace imgsim::cuda_host
