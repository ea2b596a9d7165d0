// Rows in one byte an element, for the product that rules most rows out: a quarter of float32's memory and, with
// AVX-512 VNNI, four times its products a second.
//
// x / |x| = c + r with one centre c [D] for all rows (about their mean: rows of photos share much of it), and r is
// rounded to s q, q of bytes in [-127, 127] and s = max |r_i| / 127. With o(x) = c . x / |x| - |c|^2 / 2,
//
//   cosine(x, y) = r_x . r_y + o(x) + o(y),
//   |r_x . r_y - s_x s_y q_x . q_y| <= |r_x - s_x q_x| |r_y| + |s_x q_x| |r_y - s_y q_y|
//                                   <= error(x) size(y) + size(x) error(y),
//
// with error(x) >= |r_x - s_x q_x| and size(x) >= |r_x|, |s_x q_x|, both of which packing computes. q_x . q_y is exact.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/byte_quantiser.hpp>
#include <imgsim/cpu/search/canonical.hpp>
#include <imgsim/cpu/search/policy.hpp>
#include <imgsim/cpu/search/product_tile.hpp>
#include <imgsim/cpu/search/untouched_array.hpp>
#include <imgsim/cpu/simd.hpp>

namespace imgsim::cpu {

/// Rows of length one as bytes, interleaved as packed_rows are, four elements a word. A row with a NaN or an infinity,
/// and the padding of the last panel, have the scale NaN, and so have their products.
struct byte_rows {
  using frame = byte_centre;
  static constexpr bool has_row_errors = true;

  std::size_t rows = 0;
  std::size_t depth = 0;       // words of a row
  std::size_t panel_rows = 0;  // kPanelRows, or as many as there are queries
  frame shared;
  untouched_array<std::uint32_t> panels;  // [ceil(rows / panel_rows), depth, panel_rows]
  std::vector<double> squared_norms;      // [panels * panel_rows] as the rest: canonical; NaN in the padding
  std::vector<double> norms;
  std::vector<double> errors;
  std::vector<double> sizes;
  std::vector<float> scales;
  std::vector<float> offsets;
  std::vector<std::int32_t> sums;  // of a row's bytes

  [[nodiscard]] std::size_t panel_count() const noexcept { return rows == 0 ? 0 : (rows - 1) / panel_rows + 1; }
  [[nodiscard]] const std::uint32_t* panel(std::size_t p) const noexcept {
    return panels.data() + p * depth * panel_rows;
  }

  [[nodiscard]] static std::size_t bytes_for_row(std::size_t depth) noexcept {
    return depth + 4 * sizeof(double) + 3 * sizeof(float);
  }
  [[nodiscard]] static std::size_t budget(const search_policy& policy) noexcept { return policy.byte_row_bytes; }

  /// Rounding beside error() and size(): the product becomes float32, is multiplied by a scale of two roundings, and
  /// two offsets, rounded once each, are added to it. With |product| <= |s_x q_x| |s_y q_y| < 4.1 and |offset| <= 1.5:
  /// 26 units of 2^-24. What float64 rounds in packing, (D + 64) 2^-53 |x|, and elements that vanish below 2^-60 fit
  /// into the other 6.
  [[nodiscard]] static double product_error(std::size_t) noexcept { return 0x1.0p-19; }

  [[nodiscard]] static bool holds(std::size_t depth) noexcept { return depth > 0 && depth <= kMostByteDepth; }

  template <real_element T>
  [[nodiscard]] static frame make_frame(matrix_view<const T> rows) {
    return mean_direction(rows);
  }

  template <real_element T>
  [[nodiscard]] static byte_rows pack(const cpu_context& context, matrix_view<const T> rows, const frame& centre,
                                      simd_level level, std::size_t panel_rows = kPanelRows) {
    byte_rows packed;
    packed.rows = rows.extent(0);
    packed.depth = (rows.extent(1) + 3) / 4;
    packed.panel_rows = panel_rows;
    packed.shared = centre;
    const std::size_t panels = packed.panel_count();
    packed.panels = untouched_array<std::uint32_t>(panels * packed.depth * panel_rows);
    for (auto* each : {&packed.squared_norms, &packed.norms, &packed.errors, &packed.sizes})
      each->assign(panels * panel_rows, std::numeric_limits<double>::quiet_NaN());
    packed.scales.assign(panels * panel_rows, std::numeric_limits<float>::quiet_NaN());
    packed.offsets.assign(panels * panel_rows, 0);
    packed.sums.assign(panels * panel_rows, 0);
    context.parallel_for(panels, [&](std::size_t p) { packed.pack_panel(p, rows, centre, level); });
    return packed;
  }

  template <real_element T>
  [[nodiscard]] static byte_rows pack_queries(const cpu_context& context, matrix_view<const T> rows,
                                              const frame& centre, simd_level level) {
    return pack(context, rows, centre, level, std::min(kPanelRows, rows.extent(0)));
  }

  /// tile [query_count, kTileRows] = estimates of the cosines of queries from `first_query` on, a multiple of
  /// panel_rows, with the rows of `gallery_panels` panels.
  static void multiply(const byte_rows& queries, std::size_t first_query, std::size_t query_count,
                       const byte_rows& gallery, std::size_t first_panel, std::size_t gallery_panels,
                       const search_policy& policy, float* tile) {
    const std::uint32_t* a = queries.panel(first_query / queries.panel_rows);
    const std::uint32_t* b = gallery.panel(first_panel);
    const auto run = [&](auto product) {
      using kind = decltype(product);
      expand(product_tile_body<kind>{a, query_count, queries.panel_rows, b, gallery_panels, gallery.depth, tile},
             policy.level);
      return kind::excess;
    };
    const std::int32_t excess = policy.uses_vnni() ? run(vnni_byte_product{}) : run(byte_product{});
    const std::size_t first_row = first_panel * kPanelRows;
    expand(byte_estimate_body{tile, query_count, gallery_panels * kPanelRows, queries.scales.data() + first_query,
                              queries.offsets.data() + first_query, queries.sums.data() + first_query, excess,
                              gallery.scales.data() + first_row, gallery.offsets.data() + first_row},
           policy.level);
  }

 private:
  template <real_element T>
  void pack_panel(std::size_t p, matrix_view<const T> source, const frame& centre, simd_level level) {
    const std::size_t first = p * panel_rows;
    const std::size_t count = std::min(panel_rows, rows - first);
    std::array<const T*, kPanelRows> pointers{};
    for (std::size_t r = 0; r < count; ++r) pointers[r] = source.row(first + r);
    expand(squared_norms_body<T>{{pointers.data(), count}, source.extent(1), squared_norms.data() + first}, level);
    std::uint32_t* panel = panels.data() + first * depth;
    std::vector<float> residual(padded_depth(source.extent(1)));
    untouched_array<std::uint32_t> words(panel_rows * depth);
    std::memset(words.data(), 0, panel_rows * depth * sizeof(std::uint32_t));
    for (std::size_t r = 0; r < count; ++r) {
      const std::size_t row = first + r;
      norms[row] = std::sqrt(squared_norms[row]);
      if (!std::isfinite(norms[row])) continue;
      quantised_row result;
      expand(quantise_body<T>{pointers[r], source.extent(1), norms[row], &centre, residual.data(),
                              reinterpret_cast<std::int8_t*>(words.data() + r * depth), &result},
             level);
      errors[row] = result.error;
      sizes[row] = result.size;
      scales[row] = result.scale;
      offsets[row] = result.offset;
      sums[row] = result.sum;
    }
    for (std::size_t i = 0; i < depth; ++i)
      for (std::size_t r = 0; r < panel_rows; ++r) panel[i * panel_rows + r] = words.data()[r * depth + i];
  }
};

}  // namespace imgsim::cpu
