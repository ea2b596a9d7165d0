// Kernels of convolutions between the plan's layout, [kernel_h, kernel_w, fine, coarse], and cuDNN's for channels last,
// [coarse, kernel_h, kernel_w, fine], which may have rows and columns of zeros in front: cuDNN pads both sides alike,
// and "same" padding that has one zero more after than before is symmetric padding with a kernel that is one wider in
// front.
//
// A thread owns one value of what it writes. Traffic: each side once; the reads of pack_filter are `coarse` apart and
// come through L2, which holds any kernel here. Roofline on an H100: launch time; [3, 3, 96, 128] is 0.9 MB.
#pragma once

#include <imgsim/cuda/portable.cuh>

namespace imgsim::cuda {

struct filter_shape {
  unsigned height;  // of the plan's kernel
  unsigned width;
  unsigned fine;
  unsigned coarse;
  unsigned extra_rows;  // zeros in front
  unsigned extra_columns;
};

/// packed [coarse, extra_rows + height, extra_columns + width, fine]; `count` values.
template <class T>
IMGSIM_KERNEL void pack_filter(unsigned count, filter_shape s, const T* plain, T* packed) {
  const unsigned index = blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= count) return;
  const unsigned columns = s.width + s.extra_columns;
  const unsigned rows = s.height + s.extra_rows;
  const unsigned fine = index % s.fine;
  const unsigned column = index / s.fine % columns;
  const unsigned row = index / s.fine / columns % rows;
  const unsigned coarse = index / s.fine / columns / rows;
  const bool is_zero = row < s.extra_rows || column < s.extra_columns;
  packed[index] =
      is_zero
          ? T{}
          : plain[(((row - s.extra_rows) * s.width + column - s.extra_columns) * s.fine + fine) * s.coarse + coarse];
}

/// plain [height, width, fine, coarse], `count` values: what pack_filter took from there.
template <class T>
IMGSIM_KERNEL void unpack_filter(unsigned count, filter_shape s, const T* packed, T* plain) {
  const unsigned index = blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= count) return;
  const unsigned coarse = index % s.coarse;
  const unsigned fine = index / s.coarse % s.fine;
  const unsigned column = index / s.coarse / s.fine % s.width + s.extra_columns;
  const unsigned row = index / s.coarse / s.fine / s.width + s.extra_rows;
  plain[index] =
      packed[((coarse * (s.height + s.extra_rows) + row) * (s.width + s.extra_columns) + column) * s.fine + fine];
}

}  // namespace imgsim::cuda
