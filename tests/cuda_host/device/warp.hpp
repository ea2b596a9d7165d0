// Warp shuffle, vote and match functions (CUDA C++ Programming Guide, "Warp Shuffle Functions", "Warp Vote Functions",
// "Warp Match Functions", "__syncwarp()").
//
// Stricter than the hardware: every lane of the mask must exist, must not have exited, and must come from the same line
// with the same mask. __activemask() is left out: what it returns depends on scheduling.
#pragma once

#include <cstring>
#include <type_traits>

#include "cuda_host/device/indices.hpp"
#include "cuda_host/device/thread.hpp"

namespace imgsim::cuda_host {

template <class T>
  requires(sizeof(T) <= sizeof(warp_value) && std::is_trivially_copyable_v<T>)
warp_value to_warp_value(const T& value) {
  warp_value bytes;
  std::memcpy(static_cast<void*>(&bytes), &value, sizeof(T));
  return bytes;
}

/// The lane that a shuffle reads: `source` where it lies within the caller's segment, else the caller itself.
struct shuffle_source {
  unsigned lane;

  static shuffle_source indexed(int source, int width) {
    const unsigned segment = static_cast<unsigned>(width) - 1;
    return {(running_lane() & ~segment) | (static_cast<unsigned>(source) & segment)};
  }
  static shuffle_source down(unsigned delta, int width) {
    const unsigned self = running_lane();
    return {self + delta <= last_of_segment(self, width) ? self + delta : self};
  }
  static shuffle_source up(unsigned delta, int width) {
    const unsigned self = running_lane();
    const unsigned first = self & ~(static_cast<unsigned>(width) - 1);
    return {self >= first + delta ? self - delta : self};
  }
  /// "lanes in each group of width consecutive threads are able to access elements from earlier groups of threads,
  /// however if they attempt to access elements from later groups of threads their own value will be returned".
  static shuffle_source exclusive_or(int lane_mask, int width) {
    const unsigned self = running_lane();
    const unsigned other = self ^ static_cast<unsigned>(lane_mask);
    return {other <= last_of_segment(self, width) ? other : self};
  }

 private:
  static unsigned last_of_segment(unsigned self, int width) { return self | (static_cast<unsigned>(width) - 1); }
};

template <class T>
T shuffle(const char* name, unsigned mask, const T& value, shuffle_source source, const place& where) {
  const warp_value answer =
      join_warp_operation({warp_operation::shuffle, name, mask, to_warp_value(value), source.lane, where});
  T received;
  std::memcpy(&received, &answer, sizeof(T));
  return received;
}

inline unsigned ballot(const char* name, unsigned mask, int predicate, const place& where) {
  return static_cast<unsigned>(
      join_warp_operation({warp_operation::ballot, name, mask, {predicate != 0 ? 1u : 0u, 0}, 0, where}).low);
}

}  // namespace imgsim::cuda_host

inline void __syncwarp(unsigned mask = 0xffffffffu,
                       imgsim::cuda_host::place where = imgsim::cuda_host::place::current()) {
  using namespace imgsim::cuda_host;
  join_warp_operation({warp_operation::synchronize, "__syncwarp", mask, {}, 0, where});
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = warpSize,
              imgsim::cuda_host::place where = imgsim::cuda_host::place::current()) {
  using namespace imgsim::cuda_host;
  return shuffle("__shfl_sync", mask, value, shuffle_source::indexed(source, width), where);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize,
                 imgsim::cuda_host::place where = imgsim::cuda_host::place::current()) {
  using namespace imgsim::cuda_host;
  return shuffle("__shfl_up_sync", mask, value, shuffle_source::up(delta, width), where);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize,
                   imgsim::cuda_host::place where = imgsim::cuda_host::place::current()) {
  using namespace imgsim::cuda_host;
  return shuffle("__shfl_down_sync", mask, value, shuffle_source::down(delta, width), where);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = warpSize,
                  imgsim::cuda_host::place where = imgsim::cuda_host::place::current()) {
  using namespace imgsim::cuda_host;
  return shuffle("__shfl_xor_sync", mask, value, shuffle_source::exclusive_or(lane_mask, width), where);
}

inline unsigned __ballot_sync(unsigned mask, int predicate,
                              imgsim::cuda_host::place where = imgsim::cuda_host::place::current()) {
  return imgsim::cuda_host::ballot("__ballot_sync", mask, predicate, where);
}
inline int __any_sync(unsigned mask, int predicate,
                      imgsim::cuda_host::place where = imgsim::cuda_host::place::current()) {
  return imgsim::cuda_host::ballot("__any_sync", mask, predicate, where) != 0 ? 1 : 0;
}
inline int __all_sync(unsigned mask, int predicate,
                      imgsim::cuda_host::place where = imgsim::cuda_host::place::current()) {
  return imgsim::cuda_host::ballot("__all_sync", mask, predicate, where) == mask ? 1 : 0;
}
template <class T>
  requires(sizeof(T) == 4 || sizeof(T) == 8)
unsigned __match_any_sync(unsigned mask, T value,
                          imgsim::cuda_host::place where = imgsim::cuda_host::place::current()) {
  using namespace imgsim::cuda_host;
  return static_cast<unsigned>(
      join_warp_operation({warp_operation::match_any, "__match_any_sync", mask, to_warp_value(value), 0, where}).low);
}
