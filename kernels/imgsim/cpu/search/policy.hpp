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
/// Words of a row that one pass over a tile takes: two panels of 24 KB share the L1 cache, two blocks of 96 KB and the
/// tile the L2 cache. Fewer would also shrink the error bound of float32, and cost more passes over the tile.
inline constexpr std::size_t kDepthBlock = 128;

/// Whether rows of one byte an element (byte_rows.hpp) make the first pass.
enum class byte_use { never, where_they_pay, always };

struct search_policy {
  simd_level level = best_simd_level();
  byte_use bytes = byte_use::where_they_pay;
  /// Products of bytes by AVX-512 VNNI: without it they are no faster than those of float32, but still read a quarter.
  bool vnni = has_vnni();
  /// Up to this many queries every pair is computed canonically, straight from the gallery's rows: packing a gallery
  /// row costs as much as this many pairs save. Measured at D = 4096: the paths meet near 250 queries with AVX-512 (130
  /// for the Euclidean distance), and near 20 without AVX2, where float64 vectors hold two numbers.
  std::size_t unpacked_queries = level == simd_level::baseline ? 16 : 128;
  /// The same where N times this reaches M: where a good part of the gallery is wanted, ruling rows out saves nothing.
  std::size_t wanted_share = 4;
  /// Searches of at most this many queries refine one query's candidates on all threads, and let its list grow as long
  /// as the gallery: one pass over the gallery is nearly all they cost.
  std::size_t few_queries = 16;
  /// Bytes pay where they leave no more than N + M / this rows of a query undecided: computing a pair canonically costs
  /// about 30 times what its product of bytes does...
  std::size_t undecided_share = 40;
  /// ...and are kept of a prepared gallery where they leave no more than 10 + M / this of 10 matches.
  std::size_t kept_share = 4;
  /// Workspace of the packed path: packed rows of the gallery and of the queries, and lists of candidates.
  std::size_t packed_bytes = std::size_t{256} << 20;
  std::size_t byte_row_bytes = std::size_t{1} << 30;
  std::size_t candidate_bytes = std::size_t{1} << 30;
  /// Smallest unit of parallel work, in multiply-adds, so that small D does not drown in bookkeeping.
  std::size_t task_products = std::size_t{1} << 24;
  /// Queries whose candidates are computed canonically together: their rows should stay in the L3 cache.
  std::size_t refined_queries = 512;

  [[nodiscard]] bool uses_vnni() const noexcept { return vnni && level == simd_level::avx512; }
};

}  // namespace imgsim::cpu
