// Generalised means over the cells of a grid (layer_spec.hpp, generalised_mean_pooling), forward and backward.
//
// Forward, a block owns one cell of one photo and 256 channels or all there are; a thread one channel, and of the
// cell's pixels every (256 / channels)-th. Powers are float32, their sums float64, added over the block's threads in
// order through 2 KiB of shared memory. Backward, a thread owns one value of the input and adds what the cells that
// hold it (at most two a side) send back. Traffic: forward the input once; backward the input once and its gradient
// once, twice where it is added to. Roofline on an H100: 32 photos of [32, 32, 64]: forward 8 MB in 3 us, backward 17
// MB in 5 us.
#pragma once

#include <imgsim/cuda/network/policy.hpp>
#include <imgsim/cuda/network/upsampling_kernel.cuh>
#include <imgsim/cuda/portable.cuh>

namespace imgsim::cuda {

struct mean_shape {
  unsigned height;
  unsigned width;
  unsigned channels;
  unsigned grid;
  float exponent;
  float floor;  // smaller values count as this
};

/// Rows of cell i of `grid` over n rows.
__device__ inline position_range rows_of_cell(unsigned i, unsigned grid, unsigned n) {
  return {i * n / grid, ((i + 1) * n + grid - 1) / grid};
}

/// Cells that hold row y, one or two.
__device__ inline position_range cells_of_row(unsigned y, unsigned grid, unsigned n) {
  return {y * grid / n, ((y + 1) * grid - 1) / n + 1};
}

__device__ inline float power_of(float x, const mean_shape& s) {
  const float value = x < s.floor ? s.floor : x;
  if (s.exponent == 1.0f) return value;
  return s.exponent == 3.0f ? value * value * value : powf(value, s.exponent);
}

/// Photo b's means go to out + b * out_stride, [grid, grid, channels]; a grid of cells x photos x tiles of channels.
template <class T>
IMGSIM_KERNEL void generalised_means(mean_shape s, const T* in, T* out, unsigned long long out_stride) {
  IMGSIM_SHARED(double, sums, [kNetworkThreads]);
  const unsigned tile = blockIdx.z * kChannelTile;
  const unsigned width = min(s.channels - tile, kChannelTile);
  const unsigned stride = kNetworkThreads / width;
  const unsigned channel = tile + threadIdx.x % width;
  const position_range rows = rows_of_cell(blockIdx.x / s.grid, s.grid, s.height);
  const position_range columns = rows_of_cell(blockIdx.x % s.grid, s.grid, s.width);
  const unsigned cell_width = columns.end - columns.begin;
  const unsigned pixels = (rows.end - rows.begin) * cell_width;
  const T* const photo = in + static_cast<unsigned long long>(blockIdx.y) * s.height * s.width * s.channels;

  double sum = 0;
  if (threadIdx.x / width < stride) {
    for (unsigned p = threadIdx.x / width; p < pixels; p += stride) {
      const unsigned pixel = (rows.begin + p / cell_width) * s.width + columns.begin + p % cell_width;
      sum += static_cast<double>(power_of(photo[pixel * s.channels + channel], s));
    }
  }
  sums[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x >= width) return;
  for (unsigned r = 1; r < stride; ++r) sum += sums[r * width + threadIdx.x];
  const double mean = sum / static_cast<double>(pixels);
  out[blockIdx.y * out_stride + static_cast<unsigned long long>(blockIdx.x) * s.channels + channel] =
      static_cast<T>(s.exponent == 1.0f ? mean : pow(mean, 1.0 / static_cast<double>(s.exponent)));
}

/// diff_in [photos, height, width, channels]; `out` is what the forward pass made, photo b's at b * out_stride as are
/// its gradients: with m the mean of powers, the derivative of m^(1/p) by x is m^(1/p - 1) x^(p - 1) / count, and
/// m^(1/p - 1) = out^(1 - p). `adds`: to what diff_in holds.
template <class T>
IMGSIM_KERNEL void generalised_means_backward(unsigned count, mean_shape s, const T* in, const T* out,
                                              const T* diff_out, unsigned out_stride, bool adds, T* diff_in) {
  const unsigned index = blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= count) return;
  const auto [photo, row, column, channel] = place_of_pack<1>(index, s.height, s.width, s.channels);
  const position_range down = cells_of_row(row, s.grid, s.height);
  const position_range across = cells_of_row(column, s.grid, s.width);
  const float x = in[index];
  const float less = s.exponent - 1.0f;
  float sum = 0;
  if (x > s.floor) {
    for (unsigned i = down.begin; i < down.end; ++i) {
      for (unsigned j = across.begin; j < across.end; ++j) {
        const position_range rows = rows_of_cell(i, s.grid, s.height);
        const position_range columns = rows_of_cell(j, s.grid, s.width);
        const auto pixels = static_cast<float>((rows.end - rows.begin) * (columns.end - columns.begin));
        const unsigned cell = photo * out_stride + (i * s.grid + j) * s.channels + channel;
        sum += diff_out[cell] / pixels * (s.exponent == 1.0f ? 1.0f : powf(x / out[cell], less));
      }
    }
  }
  diff_in[index] = adds ? diff_in[index] + sum : sum;
}

}  // namespace imgsim::cuda
