// Atomic functions (CUDA C++ Programming Guide, "Atomic Functions"): relaxed, as there.
#pragma once

#include <atomic>
#include <type_traits>

#include "cuda_host/device/thread.hpp"

namespace imgsim::cuda_host {

template <class T>
concept atomic_integer = std::is_same_v<T, int> || std::is_same_v<T, unsigned> || std::is_same_v<T, unsigned long long>;
template <class T>
concept atomic_number = atomic_integer<T> || std::is_same_v<T, float> || std::is_same_v<T, double>;

/// *address = update(*address) in one step; returns what was there before.
template <class T, class Update>
T atomic_update(T* address, Update&& update) {
  order_atomic(address);
  std::atomic_ref<T> target(*address);
  T old = target.load(std::memory_order_relaxed);
  while (!target.compare_exchange_weak(old, update(old), std::memory_order_relaxed)) {
  }
  return old;
}

}  // namespace imgsim::cuda_host

// The second argument takes part in no deduction: atomicAdd(&sum, 1) with an unsigned sum, as in CUDA.
template <imgsim::cuda_host::atomic_number T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
  return imgsim::cuda_host::atomic_update(address, [value](T old) { return static_cast<T>(old + value); });
}
template <imgsim::cuda_host::atomic_integer T>
  requires(sizeof(T) == 4)
T atomicSub(T* address, std::type_identity_t<T> value) {
  return imgsim::cuda_host::atomic_update(address, [value](T old) { return static_cast<T>(old - value); });
}
template <imgsim::cuda_host::atomic_integer T>
T atomicMin(T* address, std::type_identity_t<T> value) {
  return imgsim::cuda_host::atomic_update(address, [value](T old) { return value < old ? value : old; });
}
template <imgsim::cuda_host::atomic_integer T>
T atomicMax(T* address, std::type_identity_t<T> value) {
  return imgsim::cuda_host::atomic_update(address, [value](T old) { return old < value ? value : old; });
}
template <imgsim::cuda_host::atomic_integer T>
T atomicAnd(T* address, std::type_identity_t<T> value) {
  return imgsim::cuda_host::atomic_update(address, [value](T old) { return old & value; });
}
template <imgsim::cuda_host::atomic_integer T>
T atomicOr(T* address, std::type_identity_t<T> value) {
  return imgsim::cuda_host::atomic_update(address, [value](T old) { return old | value; });
}
template <imgsim::cuda_host::atomic_integer T>
T atomicXor(T* address, std::type_identity_t<T> value) {
  return imgsim::cuda_host::atomic_update(address, [value](T old) { return old ^ value; });
}
template <class T>
  requires(imgsim::cuda_host::atomic_integer<T> || std::is_same_v<T, float>)
T atomicExch(T* address, std::type_identity_t<T> value) {
  return imgsim::cuda_host::atomic_update(address, [value](T) { return value; });
}
template <imgsim::cuda_host::atomic_integer T>
T atomicCAS(T* address, std::type_identity_t<T> compare, std::type_identity_t<T> value) {
  return imgsim::cuda_host::atomic_update(address, [=](T old) { return old == compare ? value : old; });
}
/// "((old >= val) ? 0 : (old+1))"
inline unsigned atomicInc(unsigned* address, unsigned value) {
  return imgsim::cuda_host::atomic_update(address, [value](unsigned old) { return old >= value ? 0 : old + 1; });
}
