// A look at a candidate: for which medoid is it best exchanged, and what does the sum that is to be small change by?
//
// A point takes part where it is nearer to the candidate than a limit of its own; it then adds to a sum that counts
// whichever medoid goes, and to those of the medoids that it knows. So one look at a distance serves all K exchanges.
// What is added is a struct's: exchange_terms (cost, FasterPAM, below) or silhouette_terms (silhouette_kernel.cuh).
//
// A block owns kBlockCandidates candidates, its threads share the points: neighbouring threads read neighbouring
// distances of each candidate's row. The sums of each medoid are in shared memory (position_bins.cuh); with more
// medoids than have room the rows are read again for each part of them. The block then takes the least sum, ties to the
// smaller position. All sums are integers in 64 bits (cluster/fixed_point.hpp), so the answer is the CPU's to the last
// unit. Candidates that come after one that is known to improve are not looked at.
//
// Traffic: 4 bytes of each candidate's row for each point; for each kBlockCandidates of them 4 bytes of each point's
// limit and, of those that take part, at most 8 more (40 for silhouettes). FasterPAM: 28 bytes for 4 distances at the
// most, of which the 12 of the points come from the caches. Shared memory: up to cluster_policy::bin_bytes. Roofline on
// an H100 (3.35 TB/s): all candidates of M = 4738 in 90 MB, 27 us; of M = 100 000 in 40 GB, 12 ms.
#pragma once

#include <imgsim/cluster/fixed_point.hpp>
#include <imgsim/cuda/cluster/gather_kernel.cuh>
#include <imgsim/cuda/cluster/position_bins.cuh>
#include <imgsim/cuda/cluster/row_list.cuh>
#include <imgsim/cuda/portable.cuh>
#include <imgsim/cuda/primitives/reduce.cuh>

namespace imgsim::cuda {

/// The change of cost (Schubert and Rousseeuw, 2021): a point nearer to the candidate than to its second nearest medoid
/// saves nearest - d whichever medoid goes; if its own goes, max(d, nearest) - second on top of what the removal costs.
struct exchange_terms {
  point_arrays points;
  fixed_point unit;

  struct point {
    long long nearest;
    long long second;
    unsigned label;
  };

  __device__ float limit(unsigned o) const { return points.second[o]; }
  __device__ point read(unsigned o, float limit) const {
    return {unit.quantise(points.nearest[o]), unit.quantise(limit), points.labels[o]};
  }
  /// add(position, value) for each medoid that the point knows; returns what counts for all.
  template <class Add>
  __device__ long long change(const point& p, float distance, Add&& add) const {
    const long long d = unit.quantise(distance);
    add(p.label, max(d, p.nearest) - p.second);
    return min(d, p.nearest) - p.nearest;
  }
};

/// The best position for a candidate, and the change in units.
struct exchange {
  long long change;
  unsigned position;
};

inline constexpr long long kNoChange = 0x7fffffffffffffffll;

/// Rows [first, first + count) of `size` points, `rows` beginning with the first of them. Those in `excluded` are no
/// candidates.
struct candidate_list {
  row_list rows;
  unsigned first;
  unsigned count;
  index_list excluded;
};

/// found [count]: of each candidate, but for those after *first_improving, which begins at ~0 and becomes the first
/// that lowers the sum. `removal_changes` [medoids], medoids >= 1: of the sum, when a medoid goes. A block tries
/// Candidates of them.
template <unsigned Candidates, class Terms>
IMGSIM_KERNEL void best_exchanges(candidate_list candidates, Terms terms, unsigned size,
                                  const long long* removal_changes, unsigned medoids, bin_shape bins, exchange* found,
                                  unsigned* first_improving) {
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
    rows[c] = candidates.rows.row(min(first + c, candidates.count - 1));  // beyond the end: not written
    least[c] = kNoChange;
    position_of_least[c] = 0;
  }
  const position_bins sums(bins);
  for (unsigned begin = 0; begin < medoids; begin += bins.positions) {
    sums.clear(Candidates);
    __syncthreads();
    for (unsigned o = threadIdx.x; o < size; o += blockDim.x) {
      const float limit = terms.limit(o);
      float distances[Candidates];
      bool is_nearer = false;
      for (unsigned c = 0; c < Candidates; ++c) {
        distances[c] = rows[c][o];
        is_nearer = is_nearer || distances[c] < limit;
      }
      if (!is_nearer) continue;
      const auto point = terms.read(o, limit);
      for (unsigned c = 0; c < Candidates; ++c) {
        if (!(distances[c] < limit)) continue;
        const long long change = terms.change(point, distances[c], [&](unsigned position, long long value) {
          if (position - begin < bins.positions) sums.add(c, position - begin, value);  // of this part
        });
        if (begin == 0) shared[c] += change;
      }
    }
    __syncthreads();
    for (unsigned i = threadIdx.x; i < min(bins.positions, medoids - begin); i += blockDim.x) {
      for (unsigned c = 0; c < Candidates; ++c) {
        const long long change = removal_changes[begin + i] + sums.total(c, i);
        if (change < least[c]) {  // a thread sees its positions in rising order:
                                  // ties stay with the smaller
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
    if (threadIdx.x != 0 || first + c >= candidates.count) continue;
    found[first + c] = {change + of_block, position};
    if (change + of_block < 0 && !candidates.excluded.holds(candidates.first + first + c))
      atomicMin(first_improving, first + c);
  }
}

}  // namespace imgsim::cuda
