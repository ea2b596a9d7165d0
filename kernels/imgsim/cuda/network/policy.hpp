// The numbers of the CUDA network.
#pragma once

#include <cstddef>

namespace imgsim::cuda {

/// Threads of a block, in every kernel of the network.
inline constexpr unsigned kNetworkThreads = 256;
/// Values that a thread of an element-wise kernel owns: 16 bytes of float32, one access.
inline constexpr unsigned kValuesPerThread = 4;

/// Channels that a block sums; a block of fewer channels has several pixels side by side.
inline constexpr unsigned kChannelTile = kNetworkThreads;
/// Pixels that one thread adds up at the least, before a second block pays for the same channels.
inline constexpr std::size_t kPixelsPerSummer = 32;
/// Blocks that share the pixels of one tile of channels at the most: what fills any GPU of today.
inline constexpr std::size_t kMostChannelSplits = 1024;
/// Terms that a thread adds in float32 before it adds their sum in float64.
inline constexpr unsigned kFloatRun = 16;

/// Blocks of a sum over all values (loss, penalty), and the packs of four that a thread takes at the least.
inline constexpr std::size_t kMostSumBlocks = 1024;
inline constexpr std::size_t kPacksPerSummer = 8;

struct network_policy {
  /// Of convolutions and products: no algorithm that needs more is chosen.
  std::size_t workspace_bytes = std::size_t{256} << 20;
  /// Photos of every pass of inference; fewer are filled up with black ones. With one shape there is one algorithm, so
  /// that what is made of a photo does not depend on the photos beside it.
  std::size_t inference_batch = 32;
  /// Only algorithms whose sums have one order: equal bytes from run to run.
  bool deterministic = true;
  /// Products on tensor cores, from operands rounded to TF32 (10 bits of mantissa).
  bool allow_tf32 = false;
};

}  // namespace imgsim::cuda
