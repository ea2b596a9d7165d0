// What the kernels of clustering read: rows of distances, and what each point knows of the medoids.
#pragma once

#include <imgsim/cuda/portable.cuh>

namespace imgsim::cuda {

/// Rows of distances on the device: one after the other, `stride` floats apart, or wherever `rows` says.
struct row_list {
  const float* base = nullptr;
  unsigned long long stride = 0;
  const float* const* rows = nullptr;

  __device__ const float* row(unsigned i) const { return rows != nullptr ? rows[i] : base + i * stride; }
};

/// The position of no medoid.
inline constexpr unsigned kNoMedoid = ~0u;

/// For each point [M]: distances to the nearest and the second nearest medoid, and their positions.
struct point_arrays {
  float* nearest = nullptr;
  float* second = nullptr;
  unsigned* labels = nullptr;
  unsigned* second_labels = nullptr;
};

}  // namespace imgsim::cuda
