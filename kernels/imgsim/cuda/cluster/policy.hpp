// The numbers of CUDA clustering. None of them changes an answer.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>

namespace imgsim::cuda {

/// Candidates that one block tries side by side: what it reads of the points serves all of them, and a thread has as
/// many loads of distances in flight.
inline constexpr unsigned kBlockCandidates = 4;

/// Rows of distances in memory of the backend's own begin at multiples of this many floats, a cache line.
inline constexpr std::size_t kRowAlignment = 32;

/// Sums by position in shared memory: so many positions, each in so many copies, which the lanes of a warp share out.
struct bin_shape {
  unsigned positions = 0;
  unsigned copies = 1;  // a power of two, at most 32

  /// Of shared memory, for so many sets of sums.
  [[nodiscard]] std::size_t bytes(std::size_t tables) const noexcept {
    return tables * positions * copies * sizeof(long long);
  }
};

struct cluster_policy {
  /// Of a block, whole warps, at most 512; fewer where there are fewer points.
  unsigned threads = 256;
  /// Candidates that one launch tries.
  std::size_t candidates = 1024;
  /// Workspace for distances that are computed when they are asked for.
  std::size_t tile_bytes = std::size_t{64} << 20;
  /// Shared memory of a block for sums by position. More medoids than have room take several passes.
  std::size_t bin_bytes = std::size_t{40} << 10;
  /// Where fewer bytes than these hold every position once, there are several copies.
  std::size_t copy_bytes = std::size_t{16} << 10;

  [[nodiscard]] unsigned threads_for(std::size_t size) const noexcept {
    return static_cast<unsigned>(std::min<std::size_t>(threads, (size + 31) / 32 * 32));
  }

  /// Candidates that one launch tries of `size`.
  [[nodiscard]] std::size_t candidates_in(std::size_t size) const noexcept {
    return std::clamp<std::size_t>(candidates, 1, std::max<std::size_t>(size, 1));
  }

  /// For `tables` sets of sums over `medoids` positions.
  [[nodiscard]] bin_shape bins_for(std::size_t tables, std::size_t medoids) const noexcept {
    const std::size_t bin = tables * sizeof(long long);
    const std::size_t positions = std::clamp<std::size_t>(medoids, 1, std::max<std::size_t>(bin_bytes / bin, 1));
    const std::size_t copies = std::clamp<std::size_t>(copy_bytes / bin / positions, 1, 32);
    return {static_cast<unsigned>(positions), static_cast<unsigned>(std::bit_floor(copies))};
  }
  /// For one set of sums that is made in one pass: no bins where there are too many medoids.
  [[nodiscard]] bin_shape bins_for_all(std::size_t medoids) const noexcept {
    const bin_shape bins = bins_for(1, medoids);
    return bins.positions < medoids ? bin_shape{0, 1} : bins;
  }
};

}  // namespace imgsim::cuda
