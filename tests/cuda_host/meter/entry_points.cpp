// What code compiled with -fsanitize=thread calls, in place of ThreadSanitizer's runtime (the compiler's side is
// gcc/sanitizer.def; the runtime's, compiler-rt/include/sanitizer/tsan_interface_atomic.h).
#include <cstdint>

#include "cuda_host/meter/recorder.hpp"
#include "cuda_host/runner/block.hpp"

namespace imgsim::cuda_host {
namespace {

constinit thread_local std::vector<recorded_access>* recorded = nullptr;

}  // namespace

void record_accesses_to(std::vector<recorded_access>* accesses) noexcept {
  recorded = accesses;
}

void record_access(const void* address, unsigned bytes, access_kind kind, const void* site) noexcept {
  if (recorded == nullptr) return;
  const block_run* const block = running_block();
  if (block == nullptr) return;
  recorded->push_back({reinterpret_cast<std::uintptr_t>(site), reinterpret_cast<std::uintptr_t>(address),
                       static_cast<std::uint16_t>(block->running_thread()), static_cast<std::uint8_t>(bytes), kind});
}

}  // namespace imgsim::cuda_host

// NOLINTBEGIN(bugprone-reserved-identifier): the names are the compiler's
#define IMGSIM_RECORD(address, bytes, kind)                                                                    \
  imgsim::cuda_host::record_access(const_cast<const void*>(static_cast<const volatile void*>(address)), bytes, \
                                   imgsim::cuda_host::access_kind::kind, __builtin_return_address(0))

#define IMGSIM_READ_AND_WRITE(bytes)                 \
  void __tsan_read##bytes(void* address) {           \
    IMGSIM_RECORD(address, bytes, read);             \
  }                                                  \
  void __tsan_write##bytes(void* address) {          \
    IMGSIM_RECORD(address, bytes, write);            \
  }                                                  \
  void __tsan_volatile_read##bytes(void* address) {  \
    IMGSIM_RECORD(address, bytes, read);             \
  }                                                  \
  void __tsan_volatile_write##bytes(void* address) { \
    IMGSIM_RECORD(address, bytes, write);            \
  }

// The runner's atomic functions are a plain load and a compare-and-exchange that succeeds at once, which counts.
#define IMGSIM_ATOMIC(bits, type)                                                                                      \
  type __tsan_atomic##bits##_load(const volatile type* address, int) {                                                 \
    return __atomic_load_n(address, __ATOMIC_SEQ_CST);                                                                 \
  }                                                                                                                    \
  bool __tsan_atomic##bits##_compare_exchange_strong(volatile type* address, type* expected, type desired, int, int) { \
    IMGSIM_RECORD(address, bits / 8, atomic);                                                                          \
    return __atomic_compare_exchange_n(address, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);         \
  }                                                                                                                    \
  bool __tsan_atomic##bits##_compare_exchange_weak(volatile type* address, type* expected, type desired, int, int) {   \
    IMGSIM_RECORD(address, bits / 8, atomic);                                                                          \
    return __atomic_compare_exchange_n(address, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);         \
  }                                                                                                                    \
  type __tsan_atomic##bits##_fetch_add(volatile type* address, type value, int) {                                      \
    return __atomic_fetch_add(address, value, __ATOMIC_SEQ_CST);                                                       \
  }                                                                                                                    \
  type __tsan_atomic##bits##_fetch_sub(volatile type* address, type value, int) {                                      \
    return __atomic_fetch_sub(address, value, __ATOMIC_SEQ_CST);                                                       \
  }                                                                                                                    \
  void __tsan_atomic##bits##_store(volatile type* address, type value, int) {                                          \
    __atomic_store_n(address, value, __ATOMIC_SEQ_CST);                                                                \
  }

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_read_range(void* address, unsigned long bytes) {
  IMGSIM_RECORD(address, static_cast<unsigned>(bytes), read);
}
void __tsan_write_range(void* address, unsigned long bytes) {
  IMGSIM_RECORD(address, static_cast<unsigned>(bytes), write);
}
IMGSIM_READ_AND_WRITE(1)
IMGSIM_READ_AND_WRITE(2)
IMGSIM_READ_AND_WRITE(4)
IMGSIM_READ_AND_WRITE(8)
IMGSIM_READ_AND_WRITE(16)
// Reference counts and counters of the host code in the same files use the last three; no kernel does.
IMGSIM_ATOMIC(8, unsigned char)
IMGSIM_ATOMIC(32, unsigned int)
IMGSIM_ATOMIC(64, unsigned long)
}
// NOLINTEND(bugprone-reserved-identifier)
