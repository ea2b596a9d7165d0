// The nearest of many centroids, in float32, for points whose answer float64 then confirms: the assignment of k-means.
//
// A lane belongs to a centroid: a coordinate of a point is broadcast against kPanel centroids at a time, so that
// nothing is summed across lanes, and the distances are compared where they are, in registers. Differences are squared
// as they are (no norms and products), so the error is relative to the distance. Beside the nearest, the distance of
// the next is kept: it tells whether the answer is sure, and how far centroids may move before it can change (Hamerly's
// bound).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <imgsim/core/macros.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/simd.hpp>

namespace imgsim::cpu {

/// Centroids [K, D] as panels of kPanel, each [D, kPanel]; places behind the last are infinitely far from everything.
class packed_centroids {
 public:
  static constexpr std::size_t kPanel = 16;

  void pack(matrix_view<const float> centroids) {
    dimension_ = centroids.extent(1);
    panels_ = (centroids.extent(0) + kPanel - 1) / kPanel;
    values_.assign(panels_ * dimension_ * kPanel, 0.0f);
    beyond_.assign(panels_ * kPanel, std::numeric_limits<float>::infinity());
    for (std::size_t c = 0; c < centroids.extent(0); ++c) {
      beyond_[c] = 0;
      float* to = values_.data() + c / kPanel * dimension_ * kPanel + c % kPanel;
      for (std::size_t i = 0; i < dimension_; ++i) to[i * kPanel] = centroids(c, i);
    }
  }

  [[nodiscard]] std::size_t panels() const noexcept { return panels_; }
  [[nodiscard]] std::size_t dimension() const noexcept { return dimension_; }
  /// [D, kPanel].
  [[nodiscard]] const float* panel(std::size_t i) const noexcept { return values_.data() + i * dimension_ * kPanel; }
  /// [kPanel] what is added to the distances of a panel: 0, or infinity where there is no centroid.
  [[nodiscard]] const float* beyond(std::size_t i) const noexcept { return beyond_.data() + i * kPanel; }

 private:
  std::size_t dimension_ = 0, panels_ = 0;
  std::vector<float> values_, beyond_;
};

/// What a scan found for a point; of equal distances it may have taken any.
struct nearest_found {
  float least = std::numeric_limits<float>::infinity();  // squared distance
  float next = std::numeric_limits<float>::infinity();   // the least of the other centroids'
  std::uint32_t centroid = 0;
};

/// Coordinates that are summed in a row; then their sum is added to that of the others.
inline constexpr std::size_t kScanDepth = 256;

/// The relative error of a squared distance in a scan. With u = 2^-24: a difference and its square are rounded once
/// each (3 u), a term then meets kScanDepth additions at most in its run and one for each run; 2 cover the second
/// order.
[[nodiscard]] constexpr double nearest_scan_error(std::size_t dimension) noexcept {
  const std::size_t runs = (dimension + kScanDepth - 1) / kScanDepth;
  return (static_cast<double>(std::min(dimension, kScanDepth) + runs) + 5) * 0x1p-24;
}

struct nearest_scan_body {
  std::span<const float* const> points;  // [P] of D coordinates each
  const packed_centroids& centroids;
  nearest_found* out;  // [P]

  static constexpr std::size_t kPanel = packed_centroids::kPanel;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    // 16 sums of a register each where there are 32 of them, 8 where there are 16.
    constexpr std::size_t kParts = kPanel / Isa::float_lanes;
    constexpr std::size_t kPanels = Isa::registers == 32 && kParts == 1 ? 2 : 1;
    constexpr std::size_t kPoints = (Isa::registers == 32 ? 16 : 8) / (kParts * kPanels);
    std::size_t p = 0;
    for (; p + kPoints <= points.size(); p += kPoints) scan<Isa, kPoints, kPanels>(p);
    for (; p < points.size(); ++p) scan<Isa, 1, kPanels>(p);
  }

 private:
  /// The least and the second least of each lane so far, and where the least was found.
  struct lanes {
    float least[kPanel], next[kPanel];
    std::int32_t panel[kPanel];
  };

  template <class Isa, std::size_t Points, std::size_t Panels>
  IMGSIM_ALWAYS_INLINE void scan(std::size_t first) const {
    lanes found[Points];
    for (lanes& one : found) {
      std::fill_n(one.least, kPanel, std::numeric_limits<float>::infinity());
      std::fill_n(one.next, kPanel, std::numeric_limits<float>::infinity());
      std::fill_n(one.panel, kPanel, 0);
    }
    std::size_t panel = 0;
    for (; panel + Panels <= centroids.panels(); panel += Panels) tile<Isa, Points, Panels>(first, panel, found);
    if constexpr (Panels > 1)
      for (; panel < centroids.panels(); ++panel) tile<Isa, Points, 1>(first, panel, found);
    for (std::size_t p = 0; p < Points; ++p) out[first + p] = reduce(found[p]);
  }

  template <class Isa, std::size_t Points, std::size_t Panels>
  IMGSIM_ALWAYS_INLINE void tile(std::size_t first, std::size_t panel, lanes* found) const {
    constexpr std::size_t kLanes = Isa::float_lanes;
    constexpr std::size_t kParts = Panels * kPanel / kLanes;
    using floats = vector<float, kLanes>;
    using numbers = vector<std::int32_t, kLanes>;
    const std::size_t dimension = centroids.dimension();
    floats totals[Points][kParts];
    for (std::size_t begin = 0; begin < dimension || begin == 0; begin += kScanDepth) {
      const std::size_t end = std::min(dimension, begin + kScanDepth);
      floats sums[Points][kParts] = {};
      for (std::size_t i = begin; i < end; ++i) {
        floats centroid[kParts];
#pragma GCC unroll 8
        for (std::size_t part = 0; part < kParts; ++part)
          load(centroid[part], centroids.panel(panel + part * kLanes / kPanel) + i * kPanel + part * kLanes % kPanel);
#pragma GCC unroll 8
        for (std::size_t p = 0; p < Points; ++p) {
          floats point;
          load_broadcast<Isa>(point, points[first + p] + i);
#pragma GCC unroll 8
          for (std::size_t part = 0; part < kParts; ++part) {
            const floats difference = point - centroid[part];
            sums[p][part] += difference * difference;
          }
        }
      }
      for (std::size_t p = 0; p < Points; ++p)
        for (std::size_t part = 0; part < kParts; ++part)
          totals[p][part] = begin == 0 ? sums[p][part] : totals[p][part] + sums[p][part];
    }
#pragma GCC unroll 8
    for (std::size_t p = 0; p < Points; ++p)
#pragma GCC unroll 8
      for (std::size_t part = 0; part < kParts; ++part) {
        const std::size_t own = panel + part * kLanes / kPanel;
        const std::size_t lane = part * kLanes % kPanel;
        floats beyond, least, next;
        numbers where, here;
        load(beyond, centroids.beyond(own) + lane);
        load(least, found[p].least + lane);
        load(next, found[p].next + lane);
        load(where, found[p].panel + lane);
        broadcast(here, static_cast<std::int32_t>(own));
        const floats distance = totals[p][part] + beyond;
        next = distance < least ? least : distance < next ? distance : next;
        where = distance < least ? here : where;
        least = distance < least ? distance : least;
        store(found[p].least + lane, least);
        store(found[p].next + lane, next);
        store(found[p].panel + lane, where);
      }
  }

  [[nodiscard]] static IMGSIM_ALWAYS_INLINE float smallest(const float* values) noexcept {
    float halves[kPanel / 2];
    for (std::size_t i = 0; i < kPanel / 2; ++i) halves[i] = std::min(values[i], values[i + kPanel / 2]);
    for (std::size_t width = kPanel / 4; width > 0; width /= 2)
      for (std::size_t i = 0; i < width; ++i) halves[i] = std::min(halves[i], halves[i + width]);
    return halves[0];
  }

  [[nodiscard]] static IMGSIM_ALWAYS_INLINE nearest_found reduce(lanes& one) noexcept {
    const float least = smallest(one.least);
    std::size_t lane = 0;
    while (lane + 1 < kPanel && one.least[lane] != least) ++lane;
    one.least[lane] = std::numeric_limits<float>::infinity();
    return {.least = least,
            .next = std::min(smallest(one.least), smallest(one.next)),
            .centroid = static_cast<std::uint32_t>(static_cast<std::size_t>(one.panel[lane]) * kPanel + lane)};
  }
};

}  // namespace imgsim::cpu
