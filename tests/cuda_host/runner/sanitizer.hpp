// What the sanitizers have to be told about fibers and about the runner's own bookkeeping.
//
// The runner is compiled three times: plainly, for programs under AddressSanitizer (IMGSIM_CUDA_HOST_ASAN), and for
// those under ThreadSanitizer (IMGSIM_CUDA_HOST_TSAN). It is never instrumented itself: the kernels are to be watched,
// not the scheduler. The sanitizers' interceptors (malloc, memcpy) and inline functions shared with instrumented code
// still see some of it; `unwatched` keeps ThreadSanitizer from reporting that.
#pragma once

#include <cstddef>

#if defined(IMGSIM_CUDA_HOST_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(IMGSIM_CUDA_HOST_TSAN)
#include <sanitizer/tsan_interface.h>
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace imgsim::cuda_host {

/// What a sanitizer keeps for one flow of control.
struct sanitizer_context {
  void* fake_stack = nullptr;          // AddressSanitizer
  const void* stack_bottom = nullptr;  // AddressSanitizer: where to return to
  std::size_t stack_bytes = 0;
  void* flow = nullptr;  // ThreadSanitizer: its idea of a thread
};

/// Before a jump from `from` to `to`. No order between the two is implied.
inline void before_jump([[maybe_unused]] sanitizer_context& from, [[maybe_unused]] const sanitizer_context& to) {
#if defined(IMGSIM_CUDA_HOST_ASAN)
  __sanitizer_start_switch_fiber(&from.fake_stack, to.stack_bottom, to.stack_bytes);
#endif
#if defined(IMGSIM_CUDA_HOST_TSAN)
  __tsan_switch_to_fiber(to.flow, __tsan_switch_to_fiber_no_sync);
#endif
}

/// After arriving in `here` by a jump from `from`, whose stack is learned on the way.
inline void after_jump([[maybe_unused]] const sanitizer_context& here, [[maybe_unused]] sanitizer_context& from) {
#if defined(IMGSIM_CUDA_HOST_ASAN)
  __sanitizer_finish_switch_fiber(here.fake_stack, &from.stack_bottom, &from.stack_bytes);
#endif
}

/// Whether anybody looks at the order of accesses.
#if defined(IMGSIM_CUDA_HOST_TSAN)
inline constexpr bool kWatchesOrder = true;
#else
inline constexpr bool kWatchesOrder = false;
#endif

/// What happened before every release of `object` happened before what follows an acquire of it.
inline void release_order([[maybe_unused]] void* object) {
#if defined(IMGSIM_CUDA_HOST_TSAN)
  __tsan_release(object);
#endif
}
inline void acquire_order([[maybe_unused]] void* object) {
#if defined(IMGSIM_CUDA_HOST_TSAN)
  __tsan_acquire(object);
#endif
}

/// While one lives, the race detector does not look at this flow's accesses.
class unwatched {
 public:
#if defined(IMGSIM_CUDA_HOST_TSAN)
  unwatched() {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~unwatched() {
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
  }
#else
  unwatched() {}
  ~unwatched() {}
#endif
  unwatched(const unwatched&) = delete;
  unwatched& operator=(const unwatched&) = delete;
};

/// Memory that host code, or nobody, may touch: AddressSanitizer reports an access until it is let in again.
inline void forbid_access([[maybe_unused]] void* begin, [[maybe_unused]] std::size_t bytes) {
#if defined(IMGSIM_CUDA_HOST_ASAN)
  __asan_poison_memory_region(begin, bytes);
#endif
}
inline void allow_access([[maybe_unused]] void* begin, [[maybe_unused]] std::size_t bytes) {
#if defined(IMGSIM_CUDA_HOST_ASAN)
  __asan_unpoison_memory_region(begin, bytes);
#endif
}

}  // namespace imgsim::cuda_host
