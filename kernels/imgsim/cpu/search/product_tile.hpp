// The float32 product of a tile of packed queries with a tile of packed gallery rows.
//
// Loops, outermost first: blocks of kDepthBlock elements; gallery panels; query panels; micro-tiles. A micro-tile of
// rows x columns products is held in registers for a whole block: per element it loads `columns` gallery values as
// vectors and broadcasts `rows` query values, each used for every one of the others. (Goto and van de Geijn, Anatomy
// of high-performance matrix multiplication, 2008, doi:10.1145/1356052.1356053.)
#pragma once

#include <algorithm>
#include <cstddef>

#include <imgsim/core/macros.hpp>
#include <imgsim/cpu/search/packed_rows.hpp>
#include <imgsim/cpu/search/policy.hpp>
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

/// tile[q][g] = packed query q . packed gallery row g, leading dimension kTileRows; padding included. depth >= 1.
struct product_tile_body {
  const float* queries;  // first of query_panels panels
  const float* gallery;
  std::size_t query_panels;
  std::size_t gallery_panels;
  std::size_t depth;
  float* tile;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    using micro = product_micro_tile<Isa>;
    const std::size_t panel_size = depth * kPanelRows;
    for (std::size_t begin = 0; begin < depth; begin += kDepthBlock) {
      const std::size_t count = std::min(kDepthBlock, depth - begin);
      for (std::size_t gp = 0; gp < gallery_panels; ++gp)
        for (std::size_t qp = 0; qp < query_panels; ++qp)
          for (std::size_t g = 0; g < kPanelRows; g += micro::columns)
            for (std::size_t q = 0; q < kPanelRows; q += micro::rows)
              run_micro_tile<Isa>(queries + qp * panel_size + begin * kPanelRows + q,
                                  gallery + gp * panel_size + begin * kPanelRows + g, count, begin > 0,
                                  tile + (qp * kPanelRows + q) * kTileRows + gp * kPanelRows + g);
    }
  }

  template <class Isa>
  IMGSIM_ALWAYS_INLINE static void run_micro_tile(const float* a, const float* b, std::size_t count, bool add,
                                                  float* out) {
    using micro = product_micro_tile<Isa>;
    using floats = vector<float, Isa::float_lanes>;
    floats sum[micro::rows][micro::vectors] = {};
    for (std::size_t i = 0; i < count; ++i, a += kPanelRows, b += kPanelRows) {
      floats right[micro::vectors];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < micro::vectors; ++v) load(right[v], b + v * Isa::float_lanes);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < micro::rows; ++r) {
        floats left;
        load_broadcast<Isa>(left, a + r);
#pragma GCC unroll 4
        for (std::size_t v = 0; v < micro::vectors; ++v) sum[r][v] += left * right[v];
      }
    }
#pragma GCC unroll 8
    for (std::size_t r = 0; r < micro::rows; ++r)
#pragma GCC unroll 4
      for (std::size_t v = 0; v < micro::vectors; ++v) {
        float* to = out + r * kTileRows + v * Isa::float_lanes;
        if (add) {
          floats before;
          load(before, to);
          sum[r][v] += before;
        }
        store(to, sum[r][v]);
      }
  }
};

}  // namespace imgsim::cpu
