// Looks through a tile of float32 products for the rows that may be among a query's N best.
#pragma once

#include <cstddef>
#include <cstdint>

#include <imgsim/core/macros.hpp>
#include <imgsim/cpu/search/candidates.hpp>
#include <imgsim/cpu/search/packed_rows.hpp>
#include <imgsim/cpu/search/policy.hpp>
#include <imgsim/cpu/simd.hpp>
#include <imgsim/metric/metric.hpp>

namespace imgsim::cpu {

/// Bounds of the canonical key of a pair, from the float32 product of its packed rows. `product` is product_error(D)
/// and `rounding` the relative error of the float64 arithmetic on both sides (metric/metric.hpp, cosine_form_metric).
struct key_bounds {
  double product;
  double rounding;

  explicit key_bounds(std::size_t depth)
      : product(product_error(depth)), rounding((static_cast<double>(depth) + 64) * 0x1.0p-53) {}

  /// high = the largest key the pair may have; with `product` and `rounding` negated, the smallest.
  template <class Metric, class T>
  IMGSIM_ALWAYS_INLINE static void bound(T& out, const T& cosine, const T& norm_a, const T& norm_b, double product_part,
                                         double rounding_part) noexcept {
    const T shifted = cosine + product_part;
    T scale;
    Metric::key_from_cosine(out, shifted, norm_a, norm_b);
    Metric::key_scale(scale, norm_a, norm_b);
    out += rounding_part * scale;
  }

  template <class Metric>
  [[nodiscard]] candidate candidate_for(float cosine, double norm_a, double norm_b, std::size_t row) const noexcept {
    candidate result{.low = 0, .high = 0, .row = row};
    bound<Metric, double>(result.low, cosine, norm_a, norm_b, -product, -rounding);
    bound<Metric, double>(result.high, cosine, norm_a, norm_b, product, rounding);
    return result;
  }
};

/// found = the first of `count` panels from panel `begin` on that holds a product whose pair may have a key of
/// `threshold` or more; `count` where there is none.
template <class Metric>
struct find_panel_body {
  const float* products;        // of one query, [panels * 48]
  const double* gallery_norms;  // [panels * 48]
  double query_norm;
  double threshold;
  key_bounds bounds;
  std::size_t begin;
  std::size_t count;
  std::size_t* found;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    using doubles = vector<double, Isa::double_lanes>;
    using mask = vector<std::int64_t, Isa::double_lanes>;
    doubles norm_a;
    broadcast(norm_a, query_norm);
    std::size_t panel = begin;
    for (; panel < count; ++panel) {
      mask any{};
      for (std::size_t i = panel * kPanelRows; i < (panel + 1) * kPanelRows; i += Isa::double_lanes) {
        doubles cosine;
        doubles norm_b;
        doubles high;
        load_widened<Isa>(cosine, products + i);
        load(norm_b, gallery_norms + i);
        key_bounds::bound<Metric, doubles>(high, cosine, norm_a, norm_b, bounds.product, bounds.rounding);
        any |= high >= threshold;
      }
      std::int64_t lanes[Isa::double_lanes];
      store(lanes, any);
      std::int64_t all = 0;
      for (const std::int64_t lane : lanes) all |= lane;
      if (all != 0) break;
    }
    *found = panel;
  }
};

}  // namespace imgsim::cpu
