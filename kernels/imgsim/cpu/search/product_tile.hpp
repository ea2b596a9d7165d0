// The product of a tile of packed queries with a tile of packed gallery rows, in float32 or in bytes.
//
// Loops, outermost first: blocks of kDepthBlock words; gallery panels; query panels; micro-tiles. A micro-tile of
// rows x columns products is held in registers for a whole block: per word it loads `columns` gallery values as
// vectors and broadcasts `rows` query values, each used for every one of the others. (Goto and van de Geijn, Anatomy
// of high-performance matrix multiplication, 2008, doi:10.1145/1356052.1356053.)
#pragma once

#include <algorithm>
#include <cstddef>

#include <imgsim/core/macros.hpp>
#include <imgsim/cpu/search/policy.hpp>
#include <imgsim/cpu/search/product_kinds.hpp>
#include <imgsim/cpu/simd.hpp>

namespace imgsim::cpu {

/// Shape of the micro-tile: accumulators, one set of gallery vectors and a broadcast fill the registers.
template <class Isa>
struct product_micro_tile {
  static constexpr std::size_t vectors = Isa::registers == 32 && Isa::float_lanes == 16 ? 3 : 2;
  static constexpr std::size_t columns = vectors * Isa::float_lanes;
  static constexpr std::size_t rows = Isa::registers == 32 ? 8 : (Isa::float_lanes == 8 ? 6 : 4);
  static_assert(kPanelRows % rows == 0 && kPanelRows % columns == 0);
};

/// tile[q][g] = packed query q . packed gallery row g, leading dimension kTileRows, as the bits of Product::sum; the
/// gallery's padding included. depth >= 1. Few queries are packed into a panel of less than kPanelRows.
template <class Product>
struct product_tile_body {
  using word = typename Product::word;

  const word* queries;  // first of their panels
  std::size_t query_rows;
  std::size_t query_panel_rows;
  const word* gallery;
  std::size_t gallery_panels;
  std::size_t depth;  // words of a row
  float* tile;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    if constexpr (Product::template exists<Isa>) {
      for (std::size_t begin = 0; begin < depth; begin += kDepthBlock) {
        const std::size_t count = std::min(kDepthBlock, depth - begin);
        for (std::size_t gp = 0; gp < gallery_panels; ++gp)
          for (std::size_t first = 0; first < query_rows; first += query_panel_rows) {
            const word* a = queries + first * depth + begin * query_panel_rows;
            const word* b = gallery + (gp * depth + begin) * kPanelRows;
            float* out = tile + first * kTileRows + gp * kPanelRows;
            const std::size_t rows = std::min(query_panel_rows, query_rows - first);
            for (std::size_t g = 0; g < kPanelRows; g += product_micro_tile<Isa>::columns)
              run_column<Isa, product_micro_tile<Isa>::rows>(a, rows, b + g, count, begin > 0, out + g);
          }
      }
    }
  }

  /// One micro-tile's width of all rows of a panel of queries: Rows at a time, then half as many, and so on.
  template <class Isa, std::size_t Rows>
  IMGSIM_ALWAYS_INLINE void run_column(const word* a, std::size_t rows, const word* b, std::size_t count, bool add,
                                       float* out) const {
    std::size_t q = 0;
    for (; q + Rows <= rows; q += Rows) run_micro_tile<Isa, Rows>(a + q, b, count, add, out + q * kTileRows);
    if constexpr (Rows > 1)
      if (q < rows) run_column<Isa, Rows / 2>(a + q, rows - q, b, count, add, out + q * kTileRows);
  }

  template <class Isa, std::size_t Rows>
  IMGSIM_ALWAYS_INLINE void run_micro_tile(const word* a, const word* b, std::size_t count, bool add,
                                           float* out) const {
    constexpr std::size_t kVectors = product_micro_tile<Isa>::vectors;
    using sums = vector<typename Product::sum, Isa::float_lanes>;
    sums sum[Rows][kVectors] = {};
    for (std::size_t i = 0; i < count; ++i, a += query_panel_rows, b += kPanelRows) {
      typename Product::template right<Isa> right[kVectors];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) Product::template load_right<Isa>(right[v], b + v * Isa::float_lanes);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < Rows; ++r) {
        typename Product::template left<Isa> left;
        Product::template load_left<Isa>(left, a + r);
#pragma GCC unroll 4
        for (std::size_t v = 0; v < kVectors; ++v) Product::template add<Isa>(sum[r][v], left, right[v]);
      }
    }
#pragma GCC unroll 8
    for (std::size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) {
        float* to = out + r * kTileRows + v * Isa::float_lanes;
        if (add) {
          sums before;
          load(before, to);
          sum[r][v] += before;
        }
        store(to, sum[r][v]);
      }
  }
};

}  // namespace imgsim::cpu
