// Loads and stores of several neighbouring values by one instruction.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>

namespace imgsim::cuda {

/// N values that lie side by side. sizeof(T) * N is 1, 2, 4, 8 or 16.
template <class T, unsigned N>
struct alignas(sizeof(T) * N) pack {
  static constexpr unsigned kSize = N;
  T values[N];

  __device__ T& operator[](unsigned i) { return values[i]; }
  __device__ const T& operator[](unsigned i) const { return values[i]; }
};

/// The largest N for which pack<T, N> is one access.
template <class T>
inline constexpr unsigned kWidestPack = 16 / sizeof(T);

namespace detail {

template <unsigned N, class T, class Word>
__device__ inline pack<std::remove_cv_t<T>, N> unpack_word(const Word& word) {
  static_assert(std::is_trivially_copyable_v<T>);
  pack<std::remove_cv_t<T>, N> values;
  memcpy(&values, &word, sizeof(values));
  return values;
}

}  // namespace detail

/// from[0], ..., from[N - 1]. The address is a multiple of sizeof(T) * N.
template <unsigned N, class T>
__device__ inline pack<std::remove_cv_t<T>, N> load_pack(const T* from, detail::caller where = {}) {
  return detail::unpack_word<N, T>(detail::load_word<sizeof(T) * N>(from, where));
}

/// The same where nothing will read these values again soon: they are the first to leave the caches (ld.global.cs).
template <unsigned N, class T>
__device__ inline pack<std::remove_cv_t<T>, N> load_pack_once(const T* from, detail::caller where = {}) {
  return detail::unpack_word<N, T>(detail::load_word_once<sizeof(T) * N>(from, where));
}

/// The same where nothing writes these values while the kernel runs (ld.global.nc).
template <unsigned N, class T>
__device__ inline pack<std::remove_cv_t<T>, N> load_pack_read_only(const T* from, detail::caller where = {}) {
  return detail::unpack_word<N, T>(detail::load_word_read_only<sizeof(T) * N>(from, where));
}

/// to[0], ..., to[N - 1] = values. The address is a multiple of sizeof(T) * N.
template <unsigned N, class T>
__device__ inline void store_pack(T* to, const pack<T, N>& values, detail::caller where = {}) {
  detail::word_t<sizeof(T) * N> word;
  memcpy(&word, &values, sizeof(word));
  detail::store_word<sizeof(T) * N>(to, word, where);
}

/// The same where nothing will read these values again soon (st.global.cs).
template <unsigned N, class T>
__device__ inline void store_pack_once(T* to, const pack<T, N>& values, detail::caller where = {}) {
  detail::word_t<sizeof(T) * N> word;
  memcpy(&word, &values, sizeof(word));
  detail::store_word_once<sizeof(T) * N>(to, word, where);
}

}  // namespace imgsim::cuda
