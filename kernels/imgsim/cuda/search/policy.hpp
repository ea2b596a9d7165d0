// The numbers of CUDA search. None of them changes an answer.
#pragma once

#include <cstddef>

namespace imgsim::cuda {

/// The lanes of a canonical sum are the threads of a group, and a warp is four such groups, two by two.
inline constexpr unsigned kGroupLanes = 8;

/// Pairs of rows that one group of eight threads computes: kGroupRows x kGroupColumns sums in registers, for which it
/// reads as many rows as the sum of both. 4 x 4 doubles are 32 registers of accumulators.
inline constexpr unsigned kGroupRows = 4;
inline constexpr unsigned kGroupColumns = 4;

/// Warps of a block, in rows and columns of warps.
inline constexpr unsigned kBlockWarpRows = 2;
inline constexpr unsigned kBlockWarpColumns = 4;

/// Pairs of a block: 16 x 32.
inline constexpr unsigned kKeyTileRows = kBlockWarpRows * 2 * kGroupRows;
inline constexpr unsigned kKeyTileColumns = kBlockWarpColumns * 2 * kGroupColumns;
inline constexpr unsigned kKeyThreads = kBlockWarpRows * kBlockWarpColumns * 32;

/// Threads of a block that selects; a power of two.
inline constexpr unsigned kSelectThreads = 256;
/// Candidates that a selecting block holds in shared memory, 12 bytes each. More matches than fit beside a batch of
/// new ones are found by sorting all rows.
inline constexpr unsigned kSmallSelection = 1024;
inline constexpr unsigned kLargeSelection = 4096;
inline constexpr unsigned kMostSelected = kLargeSelection - 2 * kSelectThreads;
/// Gallery rows that one selecting block looks through at the least: below that a second block does not pay.
inline constexpr std::size_t kRowsPerSelector = 16384;

struct search_policy {
  /// Workspace of keys, 8 bytes a pair.
  std::size_t key_bytes = std::size_t{64} << 20;
  std::size_t most_selected = kMostSelected;
  std::size_t rows_per_selector = kRowsPerSelector;
};

}  // namespace imgsim::cuda
