// Rows of length one, float32, interleaved for the product: panel p holds rows 48 p .. 48 p + 47, element i of all of
// them side by side, so that the micro-kernel reads straight through. The norms stay beside them in float64: whatever
// the magnitude of a row (1e-30 or 1e30), its packed elements are in [-1, 1].
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/canonical.hpp>
#include <imgsim/cpu/search/policy.hpp>
#include <imgsim/cpu/search/product_tile.hpp>
#include <imgsim/cpu/search/untouched_array.hpp>
#include <imgsim/cpu/simd.hpp>

namespace imgsim::cpu {

/// Elements below this are packed as zeros, so that no product is subnormal: slow on many machines. The dot product of
/// two packed rows changes by at most 2 sqrt(D) times as much.
inline constexpr double kNegligible = 0x1.0p-60;

/// How far the float32 product of two packed rows may be from the cosine of the rows. With u = 2^-24:
///   packing        each element of x / |x| is rounded once, relative error u, so |x' - x/|x|| <= u: 2u for the pair;
///   accumulation   an element of the result goes through min(D, B) fused or separate multiply-adds within a block of
///                  B = kDepthBlock elements, plus one addition per block: at most min(D, B) + ceil(D / B) + 1
///                  roundings on the way of each term, hence that many u times sum |x'_i y'_i| <= |x'| |y'| (Higham,
///                  Accuracy and Stability of Numerical Algorithms, 2002, section 3.1);
///   second order   |x'| |y'| <= (1 + u)^2, gamma_n = n u / (1 - n u), the float64 norms: below 1/64 of the whole and
///                  one u more;
///   kNegligible    as above.
[[nodiscard]] inline double product_error(std::size_t depth) noexcept {
  const std::size_t blocks = (depth + kDepthBlock - 1) / kDepthBlock;
  const auto roundings = static_cast<double>(std::min(depth, kDepthBlock) + blocks + 1 + 2 + 1);
  const double first_order = roundings * 0x1.0p-24;
  return first_order * (1 + 1.0 / 64 + first_order) + 2 * std::sqrt(static_cast<double>(depth)) * kNegligible;
}

/// Writes one panel; `rows` may be fewer than 48.
template <class T>
struct pack_panel_body {
  std::span<const T* const> rows;
  std::size_t depth;
  const double* norms;  // [48]
  float* panel;         // [depth, 48]

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    std::array<double, kPanelRows> factors{};
    for (std::size_t r = 0; r < kPanelRows; ++r) factors[r] = norms[r] > 0 ? 1 / norms[r] : 0;
    constexpr std::size_t kStrip = 16;  // one cache line of each row
    for (std::size_t begin = 0; begin < depth; begin += kStrip) {
      const std::size_t end = std::min(begin + kStrip, depth);
      for (std::size_t r = 0; r < kPanelRows; ++r) {
        if (r >= rows.size() || !std::isfinite(norms[r])) {
          for (std::size_t i = begin; i < end; ++i) panel[i * kPanelRows + r] = std::numeric_limits<float>::quiet_NaN();
          continue;
        }
        const T* row = rows[r];
        for (std::size_t i = begin; i < end; ++i) {
          const double value = to_double(row[i]) * factors[r];
          panel[i * kPanelRows + r] = std::abs(value) < kNegligible ? 0.0f : static_cast<float>(value);
        }
      }
    }
  }
};

/// A zero row packs to zeros. A row with a NaN or an infinity, and the padding of the last panel, pack to NaN: their
/// products are NaN, which fails every comparison with a threshold, so that they are never candidates.
///
/// packed_top_n.hpp takes this and byte_rows: what both have makes a way to pack rows.
struct packed_rows {
  struct frame {};  // what the rows of a gallery and of its queries share: nothing
  static constexpr bool has_row_errors = false;
  static constexpr std::size_t panel_rows = kPanelRows;

  std::size_t rows = 0;
  std::size_t depth = 0;
  frame shared;
  untouched_array<float> panels;      // [ceil(rows / 48), depth, 48]
  std::vector<double> squared_norms;  // [panels * 48], canonical; NaN in the padding
  std::vector<double> norms;          // [panels * 48]

  [[nodiscard]] std::size_t panel_count() const noexcept { return (rows + kPanelRows - 1) / kPanelRows; }
  [[nodiscard]] const float* panel(std::size_t p) const noexcept { return panels.data() + p * depth * kPanelRows; }

  [[nodiscard]] static std::size_t bytes_for_row(std::size_t depth) noexcept {
    return depth * sizeof(float) + 2 * sizeof(double);
  }
  /// Bytes that a gallery's packed rows, and those of a block of queries, may take.
  [[nodiscard]] static std::size_t budget(const search_policy& policy) noexcept { return policy.packed_bytes; }
  /// How far a product may be from the cosine, for every pair.
  [[nodiscard]] static double product_error(std::size_t depth) noexcept { return cpu::product_error(depth); }

  template <real_element T>
  [[nodiscard]] static frame make_frame(matrix_view<const T>) noexcept {
    return {};
  }

  template <real_element T>
  [[nodiscard]] static packed_rows pack(const cpu_context& context, matrix_view<const T> rows, const frame&,
                                        simd_level level) {
    packed_rows packed;
    packed.rows = rows.extent(0);
    packed.depth = rows.extent(1);
    const std::size_t panels = packed.panel_count();
    packed.panels = untouched_array<float>(panels * packed.depth * kPanelRows);
    packed.squared_norms.assign(panels * kPanelRows, std::numeric_limits<double>::quiet_NaN());
    packed.norms = packed.squared_norms;
    context.parallel_for(panels, [&](std::size_t p) {
      const std::size_t first = p * kPanelRows;
      const std::size_t count = std::min(kPanelRows, packed.rows - first);
      std::array<const T*, kPanelRows> pointers{};
      for (std::size_t r = 0; r < count; ++r) pointers[r] = rows.row(first + r);
      const std::span<const T* const> valid(pointers.data(), count);
      expand(squared_norms_body<T>{valid, packed.depth, packed.squared_norms.data() + first}, level);
      for (std::size_t r = 0; r < count; ++r) packed.norms[first + r] = std::sqrt(packed.squared_norms[first + r]);
      expand(pack_panel_body<T>{valid, packed.depth, packed.norms.data() + first,
                                packed.panels.data() + first * packed.depth},
             level);
    });
    return packed;
  }

  template <real_element T>
  [[nodiscard]] static packed_rows pack_queries(const cpu_context& context, matrix_view<const T> rows,
                                                const frame& shared, simd_level level) {
    return pack(context, rows, shared, level);
  }

  /// tile [query_count, kTileRows] = the products of queries from `first_query` on, a multiple of panel_rows, with the
  /// rows of `gallery_panels` panels.
  static void multiply(const packed_rows& queries, std::size_t first_query, std::size_t query_count,
                       const packed_rows& gallery, std::size_t first_panel, std::size_t gallery_panels,
                       const search_policy& policy, float* tile) {
    expand(product_tile_body<float_product>{queries.panel(first_query / kPanelRows), query_count, kPanelRows,
                                            gallery.panel(first_panel), gallery_panels, gallery.depth, tile},
           policy.level);
  }
};

}  // namespace imgsim::cpu
