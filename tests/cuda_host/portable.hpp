// The words of imgsim/cuda/portable.cuh that nvcc and the host runner spell differently: the runner's side, and with it
// all that a kernel finds in the language without a header. nvcc's side is imgsim/cuda/portable/nvcc.cuh.
#pragma once

#include <cuda_runtime_api.h>
#include <vector_functions.h>

#include <cstddef>
#include <cstring>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>

#include "cuda_host/device/atomics.hpp"
#include "cuda_host/device/indices.hpp"
#include "cuda_host/device/math.hpp"
#include "cuda_host/device/synchronization.hpp"
#include "cuda_host/device/thread.hpp"
#include "cuda_host/device/warp.hpp"
#include "cuda_host/runtime/kernel_registry.hpp"

// The toolkit's headers define these away for a host compiler: an array in shared memory would silently become one of
// each thread's own. Its other headers are not included after this point with kernels in them.
#undef __shared__
#define __shared__ _Pragma("GCC error \"write IMGSIM_SHARED(type, name, [dimension]) or dynamic_shared<T>()\"")
#undef __constant__
#define __constant__ _Pragma("GCC error \"constant memory is not modelled by the host runner\"")
#undef __managed__
#define __managed__ _Pragma("GCC error \"managed memory is not modelled by the host runner\"")
#define __launch_bounds__(...)

#define IMGSIM_SHARED(type, name, ...)                                                 \
  static constexpr char imgsim_site_of_##name = 0;                                     \
  typedef type imgsim_type_of_##name __VA_ARGS__;                                      \
  auto& name = *static_cast<imgsim_type_of_##name*>(::imgsim::cuda_host::shared_array( \
      &imgsim_site_of_##name, sizeof(imgsim_type_of_##name), ::imgsim::cuda_host::place::current()))

namespace imgsim::cuda {

template <class T>
T* dynamic_shared(cuda_host::place where = cuda_host::place::current()) {
  return static_cast<T*>(cuda_host::dynamic_shared_memory(where));
}

namespace detail {

/// Where a load or store was written.
struct caller {
  cuda_host::place where;
  // NOLINTNEXTLINE(google-explicit-constructor): as a default argument `{}` it must know the line of the call
  caller(cuda_host::place here = cuda_host::place::current()) : where(here) {}
};

/// The bytes that one instruction of a GPU moves. As a vector they are one access here, too: the compiler moves them at
/// once, and a sanitizer hears of one access of that size.
template <std::size_t Bytes>
struct word {
  typedef unsigned char type __attribute__((vector_size(Bytes), may_alias));
};
template <std::size_t Bytes>
using word_t = typename word<Bytes>::type;

template <std::size_t Bytes>
word_t<Bytes> load_word(const void* from, const caller& by) {
  cuda_host::check_alignment(from, Bytes, by.where);
  return *static_cast<const word_t<Bytes>*>(from);
}
template <std::size_t Bytes>
word_t<Bytes> load_word_once(const void* from, const caller& by) {
  return load_word<Bytes>(from, by);
}
template <std::size_t Bytes>
word_t<Bytes> load_word_read_only(const void* from, const caller& by) {
  return load_word<Bytes>(from, by);
}
template <std::size_t Bytes>
void store_word(void* to, word_t<Bytes> word, const caller& by) {
  cuda_host::check_alignment(to, Bytes, by.where);
  *static_cast<word_t<Bytes>*>(to) = word;
}
template <std::size_t Bytes>
void store_word_once(void* to, word_t<Bytes> word, const caller& by) {
  store_word<Bytes>(to, word, by);
}

/// The kernel's address, known from now on to the fake runtime, which cannot call it by address alone.
template <class... Parameters>
const void* kernel_address(void (*kernel)(Parameters...), const std::source_location& where) {
  return cuda_host::register_kernel(kernel, {where.file_name(), where.line()});
}

}  // namespace detail
}  // namespace imgsim::cuda
