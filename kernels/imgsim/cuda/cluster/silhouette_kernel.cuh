// The loss of medoid silhouettes (cluster/silhouette_medoids.hpp): the sum over the points of d1 / d2, with d1 <= d2 <=
// d3 the distances to the three nearest medoids.
//
// assign_silhouettes: a thread owns a point and reads its distances to all K medoids, neighbouring threads those that
// lie side by side in one medoid's row. Traffic: 4 K bytes read a point, and K of row addresses from the cache, 44
// written, and 8 K bytes of atomics a block. Roofline on an H100 (3.35 TB/s): M = 10^6 and K = 20 in 124 MB, 37 us.
//
// silhouette_terms: what best_exchanges (swap_kernel.cuh) adds for a point. A candidate at distance c < d3 leaves the
// two smallest of (d1, d2, c) where another medoid goes, of (d2, d3, c) where its nearest goes, of (d1, d3, c) where
// its second goes. Each ratio is a division in float64.
#pragma once

#include <imgsim/cluster/silhouette_loss.hpp>
#include <imgsim/cuda/cluster/assignment_kernel.cuh>
#include <imgsim/cuda/cluster/position_bins.cuh>
#include <imgsim/cuda/cluster/row_list.cuh>
#include <imgsim/cuda/portable.cuh>
#include <imgsim/cuda/primitives/reduce.cuh>

namespace imgsim::cuda {

/// For each point [M]: the distances to its three nearest medoids (the third infinite where there are two), the
/// positions of two, and the losses: now, without the nearest, without the second.
struct silhouette_arrays {
  float* nearest;
  float* second;
  float* third;
  unsigned* labels;
  unsigned* second_labels;
  long long* losses;
  long long* without_nearest;
  long long* without_second;
};

/// sums [1 + K], zeros at the start: the loss, and what it changes by when a medoid goes. *lowest, at first 0, becomes
/// negative where a distance to a nearest medoid is. K >= 2; `medoids.changed` is not read.
template <class Lowest>
IMGSIM_KERNEL void assign_silhouettes(medoid_rows medoids, silhouette_arrays points, unsigned size, bin_shape bins,
                                      unsigned long long* sums, Lowest* lowest) {
  const position_bins changes(bins);
  changes.clear(1);
  __syncthreads();
  const unsigned o = blockIdx.x * blockDim.x + threadIdx.x;
  long long loss = 0;
  if (o < size) {
    const float infinity = __uint_as_float(0x7f800000u);
    float nearest = infinity, second = infinity, third = infinity;
    unsigned label = 0, second_label = 0;
    for (unsigned position = 0; position < medoids.count; ++position) {
      const float d = medoids.rows.row(position)[o];
      if (d < nearest) {
        third = second;
        second = nearest;
        second_label = label;
        nearest = d;
        label = position;
      } else if (d < second) {
        third = second;
        second = d;
        second_label = position;
      } else if (d < third) {
        third = d;
      }
    }
    if (nearest < 0) {
      atomicMin(lowest, -1);  // no loss is defined
    } else {
      loss = silhouette_loss(nearest, second);
      const long long without_nearest = silhouette_loss(second, third);
      const long long without_second = silhouette_loss(nearest, third);
      points.nearest[o] = nearest;
      points.second[o] = second;
      points.third[o] = third;
      points.labels[o] = label;
      points.second_labels[o] = second_label;
      points.losses[o] = loss;
      points.without_nearest[o] = without_nearest;
      points.without_second[o] = without_second;
      changes.add_or(sums + 1, label, without_nearest - loss);
      changes.add_or(sums + 1, second_label, without_second - loss);
    }
  }
  loss = block_reduce(loss, 0ll, plus());
  if (threadIdx.x == 0) atomicAdd(&sums[0], static_cast<unsigned long long>(loss));
  changes.flush(sums + 1, medoids.count);
}

struct silhouette_terms {
  silhouette_arrays points;

  struct point {
    float nearest, second, third;
    unsigned label, second_label;
    long long loss, without_nearest, without_second;
  };

  __device__ float limit(unsigned o) const { return points.third[o]; }
  __device__ point read(unsigned o, float limit) const {
    return {points.nearest[o],         points.second[o],        limit,
            points.labels[o],          points.second_labels[o], points.losses[o],
            points.without_nearest[o], points.without_second[o]};
  }
  /// add(position, value) for each medoid that the point knows; returns what counts for all.
  template <class Add>
  __device__ long long change(const point& p, float distance, Add&& add) const {
    const long long all = distance < p.second ? silhouette_loss(p.nearest, p.second, distance) - p.loss : 0;
    add(p.label, silhouette_loss(p.second, p.third, distance) - p.without_nearest - all);
    add(p.second_label, silhouette_loss(p.nearest, p.third, distance) - p.without_second - all);
    return all;
  }
};

}  // namespace imgsim::cuda
