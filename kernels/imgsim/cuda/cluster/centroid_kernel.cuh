// The passes of k-means that come after the distances (search/canonical_kernel.cuh): which centroid is nearest, and the
// sums of each group.
//
// nearest_centroids: a thread owns a point and reads its K squared distances, which lie so that neighbouring threads
// read neighbouring ones. Traffic: 8 bytes a distance, 12 written a point. Roofline on an H100 (3.35 TB/s): M = 10^6
// and K = 100 in 812 MB, 0.24 ms.
//
// group_sums: a thread owns a column of one group and adds up the group's points in order of rows, in float64: the
// order is the answer's, so it is not shared out. Neighbouring threads read neighbouring elements. Traffic: the points
// once, 4 bytes an element, from the cache a byte more for the rows' numbers, 32 a warp, and 8 bytes written for each
// of K D sums. Roofline: [4738, 4096] in 78 MB, 23 us; groups of very different sizes take longer, since the largest is
// one chain of additions (4 cycles each: 10^6 points in 2.4 ms).
#pragma once

#include <string_view>

#include <imgsim/core/macros.hpp>
#include <imgsim/cuda/portable.cuh>
#include <imgsim/metric/euclidean.hpp>

namespace imgsim::cuda {

/// The squared distance as a metric for search's kernels: the sum that imgsim::euclidean ranks by.
struct squared_euclidean : euclidean {
  static constexpr std::string_view name = "squared euclidean";
  IMGSIM_HOST_DEVICE static double similarity(double key) noexcept { return key; }
  IMGSIM_HOST_DEVICE static double distance(double key) noexcept { return 0 - key; }
};

/// labels and distances [size] from keys [centroids, size] with row stride `stride`: the least distance -key, ties to
/// the smaller centroid. centroids >= 1.
template <class Key>
IMGSIM_KERNEL void nearest_centroids(const Key* keys, unsigned long long stride, unsigned centroids, unsigned size,
                                     unsigned* labels, Key* distances) {
  const unsigned o = blockIdx.x * blockDim.x + threadIdx.x;
  if (o >= size) return;
  unsigned nearest = 0;
  Key largest = keys[o];
  for (unsigned c = 1; c < centroids; ++c) {
    const Key key = keys[c * stride + o];
    if (key > largest) {
      largest = key;
      nearest = c;
    }
  }
  labels[o] = nearest;
  distances[o] = 0 - largest;
}

/// sums [K, depth]: for each group g the sum of rows[order[i]] for i in [begins[g], begins[g + 1]), in that order.
/// Grid: x columns, y groups.
template <class T>
IMGSIM_KERNEL void group_sums(const T* rows, unsigned long long stride, const unsigned* order, const unsigned* begins,
                              unsigned groups, unsigned depth, double* sums) {
  const unsigned column = blockIdx.x * blockDim.x + threadIdx.x;
  if (column >= depth) return;
  for (unsigned group = blockIdx.y; group < groups; group += gridDim.y) {
    double sum = 0;
    const unsigned end = begins[group + 1];
    for (unsigned i = begins[group]; i < end; ++i) {
      const unsigned row = order[i];
      sum += static_cast<double>(rows[row * stride + column]);
    }
    sums[static_cast<unsigned long long>(group) * depth + column] = sum;
  }
}

}  // namespace imgsim::cuda
