// The numbers of CPU search. None of them changes an answer.
#pragma once

#include <algorithm>
#include <cstddef>

#include <imgsim/cpu/simd.hpp>

namespace imgsim::cpu {

/// Rows that are interleaved in one panel: a multiple of every micro-kernel's height and width.
inline constexpr std::size_t kPanelRows = 48;
/// Panels of queries, and of gallery rows, in one tile: 192 x 192 float32 products, 147 KB.
inline constexpr std::size_t kTilePanels = 4;
inline constexpr std::size_t kTileRows = kPanelRows * kTilePanels;
/// `rows` rounded down to whole tiles; one tile at the least.
[[nodiscard]] constexpr std::size_t whole_tiles(std::size_t rows) noexcept {
  return std::max<std::size_t>(rows / kTileRows, 1) * kTileRows;
}
/// Elements of a row that one pass over a tile takes: two panels of 24 KB share the L1 cache, two blocks of 96 KB and
/// the tile the L2 cache. Fewer would also shrink the error bound, and cost more passes over the tile.
inline constexpr std::size_t kDepthBlock = 128;

struct search_policy {
  simd_level level = best_simd_level();
  /// Up to this many queries every pair is computed canonically, straight from the gallery's rows: packing a gallery
  /// row costs as much as this many pairs save. Measured at D = 4096: the paths meet near 250 queries with AVX-512 (130
  /// for the Euclidean distance), and near 20 without AVX2, where float64 vectors hold two numbers.
  std::size_t unpacked_queries = level == simd_level::baseline ? 16 : 128;
  /// The same where N times this reaches M: where a good part of the gallery is wanted, ruling rows out saves nothing.
  std::size_t wanted_share = 4;
  /// Workspace of the packed path: packed rows of the gallery and of the queries, and lists of candidates.
  std::size_t packed_bytes = std::size_t{256} << 20;
  std::size_t candidate_bytes = std::size_t{256} << 20;
  /// Smallest unit of parallel work, in multiply-adds, so that small D does not drown in bookkeeping.
  std::size_t task_products = std::size_t{1} << 24;
  /// Queries whose candidates are computed canonically together: their rows should stay in the L3 cache.
  std::size_t refined_queries = 512;
};

}  // namespace imgsim::cpu
