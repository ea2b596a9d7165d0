// Sums over all pixels of a batch, one for each channel: gradients of biases, the statistics of batch norm.
//
// What is summed is a term, a struct that makes two values of a pixel and a channel; what is done with the two sums of
// a channel is a finish. A block owns 256 channels or all there are, and a share of the pixels; a thread owns one
// channel, and of the block's pixels every (256 / channels)-th. A thread adds 16 terms in float32, those sums in
// float64; the block adds its threads in order, through 4 KiB of shared memory. Where one block has all pixels of its
// channels it finishes them itself; otherwise its sums go to memory, and finish_channels adds those of all blocks, a
// warp to a channel. The order of every sum depends on the shape alone.
//
// Traffic: the operands of the term once, neighbouring channels by neighbouring threads; 16 bytes a channel and block.
// Roofline on an H100: 32 photos of [64, 64, 64] float32, one operand: 34 MB in 10 us.
#pragma once

#include <imgsim/cuda/network/policy.hpp>
#include <imgsim/cuda/portable.cuh>

namespace imgsim::cuda {

struct two_terms {
  float first;
  float second;
};

/// partial [2, channels, splits]; the grid is tiles of channels x splits of the pixels.
template <class Term, class Finish>
IMGSIM_KERNEL void channel_sums(unsigned pixels, unsigned channels, Term term, Finish finish, double* partial) {
  IMGSIM_SHARED(double, sums, [2][kNetworkThreads]);
  const unsigned tile = blockIdx.x * kChannelTile;
  const unsigned width = min(channels - tile, kChannelTile);
  const unsigned rows = kNetworkThreads / width;
  const unsigned row = threadIdx.x / width;
  const unsigned channel = tile + threadIdx.x % width;

  double first = 0;
  double second = 0;
  if (row < rows) {
    const unsigned long long step = static_cast<unsigned long long>(gridDim.y) * rows;
    for (unsigned long long pixel = static_cast<unsigned long long>(blockIdx.y) * rows + row; pixel < pixels;) {
      float run_first = 0;
      float run_second = 0;
      for (unsigned k = 0; k < kFloatRun && pixel < pixels; ++k, pixel += step) {
        const two_terms terms = term(static_cast<unsigned>(pixel), channel);
        run_first += terms.first;
        run_second += terms.second;
      }
      first += static_cast<double>(run_first);
      second += static_cast<double>(run_second);
    }
  }
  sums[0][threadIdx.x] = first;
  sums[1][threadIdx.x] = second;
  __syncthreads();
  if (threadIdx.x >= width) return;
  for (unsigned r = 1; r < rows; ++r) {
    first += sums[0][r * width + threadIdx.x];
    second += sums[1][r * width + threadIdx.x];
  }
  if (gridDim.y == 1) {
    finish(channel, first, second);
  } else {
    partial[static_cast<unsigned long long>(channel) * gridDim.y + blockIdx.y] = first;
    partial[static_cast<unsigned long long>(channels + channel) * gridDim.y + blockIdx.y] = second;
  }
}

/// The sums over `splits` of partial [2, channels, splits], finished; whole warps, one to a channel.
template <class Finish>
IMGSIM_KERNEL void finish_channels(unsigned channels, unsigned splits, const double* partial, Finish finish) {
  const unsigned channel = blockIdx.x * (blockDim.x / kWarpSize) + warp_index();
  if (channel >= channels) return;
  const double* const of_first = partial + static_cast<unsigned long long>(channel) * splits;
  const double* const of_second = partial + static_cast<unsigned long long>(channels + channel) * splits;
  double first = 0;
  double second = 0;
  for (unsigned split = lane_index(); split < splits; split += kWarpSize) {
    first += of_first[split];
    second += of_second[split];
  }
  for (int distance = static_cast<int>(kWarpSize) / 2; distance > 0; distance /= 2) {
    first += __shfl_xor_sync(kFullWarp, first, distance);
    second += __shfl_xor_sync(kFullWarp, second, distance);
  }
  if (lane_index() == 0) finish(channel, first, second);
}

/// The gradient of a layer's output, with that of the rectifier that the layer has applied, which is written back; a
/// slope of 1 stands for none. The first sum is the gradient of the bias.
struct bias_gradient_term {
  float* gradient;
  const float* out;
  unsigned channels;
  float slope;

  __device__ two_terms operator()(unsigned pixel, unsigned channel) const {
    const unsigned i = pixel * channels + channel;
    float value = gradient[i];
    if (slope != 1.0f) {
      if (!(out[i] > 0.0f)) value *= slope;
      gradient[i] = value;  // also where it stays: whole sectors
    }
    return {value, 0.0f};
  }
};

/// to[channel] = the first sum.
struct store_first_sum {
  float* to;

  __device__ void operator()(unsigned channel, double first, double) const { to[channel] = static_cast<float>(first); }
};

}  // namespace imgsim::cuda
