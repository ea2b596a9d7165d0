// Upsampling by whole factors (layer_spec.hpp), forward and backward.
//
// A thread owns N neighbouring channels (4, or 1 where they are no multiple of it) of one pixel of what it writes.
// Forward reads one input pixel (nearest) or four (bilinear), backward the output pixels to which its input pixel has
// given: sums are gathered in one order, not scattered. Traffic: each side once, its repeated reads from L1 and L2. No
// shared memory. Roofline on an H100: 32 photos from [64, 64, 32] to twice the sides, 84 MB in 25 us.
#pragma once

#include <imgsim/cuda/portable.cuh>

namespace imgsim::cuda {

struct upsampling_shape {
  unsigned height;  // of the input
  unsigned width;
  unsigned channels;
  unsigned factor_height;
  unsigned factor_width;
  bool bilinear;
};

/// Output position o of one axis = (1 - weight) * input[first] + weight * input[second].
struct interpolation {
  unsigned first;
  unsigned second;
  float weight;
};

/// Half-pixel centres, the edge repeated; nearest has weight 0. The position (o + 0.5) / factor - 0.5 is a whole number
/// of parts of 2 * factor, so that the weight is rounded once.
__device__ inline interpolation interpolate(unsigned o, unsigned in, unsigned factor, bool bilinear) {
  if (!bilinear) return {o / factor, o / factor, 0.0f};
  const unsigned parts = 2 * factor;
  const unsigned position = 2 * o + 1 + factor;  // one whole input further right
  const unsigned below = position / parts;
  const float weight = static_cast<float>(position % parts) / static_cast<float>(parts);
  return {below == 0 ? 0 : below - 1, min(below, in - 1), weight};
}

/// The place of the first channel of a thread's pack in an array [photos, height, width, channels].
struct pack_place {
  unsigned photo;
  unsigned row;
  unsigned column;
  unsigned channel;
};
template <unsigned N>
__device__ inline pack_place place_of_pack(unsigned index, unsigned height, unsigned width, unsigned channels) {
  const unsigned packs = channels / N;
  const unsigned pixel = index / packs;
  return {pixel / (height * width), pixel / width % height, pixel % width, index % packs * N};
}

/// `count`: packs of the output.
template <unsigned N, class T>
IMGSIM_KERNEL void upsample(unsigned count, upsampling_shape s, const T* in, T* out) {
  const unsigned index = blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= count) return;
  const auto [photo, row, column, channel] =
      place_of_pack<N>(index, s.height * s.factor_height, s.width * s.factor_width, s.channels);
  const interpolation y = interpolate(row, s.height, s.factor_height, s.bilinear);
  const interpolation x = interpolate(column, s.width, s.factor_width, s.bilinear);
  const T* const from = in + photo * s.height * s.width * s.channels + channel;
  const auto at = [&](unsigned r, unsigned c) { return load_pack<N>(from + (r * s.width + c) * s.channels); };
  pack<T, N> value = at(y.first, x.first);
  if (s.bilinear) {
    const pack<T, N> right = at(y.first, x.second);
    const pack<T, N> below = at(y.second, x.first);
    const pack<T, N> opposite = at(y.second, x.second);
    for (unsigned k = 0; k < N; ++k) {
      const T upper = value[k] + x.weight * (right[k] - value[k]);
      const T lower = below[k] + x.weight * (opposite[k] - below[k]);
      value[k] = upper + y.weight * (lower - upper);
    }
  }
  store_pack(out + index * N, value);
}

/// How much of input position i is in output position o.
__device__ inline float share_of(unsigned i, const interpolation& o) {
  return (o.first == i ? 1.0f - o.weight : 0.0f) + (o.second == i ? o.weight : 0.0f);
}

/// Output positions that may hold something of input position i.
struct position_range {
  unsigned begin;
  unsigned end;
};
__device__ inline position_range outputs_of(unsigned i, unsigned in, unsigned factor, bool bilinear) {
  if (!bilinear) return {i * factor, (i + 1) * factor};
  return {i == 0 ? 0 : (i - 1) * factor, min(i + 2, in) * factor};
}

/// `count`: packs of the input.
template <unsigned N, class T>
IMGSIM_KERNEL void upsample_backward(unsigned count, upsampling_shape s, const T* diff_out, T* diff_in) {
  const unsigned index = blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= count) return;
  const auto [photo, row, column, channel] = place_of_pack<N>(index, s.height, s.width, s.channels);
  const unsigned out_width = s.width * s.factor_width;
  const T* const from = diff_out + photo * s.height * s.factor_height * out_width * s.channels + channel;
  const position_range rows = outputs_of(row, s.height, s.factor_height, s.bilinear);
  const position_range columns = outputs_of(column, s.width, s.factor_width, s.bilinear);
  pack<T, N> sum{};
  for (unsigned y = rows.begin; y < rows.end; ++y) {
    const float of_row = share_of(row, interpolate(y, s.height, s.factor_height, s.bilinear));
    if (of_row == 0.0f) continue;
    for (unsigned x = columns.begin; x < columns.end; ++x) {
      const float share = of_row * share_of(column, interpolate(x, s.width, s.factor_width, s.bilinear));
      if (share == 0.0f) continue;
      const pack<T, N> gradient = load_pack<N>(from + (y * out_width + x) * s.channels);
      for (unsigned k = 0; k < N; ++k) sum[k] += share * gradient[k];
    }
  }
  store_pack(diff_in + index * N, sum);
}

}  // namespace imgsim::cuda
