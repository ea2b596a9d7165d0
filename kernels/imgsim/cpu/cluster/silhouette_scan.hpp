// What an exchange changes the medoid silhouette by, for one candidate and all medoids at once.
//
// Where K-medoids looks at few points for a candidate, here half of them take part and more: the best silhouettes often
// come with medoids that keep few points, so that the third nearest medoid is far from most. Then what bounds a scan is
// not memory but two divisions a point, and sums that wait for one another where most points share a medoid. So 64
// points at a time are divided in registers, and their changes added to tables that know nothing of one another;
// of blocks with few points, these alone are looked at.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <imgsim/cluster/silhouette_loss.hpp>
#include <imgsim/core/macros.hpp>
#include <imgsim/cpu/cluster/silhouette_points.hpp>
#include <imgsim/cpu/cluster/swap_scan.hpp>
#include <imgsim/cpu/simd.hpp>

namespace imgsim::cpu {

/// Sums over the points o with row[o] < third[o], row [M] the distances to a candidate: *shared is increased by what
/// the loss changes by where a medoid goes that is neither nearest nor second, and tables [kTables, K] by what it
/// changes by on top where the medoid at a position goes.
struct silhouette_scan_body {
  const silhouette_points& points;
  const float* row;
  std::size_t medoids;
  std::int64_t* shared;
  std::int64_t* tables;

  /// For the nearest medoids and for the second, each for every kCopies-th point: a sum need not wait for the last one.
  static constexpr std::size_t kCopies = 4;
  static constexpr std::size_t kTables = 2 * kCopies;
  /// Points of a block from which on all are computed (measured: 8 to 24 make no difference).
  static constexpr int kDense = 16;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    std::size_t o = 0;
    for (; o + kMaskBits <= points.size(); o += kMaskBits) {
      std::uint64_t mask = mask_below(row + o, points.third.data() + o);
      if (std::popcount(mask) >= kDense) {
        all_of<Isa>(o);
      } else {
        for (; mask != 0; mask &= mask - 1) one(o + static_cast<std::size_t>(std::countr_zero(mask)));
      }
    }
    for (; o < points.size(); ++o)
      if (row[o] < points.third[o]) one(o);
  }

 private:
  /// With a distance d below the third, (nearest, d) is left where the second medoid goes, (second, d) where the
  /// nearest does, and where another goes (nearest, d) if d is below the second.
  IMGSIM_ALWAYS_INLINE void one(std::size_t o) const noexcept {
    const float d = row[o], nearest = points.nearest[o], second = points.second[o];
    const std::int64_t with_nearest = silhouette_loss(std::min(nearest, d), std::max(nearest, d));
    const std::int64_t with_second = silhouette_loss(std::min(second, d), std::max(second, d));
    const std::int64_t change = d < second ? with_nearest - points.loss[o] : 0;
    *shared += change;
    tables[points.label[o]] += with_second - points.without_nearest[o] - change;
    tables[kCopies * medoids + points.second_label[o]] += with_nearest - points.without_second[o] - change;
  }

  /// The same for kMaskBits points.
  template <class Isa>
  IMGSIM_ALWAYS_INLINE void all_of(std::size_t first) const noexcept {
    constexpr std::size_t kLanes = Isa::double_lanes;
    using doubles = vector<double, kLanes>;
    using numbers = vector<std::int64_t, kLanes>;
    alignas(64) std::int64_t without_own[kMaskBits], without_next[kMaskBits];
    numbers sum{};
    for (std::size_t i = 0; i < kMaskBits; i += kLanes) {
      const std::size_t o = first + i;
      doubles d, nearest, second, third;
      numbers loss, without_nearest, without_second, with_nearest, with_second;
      load_widened<Isa>(d, row + o);
      load_widened<Isa>(nearest, points.nearest.data() + o);
      load_widened<Isa>(second, points.second.data() + o);
      load_widened<Isa>(third, points.third.data() + o);
      load(loss, points.loss.data() + o);
      load(without_nearest, points.without_nearest.data() + o);
      load(without_second, points.without_second.data() + o);
      ratio<Isa>(with_nearest, nearest, d);
      ratio<Isa>(with_second, second, d);
      const numbers counts = d < third;
      const numbers change = (with_nearest - loss) & (d < second);
      const numbers own = (with_second - without_nearest - change) & counts;
      const numbers next = (with_nearest - without_second - change) & counts;
      sum += change;
      store(without_own + i, own);
      store(without_next + i, next);
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) *shared += sum[lane];
    for (std::size_t i = 0; i < kMaskBits; i += kCopies) {
#pragma GCC unroll 4
      for (std::size_t copy = 0; copy < kCopies; ++copy) {
        const std::size_t o = first + i + copy;
        tables[copy * medoids + points.label[o]] += without_own[i + copy];
        tables[(kCopies + copy) * medoids + points.second_label[o]] += without_next[i + copy];
      }
    }
  }

  /// silhouette_loss(min(a, d), max(a, d)), lane by lane: the bits of a double that begins at 4096 count 2^-40ths.
  template <class Isa>
  static IMGSIM_ALWAYS_INLINE void ratio(vector<std::int64_t, Isa::double_lanes>& out,
                                         const vector<double, Isa::double_lanes>& a,
                                         const vector<double, Isa::double_lanes>& d) noexcept {
    using doubles = vector<double, Isa::double_lanes>;
    const doubles zero{}, one = zero + 1;
    const doubles low = d < a ? d : a, far = d < a ? a : d;
    const doubles near = low > zero ? low : zero;
    const doubles loss = (far > zero ? near / far : one) + kSilhouetteBegin;
    load(out, &loss);
    out -= std::bit_cast<std::int64_t>(kSilhouetteBegin);
  }
};

}  // namespace imgsim::cpu
