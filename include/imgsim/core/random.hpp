// Reproducible random numbers. The standard's engines are portable, its distributions are not, so the distributions
// stand here: equal seeds give equal numbers with every compiler and standard library.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace imgsim {

/// SplitMix64 (Steele, Lea and Flood, 2014, doi:10.1145/2714064.2660195) as a counter-based stream: cheap to fork,
/// so that each photo, epoch or restart has a stream of its own, whatever thread it runs on.
class random_stream {
 public:
  /// `stream` separates independent uses of one seed.
  explicit constexpr random_stream(std::uint64_t seed, std::uint64_t stream = 0) noexcept
      : state_(mix(seed + kGolden) ^ mix(mix(stream + 0x632be59bd9b4e019u))) {}

  constexpr std::uint64_t next() noexcept { return mix(state_ += kGolden); }

  /// Uniform in [0, 1), 53 bits.
  constexpr double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  constexpr double uniform(double low, double high) noexcept { return low + (high - low) * uniform(); }

  /// Uniform in [0, bound), unbiased; bound > 0.
  constexpr std::uint64_t below(std::uint64_t bound) noexcept {
    const std::uint64_t threshold = (0 - bound) % bound;
    for (;;) {
      const std::uint64_t value = next();
      if (value >= threshold) return value % bound;
    }
  }

  /// Standard normal, by Box and Muller's transform.
  double normal() noexcept {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

  template <class T>
  constexpr void shuffle(std::span<T> items) noexcept {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

  /// A permutation of 0 .. n-1.
  [[nodiscard]] std::vector<std::size_t> permutation(std::size_t n) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    shuffle(std::span(order));
    return order;
  }

 private:
  static constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15u;

  static constexpr std::uint64_t mix(std::uint64_t z) noexcept {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
};

}  // namespace imgsim
