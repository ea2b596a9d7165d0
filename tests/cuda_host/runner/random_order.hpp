// The random numbers that choose who runs next: small and fast, since they are drawn at every step of every thread.
#pragma once

#include <cstdint>

namespace imgsim::cuda_host {

/// SplitMix64 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195).
class random_order {
 public:
  explicit random_order(std::uint64_t seed) noexcept : state_(seed) {}

  /// Below `bound`, which is at least 1 and less than 2^32.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) noexcept {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return (((mixed ^ (mixed >> 31)) >> 32) * bound) >> 32;
  }

 private:
  std::uint64_t state_;
};

}  // namespace imgsim::cuda_host
