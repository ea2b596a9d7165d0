// FasterPAM's look at a candidate (cluster/k_medoids.hpp): for which medoid is it best exchanged, and what does the
// cost change by?
//
// A point nearer to the candidate than to its second nearest medoid saves nearest - d whichever medoid goes; if its own
// goes, max(d, nearest) - second on top of what the removal costs. So one look at a distance serves all K exchanges:
// one sum is shared, one is of the point's own medoid.
//
// A block owns kBlockCandidates candidates, its threads share the points: neighbouring threads read neighbouring
// distances of each candidate's row. The sums of each medoid are in shared memory (position_bins.cuh); with more
// medoids than have room the rows are read again for each part of them. The block then takes the least sum, ties to the
// smaller position. All sums are integers in 64 bits (cluster/fixed_point.hpp), so the answer is the CPU's to the last
// unit. Candidates that come after one that is known to improve are not looked at.
//
// Traffic: 4 bytes of each candidate's row for each point; for each kBlockCandidates of them 4 bytes of each point's
// second distance and at most 8 more of those that are nearer to a candidate: 28 bytes for 4 distances at the most, of
// which the 12 of the points come from the caches. Shared memory: up to cluster_policy::bin_bytes. Roofline on an H100
// (3.35 TB/s): all candidates of M = 4738 in 90 MB, 27 us; of M = 100 000 in 40 GB, 12 ms.
#pragma once

#include <imgsim/cluster/fixed_point.hpp>
#include <imgsim/cuda/cluster/position_bins.cuh>
#include <imgsim/cuda/cluster/row_list.cuh>
#include <imgsim/cuda/portable.cuh>
#include <imgsim/cuda/primitives/reduce.cuh>

namespace imgsim::cuda {

/// The best position for a candidate, and the change of cost in units.
struct exchange {
  long long change;
  unsigned position;
};

inline constexpr long long kNoChange = 0x7fffffffffffffffll;

/// found [count]: of each candidate, but for those after *first_improving, which begins at ~0 and becomes the first
/// that lowers the cost. A candidate that is a medoid changes nothing. `removal_losses` [medoids], medoids >= 1. A
/// block tries Candidates of them.
template <unsigned Candidates>
IMGSIM_KERNEL void best_exchanges(row_list candidates, unsigned count, point_arrays points, unsigned size,
                                  fixed_point unit, const long long* removal_losses, unsigned medoids, bin_shape bins,
                                  exchange* found, unsigned* first_improving) {
  const unsigned first = blockIdx.x * Candidates;
  IMGSIM_SHARED(unsigned, known);
  if (threadIdx.x == 0) known = atomicMin(first_improving, ~0u);
  __syncthreads();
  if (known < first) return;

  const float* rows[Candidates];
  long long shared[Candidates] = {};
  long long least[Candidates];
  unsigned position_of_least[Candidates];
  for (unsigned c = 0; c < Candidates; ++c) {
    rows[c] = candidates.row(min(first + c, count - 1));  // beyond the end the last one again: not written
    least[c] = kNoChange;
    position_of_least[c] = 0;
  }
  const position_bins losses(bins);
  for (unsigned begin = 0; begin < medoids; begin += bins.positions) {
    losses.clear(Candidates);
    __syncthreads();
    for (unsigned o = threadIdx.x; o < size; o += blockDim.x) {
      const float limit = points.second[o];
      float distances[Candidates];
      bool is_nearer = false;
      for (unsigned c = 0; c < Candidates; ++c) {
        distances[c] = rows[c][o];
        is_nearer = is_nearer || distances[c] < limit;
      }
      if (!is_nearer) continue;
      const long long nearest = unit.quantise(points.nearest[o]);
      const long long second = unit.quantise(limit);
      const unsigned position = points.labels[o] - begin;  // in this part, where below its number of positions
      for (unsigned c = 0; c < Candidates; ++c) {
        if (!(distances[c] < limit)) continue;
        const long long d = unit.quantise(distances[c]);
        if (begin == 0 && d < nearest) shared[c] += d - nearest;
        if (position < bins.positions) losses.add(c, position, max(d, nearest) - second);
      }
    }
    __syncthreads();
    for (unsigned i = threadIdx.x; i < min(bins.positions, medoids - begin); i += blockDim.x) {
      for (unsigned c = 0; c < Candidates; ++c) {
        const long long change = removal_losses[begin + i] + losses.total(c, i);
        if (change < least[c]) {  // a thread sees its positions in rising order: ties stay with the smaller
          least[c] = change;
          position_of_least[c] = begin + i;
        }
      }
    }
    __syncthreads();
  }
  for (unsigned c = 0; c < Candidates; ++c) {
    const long long change = block_reduce(shared[c], 0ll, plus());
    const long long of_block = block_reduce(least[c], kNoChange, minimum());
    const unsigned position = block_reduce(least[c] == of_block ? position_of_least[c] : ~0u, ~0u, minimum());
    if (threadIdx.x != 0 || first + c >= count) continue;
    found[first + c] = {change + of_block, position};
    if (change + of_block < 0) atomicMin(first_improving, first + c);
  }
}

}  // namespace imgsim::cuda
