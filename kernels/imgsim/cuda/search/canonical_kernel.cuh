// Canonical sums, norms and keys of rows (metric/metric.hpp) in float64, to the last bit those of the CPU.
//
// A group of eight threads owns a pair of rows, thread l the lane l of its sum: elements l, l + 8, ... in order. The
// lanes are then added by three exchanges, 4, 2 and 1 apart: ((0+4)+(2+6)) + ((1+5)+(3+7)), in every thread alike.
//
// keys: a group owns 4 x 4 pairs, a warp 8 x 8, a block of eight warps 16 x 32. For each element of its 4 + 4 rows a
// thread does 16 multiply-adds. Rows are read through L1: within a step the warps of a block ask for the same 48 rows,
// 32 bytes (float) of each. No shared memory. Traffic: of L1 a warp asks for 16 rows, for its 64 pairs; of L2 a block
// for each row of the left side once for every 32 on the right and the other way about; 8 bytes written for each pair.
// Roofline on an H100 (17e12 float64 multiply-adds/s): 4738^2 / 2 * 4096 pairs of elements in 2.7 ms; conversion to
// float64 (a quarter of that rate) makes it about twice as long.
//
// squared_norms: a group owns a row. Traffic: the rows, once: [4738, 4096] float in 23 us at 3.35 TB/s.
#pragma once

#include <imgsim/core/element.hpp>
#include <imgsim/cuda/portable.cuh>
#include <imgsim/cuda/search/policy.hpp>
#include <imgsim/metric/metric.hpp>

namespace imgsim::cuda {

/// The sum of the lanes that the eight threads of a group hold, in each of them.
__device__ inline double add_lanes(double lane) {
  lane += __shfl_xor_sync(kFullWarp, lane, 4);
  lane += __shfl_xor_sync(kFullWarp, lane, 2);
  return lane + __shfl_xor_sync(kFullWarp, lane, 1);
}

/// norms [count] = |x|^2 of each row [count, depth] with row stride `stride`, in elements.
template <class T>
IMGSIM_KERNEL void squared_norms(const T* rows, unsigned long long stride, unsigned count, unsigned depth,
                                 double* norms) {
  const unsigned row = (blockIdx.x * blockDim.x + threadIdx.x) / kGroupLanes;
  double sum = 0;
  if (row < count) {
    const T* values = rows + row * stride;
    for (unsigned i = threadIdx.x % kGroupLanes; i < depth; i += kGroupLanes) {
      const double value = to_double(values[i]);
      sum += value * value;  // exact, hence fused or not the same
    }
  }
  sum = add_lanes(sum);
  if (row < count && threadIdx.x % kGroupLanes == 0) norms[row] = sum;
}

/// One side of a table of pairs: rows [count, depth] with their squared norms [count].
template <class T>
struct pair_side {
  const T* rows;
  unsigned long long stride;
  const double* squared_norms;
  unsigned count;
};

/// Calls write(row, column, key) for every pair, from one thread each. Grid: x tiles of columns, y tiles of rows.
template <class Metric, class T, class Write>
__device__ void for_each_key(const pair_side<T>& left, const pair_side<T>& right, unsigned depth, Write write) {
  const unsigned warp = warp_index();
  const unsigned group = lane_index() / kGroupLanes;
  const unsigned lane = lane_index() % kGroupLanes;
  const unsigned row0 = blockIdx.y * kKeyTileRows + (warp / kBlockWarpColumns * 2 + group / 2) * kGroupRows;
  const unsigned column0 = blockIdx.x * kKeyTileColumns + (warp % kBlockWarpColumns * 2 + group % 2) * kGroupColumns;

  // A row beyond the end repeats the last one; its keys are not written.
  const T* a[kGroupRows];
  const T* b[kGroupColumns];
  for (unsigned r = 0; r < kGroupRows; ++r) a[r] = left.rows + min(row0 + r, left.count - 1) * left.stride;
  for (unsigned c = 0; c < kGroupColumns; ++c) b[c] = right.rows + min(column0 + c, right.count - 1) * right.stride;

  double sums[kGroupRows][kGroupColumns] = {};
  for (unsigned i = lane; i < depth; i += kGroupLanes) {
    double x[kGroupRows];
    for (unsigned r = 0; r < kGroupRows; ++r) x[r] = to_double(a[r][i]);
    for (unsigned c = 0; c < kGroupColumns; ++c) {
      const double y = to_double(b[c][i]);
      for (unsigned r = 0; r < kGroupRows; ++r) Metric::accumulate(sums[r][c], x[r], y);
    }
  }
  for (unsigned r = 0; r < kGroupRows; ++r) {
    for (unsigned c = 0; c < kGroupColumns; ++c) {
      const double sum = add_lanes(sums[r][c]);
      // The threads of the group take turns at finishing a pair.
      if ((r * kGroupColumns + c) % kGroupLanes != lane) continue;
      const unsigned row = row0 + r;
      const unsigned column = column0 + c;
      if (row < left.count && column < right.count)
        write(row, column, canonical_key<Metric>(sum, left.squared_norms[row], right.squared_norms[column]));
    }
  }
}

/// keys [left, right] with row stride `key_stride`.
template <class Metric, class T>
IMGSIM_KERNEL void canonical_keys(pair_side<T> left, pair_side<T> right, unsigned depth, double* keys,
                                  unsigned long long key_stride) {
  for_each_key<Metric>(left, right, depth,
                       [&](unsigned row, unsigned column, double key) { keys[row * key_stride + column] = key; });
}

enum class pair_value { similarity, distance };

/// out [left, right] = the similarity or distance of each pair, rounded to float32.
template <class Metric, pair_value Value, class T>
IMGSIM_KERNEL void canonical_values(pair_side<T> left, pair_side<T> right, unsigned depth, float* out,
                                    unsigned long long stride) {
  for_each_key<Metric>(left, right, depth, [&](unsigned row, unsigned column, double key) {
    out[row * stride + column] =
        rounded_to_float(Value == pair_value::similarity ? Metric::similarity(key) : Metric::distance(key));
  });
}

/// matrix [size, size] gets zeros on its diagonal.
template <class T>
IMGSIM_KERNEL void zero_diagonal(T* matrix, unsigned long long stride, unsigned size) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < size) matrix[i * stride + i] = T{};
}

}  // namespace imgsim::cuda
