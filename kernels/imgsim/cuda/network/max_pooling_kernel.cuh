// Max pooling (layer_spec.hpp), forward and backward.
//
// Of our own rather than cuDNN's: its padding is the same on both sides, Keras' is not; and which of several largest
// elements gets the gradient is its own affair, here it is the first in row order.
//
// A thread owns N neighbouring channels (4, or 1 where they are no multiple of it) of one pixel of what it writes.
// Backward looks, for its input pixel, into every window that holds it, finds the window's first largest element
// again, and adds the gradient where that is this pixel. Traffic: forward the input once and the output once; backward
// the input and the gradient of the output once, the gradient of the input once; the rest of a window comes from L1. No
// shared memory. Roofline on an H100: 32 photos of [128, 128, 16], 2 x 2: forward 42 MB in 13 us, backward 76 MB in 23.
#pragma once

#include <math.h>

#include <imgsim/cuda/network/upsampling_kernel.cuh>
#include <imgsim/cuda/portable.cuh>

namespace imgsim::cuda {

struct pooling_shape {
  unsigned height;
  unsigned width;
  unsigned channels;
  unsigned out_height;
  unsigned out_width;
  unsigned window_height;
  unsigned window_width;
  unsigned stride_height;
  unsigned stride_width;
  unsigned pad_top;
  unsigned pad_left;
};

/// The inputs in window `o` of one axis.
__device__ inline position_range inputs_of(unsigned o, unsigned stride, unsigned window, unsigned pad, unsigned in) {
  const unsigned begin = o * stride;
  return {begin < pad ? 0 : begin - pad, min(begin + window - pad, in)};
}

/// The windows that hold input i of one axis.
__device__ inline position_range windows_of(unsigned i, unsigned stride, unsigned window, unsigned pad, unsigned out) {
  const unsigned place = i + pad;
  return {place < window ? 0 : (place - window) / stride + 1, min(place / stride + 1, out)};
}

/// The largest of each channel and where it is first, as row * width + column. A NaN is the largest, as in PyTorch.
template <unsigned N, class T>
struct window_maximum {
  pack<T, N> value;
  unsigned place[N];
};

/// `from`: the photo's first pixel, at the thread's channels.
template <unsigned N, class T>
__device__ inline window_maximum<N, T> maximum_of_window(const pooling_shape& s, const T* from, unsigned row,
                                                         unsigned column) {
  const position_range rows = inputs_of(row, s.stride_height, s.window_height, s.pad_top, s.height);
  const position_range columns = inputs_of(column, s.stride_width, s.window_width, s.pad_left, s.width);
  window_maximum<N, T> best;
  for (unsigned k = 0; k < N; ++k) {  // what a window of nothing but -infinity has
    best.value[k] = -INFINITY;
    best.place[k] = rows.begin * s.width + columns.begin;
  }
  for (unsigned y = rows.begin; y < rows.end; ++y) {
    for (unsigned x = columns.begin; x < columns.end; ++x) {
      const pack<T, N> value = load_pack<N>(from + (y * s.width + x) * s.channels);
      for (unsigned k = 0; k < N; ++k) {
        if (value[k] > best.value[k] || value[k] != value[k]) {
          best.value[k] = value[k];
          best.place[k] = y * s.width + x;
        }
      }
    }
  }
  return best;
}

/// `count`: packs of the output.
template <unsigned N, class T>
IMGSIM_KERNEL void max_pool(unsigned count, pooling_shape s, const T* in, T* out) {
  const unsigned index = blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= count) return;
  const auto [photo, row, column, channel] = place_of_pack<N>(index, s.out_height, s.out_width, s.channels);
  const T* const from = in + photo * s.height * s.width * s.channels + channel;
  store_pack(out + index * N, maximum_of_window<N>(s, from, row, column).value);
}

/// `count`: packs of the input.
template <unsigned N, class T>
IMGSIM_KERNEL void max_pool_backward(unsigned count, pooling_shape s, const T* in, const T* diff_out, T* diff_in) {
  const unsigned index = blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= count) return;
  const auto [photo, row, column, channel] = place_of_pack<N>(index, s.height, s.width, s.channels);
  const T* const from = in + photo * s.height * s.width * s.channels + channel;
  const T* const gradients = diff_out + photo * s.out_height * s.out_width * s.channels + channel;
  const position_range rows = windows_of(row, s.stride_height, s.window_height, s.pad_top, s.out_height);
  const position_range columns = windows_of(column, s.stride_width, s.window_width, s.pad_left, s.out_width);
  pack<T, N> sum{};
  for (unsigned y = rows.begin; y < rows.end; ++y) {
    for (unsigned x = columns.begin; x < columns.end; ++x) {
      const window_maximum<N, T> best = maximum_of_window<N>(s, from, y, x);
      const pack<T, N> gradient = load_pack<N>(gradients + (y * s.out_width + x) * s.channels);
      for (unsigned k = 0; k < N; ++k) {
        if (best.place[k] == row * s.width + column) sum[k] += gradient[k];
      }
    }
  }
  store_pack(diff_in + index * N, sum);
}

}  // namespace imgsim::cuda
