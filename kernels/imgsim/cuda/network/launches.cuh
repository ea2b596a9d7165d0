// Launches of the network's kernels: their grids, and the memory of sums over blocks. All are queued.
#pragma once

#include <algorithm>
#include <cstddef>

#include <imgsim/cuda/launch.cuh>
#include <imgsim/cuda/network/channel_sums_kernel.cuh>
#include <imgsim/cuda/network/loss_kernel.cuh>
#include <imgsim/cuda/network/policy.hpp>
#include <imgsim/cuda/network/session.hpp>
#include <imgsim/cuda/network/values_kernel.cuh>

namespace imgsim::cuda {

/// body.at<N>(i) for all of `count` values.
template <class Body>
void queue_values(const network_session& session, std::size_t count, const Body& body) {
  if (count == 0) return;
  const std::size_t packs = (count + kValuesPerThread - 1) / kValuesPerThread;
  launch(cover(packs, kNetworkThreads), session.context.stream(), for_each_value<Body>,
         checked_count(count, "values in a layer"), body);
}

/// finish(channel, sums of term over all pixels); `pixels` >= 1.
template <class Term, class Finish>
void queue_channel_sums(network_session& session, std::size_t pixels, std::size_t channels, const Term& term,
                        const Finish& finish) {
  (void)checked_count(pixels * channels, "values in a layer");
  const std::size_t tiles = (channels + kChannelTile - 1) / kChannelTile;
  const std::size_t rows = kNetworkThreads / std::min<std::size_t>(channels, kChannelTile);
  const std::size_t splits = std::clamp<std::size_t>(pixels / (rows * kPixelsPerSummer), 1,
                                                     std::max<std::size_t>(kMostChannelSplits / tiles, 1));
  double* const partial = splits == 1 ? nullptr : session.partial_sums.at_least(session.context, 2 * channels * splits);
  const auto columns = static_cast<unsigned>(channels);
  launch({dim3(static_cast<unsigned>(tiles), static_cast<unsigned>(splits)), dim3(kNetworkThreads)},
         session.context.stream(), channel_sums<Term, Finish>, static_cast<unsigned>(pixels), columns, term, finish,
         partial);
  if (splits == 1) return;
  launch(cover(channels * kWarpSize, kNetworkThreads), session.context.stream(), finish_channels<Finish>, columns,
         static_cast<unsigned>(splits), partial, finish);
}

/// Blocks of a sum over `count` values.
[[nodiscard]] inline unsigned sum_blocks(std::size_t count) {
  const std::size_t values = kNetworkThreads * kValuesPerThread * kPacksPerSummer;
  return static_cast<unsigned>(std::clamp<std::size_t>((count + values - 1) / values, 1, kMostSumBlocks));
}

/// *total = factor * (the sum that `sum(blocks, partial)` queues over `count` values).
template <class Sum>
void queue_sum(network_session& session, std::size_t count, double factor, double* total, Sum&& sum) {
  const unsigned blocks = sum_blocks(count);
  double* const partial = session.partial_sums.at_least(session.context, blocks);
  sum(blocks, partial);
  launch({dim3(1), dim3(kNetworkThreads)}, session.context.stream(), sum_partials<double>, blocks, partial, factor,
         total);
}

/// A launch with a thread for each pack of N channels, N = 4 or 1: call(N as a constant, number of packs).
template <class Call>
void with_channel_packs(std::size_t values, std::size_t channels, Call&& call) {
  (void)checked_count(values, "values in a layer");
  if (channels % 4 == 0) {
    call(std::integral_constant<unsigned, 4>{}, static_cast<unsigned>(values / 4));
  } else {
    call(std::integral_constant<unsigned, 1>{}, static_cast<unsigned>(values));
  }
}

}  // namespace imgsim::cuda
