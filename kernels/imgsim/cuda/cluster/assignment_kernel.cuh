// What each point knows of the medoids: the nearest and the second nearest, and the sums over all points.
//
// A thread owns a point. A new medoid is compared with the two that the point knows; only a point that loses one of the
// two reads the distances to all K medoids. Neighbouring threads read neighbouring distances of one medoid's row.
// Nearest and second nearest are the first two in order of (distance, position), so the answer is that of looking at
// all medoids, whatever came before.
//
// The sums, the cost and what the cost rises by when a medoid goes, are made anew at each change: a block adds in
// shared memory (position_bins.cuh) and then once to global memory. They are integers (cluster/fixed_point.hpp), hence
// the same in every order.
//
// Traffic: all medoids: 4 K bytes read and 16 written a point, and, from the cache, K bytes of row addresses, 32 a
// warp. A change: 4 bytes of the new row and 16 of the state read and 16 written, and 5 K for each point that lost one.
// And 8 K bytes of atomics a block. Roofline on an H100 (3.35 TB/s), M = 4738 and K = 19: all medoids 0.44 MB, 0.13 us;
// M = 10^6 and K = 100: 416 MB, 124 us.
#pragma once

#include <imgsim/cluster/fixed_point.hpp>
#include <imgsim/cuda/cluster/position_bins.cuh>
#include <imgsim/cuda/cluster/row_list.cuh>
#include <imgsim/cuda/portable.cuh>
#include <imgsim/cuda/primitives/reduce.cuh>

namespace imgsim::cuda {

/// The two nearest medoids of a point.
struct nearest_two {
  float nearest;
  float second;
  unsigned label;
  unsigned second_label;

  __device__ static bool precedes(float d, unsigned position, float other, unsigned other_position) {
    return d < other || (d == other && position < other_position);
  }
  /// Of a point that knows of no medoid; no distance exceeds `largest`.
  __device__ static nearest_two none(float largest) { return {largest, largest, kNoMedoid, kNoMedoid}; }

  /// A medoid that the point does not know comes at distance `d`.
  __device__ void insert(float d, unsigned position) {
    if (!precedes(d, position, second, second_label)) return;
    if (precedes(d, position, nearest, label)) {
      second = nearest;
      second_label = label;
      nearest = d;
      label = position;
    } else {
      second = d;
      second_label = position;
    }
  }
};

enum class medoid_change { all, placed, removed };

/// The medoids as they are now, by position, and which position has changed.
struct medoid_rows {
  row_list rows;
  unsigned count;
  unsigned changed;
};

/// rows[position] = row, by one thread.
template <class Row>
IMGSIM_KERNEL void set_row(Row* rows, unsigned position, Row row) {
  rows[position] = row;
}

/// sums [1 + K], zeros at the start: the cost, then the removal losses, in units. `bins` without positions: there are
/// too many medoids for shared memory.
template <medoid_change Change>
IMGSIM_KERNEL void assign_points(medoid_rows medoids, float largest, fixed_point unit, point_arrays points,
                                 unsigned size, bin_shape bins, unsigned long long* sums) {
  const position_bins losses(bins);
  losses.clear(1);
  __syncthreads();
  const unsigned o = blockIdx.x * blockDim.x + threadIdx.x;
  long long cost = 0;
  if (o < size) {
    nearest_two two = nearest_two::none(largest);
    bool reads_all = true;
    if constexpr (Change != medoid_change::all) {
      two = {points.nearest[o], points.second[o], points.labels[o], points.second_labels[o]};
      reads_all = two.label == medoids.changed || two.second_label == medoids.changed;
      if (reads_all) {
        two = nearest_two::none(largest);
      } else if constexpr (Change == medoid_change::placed) {
        two.insert(medoids.rows.row(medoids.changed)[o], medoids.changed);
      } else {
        if (two.label != kNoMedoid && two.label > medoids.changed) --two.label;
        if (two.second_label != kNoMedoid && two.second_label > medoids.changed) --two.second_label;
      }
    }
    if (reads_all)
      for (unsigned position = 0; position < medoids.count; ++position)
        two.insert(medoids.rows.row(position)[o], position);
    points.nearest[o] = two.nearest;
    points.second[o] = two.second;
    points.labels[o] = two.label;
    points.second_labels[o] = two.second_label;

    cost = unit.quantise(two.nearest);
    if (two.label != kNoMedoid) losses.add_or(sums + 1, two.label, unit.quantise(two.second) - cost);
  }
  cost = block_reduce(cost, 0ll, plus());
  if (threadIdx.x == 0) atomicAdd(&sums[0], static_cast<unsigned long long>(cost));
  losses.flush(sums + 1, medoids.count);
}

}  // namespace imgsim::cuda
