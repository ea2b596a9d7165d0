// Looks through a tile of products for the rows that may be among a query's N best.
#pragma once

#include <cstddef>
#include <cstdint>

#include <imgsim/core/macros.hpp>
#include <imgsim/cpu/search/candidates.hpp>
#include <imgsim/cpu/search/policy.hpp>
#include <imgsim/cpu/simd.hpp>
#include <imgsim/metric/metric.hpp>

namespace imgsim::cpu {

/// What bounds the error of the products of one query, or of one gallery row, with those of the other side: nothing
/// of their own, or error() and size() of byte_rows.hpp.
struct row_error {
  double error = 0;
  double size = 0;
};

/// Bounds of the canonical key of a pair, from the product of its packed rows. `product` is product_error(D) of these
/// and `rounding` the relative error of the float64 arithmetic on both sides (metric/metric.hpp, cosine_form_metric).
struct key_bounds {
  double product;
  double rounding;

  key_bounds(double product_error, std::size_t depth)
      : product(product_error), rounding((static_cast<double>(depth) + 64) * 0x1.0p-53) {}

  /// high = the largest key the pair may have, its cosine being off by `error`; with that and `rounding` negated, the
  /// smallest.
  template <class Metric, class T>
  IMGSIM_ALWAYS_INLINE static void bound(T& out, const T& cosine, const T& norm_a, const T& norm_b, const T& error,
                                         double rounding_part) noexcept {
    const T shifted = cosine + error;
    T scale;
    Metric::key_from_cosine(out, shifted, norm_a, norm_b);
    Metric::key_scale(scale, norm_a, norm_b);
    out += rounding_part * scale;
  }

  template <class Metric>
  [[nodiscard]] candidate candidate_for(float cosine, double norm_a, double norm_b, const row_error& a,
                                        const row_error& b, std::size_t row) const noexcept {
    candidate result{.low = 0, .high = 0, .row = row};
    const double error = product + a.error * b.size + a.size * b.error;
    bound<Metric, double>(result.low, cosine, norm_a, norm_b, -error, -rounding);
    bound<Metric, double>(result.high, cosine, norm_a, norm_b, error, rounding);
    return result;
  }
};

/// The row_error of row `row` of packed rows.
template <class Rows>
[[nodiscard]] row_error error_of(const Rows& packed, std::size_t row) noexcept {
  if constexpr (Rows::has_row_errors)
    return {packed.errors[row], packed.sizes[row]};
  else
    return {};
}

/// found = the first of `count` panels from panel `begin` on that holds a product whose pair may have a key of
/// `threshold` or more, highs [48] = the largest keys that the pairs of this panel may have; `count` where there is
/// none.
template <class Metric, bool RowErrors>
struct find_panel_body {
  const float* products;         // of one query, [panels * 48]
  const double* gallery_norms;   // [panels * 48]
  const double* gallery_errors;  // the same, with RowErrors
  const double* gallery_sizes;
  double query_norm;
  row_error query_error;
  double threshold;
  key_bounds bounds;
  std::size_t begin;
  std::size_t count;
  std::size_t* found;
  double* highs;

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
        doubles error;
        broadcast(error, bounds.product);
        if constexpr (RowErrors) {
          doubles size;
          doubles own;
          load(size, gallery_sizes + i);
          load(own, gallery_errors + i);
          error += query_error.error * size + query_error.size * own;
        }
        key_bounds::bound<Metric, doubles>(high, cosine, norm_a, norm_b, error, bounds.rounding);
        any |= high >= threshold;
        store(highs + (i - panel * kPanelRows), high);
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
