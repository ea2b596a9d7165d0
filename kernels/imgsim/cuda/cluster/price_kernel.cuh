// What points would save: sums of limit - distance over the points where that is positive, and counts of those points.
//
// sums_below: a block owns kBlockCandidates rows, its threads share the points, as in swap_kernel.cuh. Traffic: 4 bytes
// a distance, and for kBlockCandidates rows 4 bytes a point of limits, from the caches. Roofline on an H100 (3.35
// TB/s): all rows of M = 4738 in 90 MB, 27 us.
//
// counts_below: a thread owns a point. Traffic: 4 bytes a distance, 8 a point. K = 100 rows of M = 10^6: 408 MB, 122
// us.
#pragma once

#include <imgsim/cluster/fixed_point.hpp>
#include <imgsim/cuda/cluster/row_list.cuh>
#include <imgsim/cuda/portable.cuh>
#include <imgsim/cuda/primitives/reduce.cuh>

namespace imgsim::cuda {

/// sums [count]: of each row, the sum over its `size` distances of limits[o] - distance where that is positive, in
/// units. A block sums up Rows rows.
template <unsigned Rows>
IMGSIM_KERNEL void sums_below(row_list rows, unsigned count, const float* limits, unsigned size, fixed_point unit,
                              long long* sums) {
  const unsigned first = blockIdx.x * Rows;
  const float* distances[Rows];
  for (unsigned r = 0; r < Rows; ++r) distances[r] = rows.row(min(first + r, count - 1));
  long long sum[Rows] = {};
  for (unsigned o = threadIdx.x; o < size; o += blockDim.x) {
    const float limit = limits[o];
    for (unsigned r = 0; r < Rows; ++r) {
      const float d = distances[r][o];
      if (d < limit) sum[r] += unit.quantise(limit) - unit.quantise(d);
    }
  }
  for (unsigned r = 0; r < Rows; ++r) {
    const long long total = block_reduce(sum[r], 0ll, plus());
    if (threadIdx.x == 0 && first + r < count) sums[first + r] = total;
  }
}

/// counts [size]: for each point, how many of `count` rows are below its limit.
template <class Count>
IMGSIM_KERNEL void counts_below(row_list rows, unsigned count, const float* limits, unsigned size, Count* counts) {
  const unsigned o = blockIdx.x * blockDim.x + threadIdx.x;
  if (o >= size) return;
  const float limit = limits[o];
  Count below = 0;
  for (unsigned r = 0; r < count; ++r) below += rows.row(r)[o] < limit ? 1 : 0;
  counts[o] = below;
}

}  // namespace imgsim::cuda
