// The words of portable.cuh that nvcc and the host runner spell differently: nvcc's side. The runner's is
// tests/cuda_host/portable.hpp.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <source_location>

// The dimensions come last and may be empty: IMGSIM_SHARED(unsigned, count);
#define IMGSIM_SHARED(type, name, ...) __shared__ type name __VA_ARGS__

namespace imgsim::cuda {

/// The dynamic shared memory of the launch; all types of one kernel see the same bytes.
template <class T>
__device__ inline T* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char imgsim_dynamic_shared_bytes[];
  return reinterpret_cast<T*>(imgsim_dynamic_shared_bytes);
}

namespace detail {

/// Where an access was written, for the runner's reports; nothing here.
struct caller {};

template <std::size_t Bytes>
struct word;
template <>
struct word<1> {
  using type = unsigned char;
};
template <>
struct word<2> {
  using type = unsigned short;
};
template <>
struct word<4> {
  using type = unsigned int;
};
template <>
struct word<8> {
  using type = uint2;
};
template <>
struct word<16> {
  using type = uint4;
};

/// What one load or store instruction moves.
template <std::size_t Bytes>
using word_t = typename word<Bytes>::type;

template <std::size_t Bytes>
__device__ inline word_t<Bytes> load_word(const void* from, caller) {
  return *static_cast<const word_t<Bytes>*>(from);
}
template <std::size_t Bytes>
__device__ inline word_t<Bytes> load_word_once(const void* from, caller) {
  return __ldcs(static_cast<const word_t<Bytes>*>(from));
}
template <std::size_t Bytes>
__device__ inline word_t<Bytes> load_word_read_only(const void* from, caller) {
  return __ldg(static_cast<const word_t<Bytes>*>(from));
}
template <std::size_t Bytes>
__device__ inline void store_word(void* to, word_t<Bytes> word, caller) {
  *static_cast<word_t<Bytes>*>(to) = word;
}
template <std::size_t Bytes>
__device__ inline void store_word_once(void* to, word_t<Bytes> word, caller) {
  __stcs(static_cast<word_t<Bytes>*>(to), word);
}

/// What the runtime knows a kernel by.
template <class... Parameters>
const void* kernel_address(void (*kernel)(Parameters...), const std::source_location&) {
  return reinterpret_cast<const void*>(kernel);
}

}  // namespace detail
}  // namespace imgsim::cuda
