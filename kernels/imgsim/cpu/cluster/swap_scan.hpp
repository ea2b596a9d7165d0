// The inner loops of K-medoids on the CPU. A pass over all candidates reads the whole matrix once, and this is what
// bounds it: at K = 19 some 1 in 100 distances is below the second nearest one and takes part in a sum, the rest is
// compared and dropped. So the comparison runs over contiguous floats and yields a mask of 64 points, and what a sum
// needs of a point lies together in one record. (SSE2 is enough to keep up with memory; every x86-64 has it.)
//
// Tried and lost, for a pass over 4738 candidates at 12% of distances below: "does any of 16 compare" as plain C++ (GCC
// compares one by one: 33 ms instead of 8 to 11), a list of all hits before any is summed (26 ms).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <imgsim/cluster/fixed_point.hpp>

namespace imgsim::cpu {

/// What the change of cost sums over one point need, in units of fixed_point.
struct point_terms {
  std::int64_t nearest = 0;
  std::int64_t second = 0;
  std::uint32_t label = 0;  // position of the nearest medoid
};

/// Bit i is set where row[i] < limit[i], for the first kMaskBits elements.
inline constexpr std::size_t kMaskBits = 64;
inline std::uint64_t mask_below(const float* row, const float* limit) noexcept {
  std::uint64_t mask = 0;
#if defined(__SSE2__)
  for (std::size_t i = 0; i < kMaskBits; i += 4) {
    const int bits = _mm_movemask_ps(_mm_cmplt_ps(_mm_loadu_ps(row + i), _mm_loadu_ps(limit + i)));
    mask |= static_cast<std::uint64_t>(bits) << i;
  }
#else
  for (std::size_t i = 0; i < kMaskBits; ++i) mask |= static_cast<std::uint64_t>(row[i] < limit[i]) << i;
#endif
  return mask;
}

/// Calls use(o) for each o in [0, size) with row[o] < limit[o], ascending.
template <class Use>
inline void for_each_below(const float* row, const float* limit, std::size_t size, Use&& use) {
  std::size_t o = 0;
  for (; o + kMaskBits <= size; o += kMaskBits) {
    for (std::uint64_t mask = mask_below(row + o, limit + o); mask != 0; mask &= mask - 1) {
      use(o + static_cast<std::size_t>(std::countr_zero(mask)));
    }
  }
  for (; o < size; ++o) {
    if (row[o] < limit[o]) use(o);
  }
}

struct position_change {
  std::size_t position = 0;
  std::int64_t change = 0;
};

/// The medoid whose exchange for the candidate with distances `row` [M] changes the cost least (ties to the smaller
/// position), and that change. `second` [M]: distances to the second nearest medoid; `removal_losses` [K]; `losses`:
/// room for [K].
///
/// A point nearer to the candidate than to its second medoid saves (nearest - d) whichever medoid goes, or, where d is
/// above nearest, (second - d) if its own medoid goes: min(d, nearest) - nearest for all, and max(d, nearest) - second
/// on top of the removal loss of its own.
inline position_change best_exchange(const float* row, std::span<const float> second, const point_terms* terms,
                                     const fixed_point& unit, std::span<const std::int64_t> removal_losses,
                                     std::int64_t* losses) {
  std::ranges::copy(removal_losses, losses);
  std::int64_t shared = 0;
  for_each_below(row, second.data(), second.size(), [&](std::size_t o) {
    const std::int64_t d = unit.quantise(row[o]);
    const point_terms& point = terms[o];
    shared += std::min(d, point.nearest) - point.nearest;
    losses[point.label] += std::max(d, point.nearest) - point.second;
  });
  const std::int64_t* least = std::min_element(losses, losses + removal_losses.size());
  return {static_cast<std::size_t>(least - losses), shared + *least};
}

/// What the cost falls by when the candidate with distances `row` becomes one more medoid. `nearest` [M].
inline std::int64_t addition_gain(const float* row, std::span<const float> nearest, const point_terms* terms,
                                  const fixed_point& unit) {
  std::int64_t gain = 0;
  for_each_below(row, nearest.data(), nearest.size(),
                 [&](std::size_t o) { gain += terms[o].nearest - unit.quantise(row[o]); });
  return gain;
}

/// The same, counted over some points only: distance(i) is that of points[i].
template <class Distance>
std::int64_t addition_gain(std::span<const std::size_t> points, const point_terms* terms, const fixed_point& unit,
                           Distance&& distance) {
  std::int64_t gain = 0;
  for (std::size_t i = 0; i < points.size(); ++i)
    gain += std::max<std::int64_t>(0, terms[points[i]].nearest - unit.quantise(distance(i)));
  return gain;
}

/// The sum over the points of max(0, prices[o] - row[o]).
inline std::int64_t saving(const float* row, std::span<const float> prices, const fixed_point& unit) {
  std::int64_t sum = 0;
  for_each_below(row, prices.data(), prices.size(),
                 [&](std::size_t o) { sum += unit.quantise(prices[o]) - unit.quantise(row[o]); });
  return sum;
}

/// The largest magnitude among `row` [M] as the bits of a float; at least kInfinityBits where one is not finite.
inline constexpr std::int32_t kInfinityBits = 0x7f800000;
inline std::int32_t largest_magnitude_bits(const float* row, std::size_t size) {
  std::int32_t largest = 0;
  for (std::size_t o = 0; o < size; ++o) {
    largest = std::max(largest, std::bit_cast<std::int32_t>(row[o]) & 0x7fffffff);
  }
  return largest;
}

}  // namespace imgsim::cpu
