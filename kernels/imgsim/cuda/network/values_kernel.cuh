// Work on single values: pixels into activations, bias and rectifier, sigmoid, and their gradients.
//
// A thread owns four neighbouring values, a block of 256 threads 1024; the last thread takes what is left one by one.
// What is done with them is a body, a struct with `at<N>(i)` for values i, ..., i + N - 1. No shared memory. Traffic:
// each operand once, in 16-byte accesses; values of a channel come through L1. Roofline on an H100 (3.35e12 B/s), for
// 32 photos of [128, 128, 32] float32: one operand read and written, 134 MB, in 40 us; two read and one written in 60.
#pragma once

#include <imgsim/cuda/network/policy.hpp>
#include <imgsim/cuda/portable.cuh>

namespace imgsim::cuda {

template <class Body>
IMGSIM_KERNEL void for_each_value(unsigned count, Body body) {
  const unsigned long long first =
      (static_cast<unsigned long long>(blockIdx.x) * blockDim.x + threadIdx.x) * kValuesPerThread;
  if (first + kValuesPerThread <= count) {
    body.template at<kValuesPerThread>(static_cast<unsigned>(first));
  } else {
    for (unsigned long long i = first; i < count; ++i) body.template at<1>(static_cast<unsigned>(i));
  }
}

/// of_channel[c] for values i, ..., i + N - 1 of an array [..., channels].
template <unsigned N>
__device__ inline pack<float, N> of_channels(const float* of_channel, unsigned i, unsigned channels) {
  unsigned channel = i % channels;
  if (N > 1 && channels % N == 0) return load_pack<N>(of_channel + channel);
  pack<float, N> values;
  for (unsigned k = 0; k < N; ++k) {
    values[k] = of_channel[channel];
    channel = channel + 1 == channels ? 0 : channel + 1;
  }
  return values;
}

/// x where x > 0, slope * x elsewhere; a slope of 1 changes nothing.
__device__ inline float rectified(float x, float slope) {
  return x > 0.0f ? x : slope * x;
}

/// 1 / (1 + exp(-x)) without overflow.
__device__ inline float logistic(float x) {
  const float u = expf(-fabsf(x));
  return (x >= 0.0f ? 1.0f : u) / (1.0f + u);
}

/// Bytes / 255 as activations.
template <class Pixel>
struct scaled_pixels {
  const Pixel* from;
  float* to;

  template <unsigned N>
  __device__ void at(unsigned i) const {
    const pack<Pixel, N> pixels = load_pack<N>(from + i);
    pack<float, N> values;
    for (unsigned k = 0; k < N; ++k) values[k] = static_cast<float>(pixels[k]) / 255.0f;
    store_pack(to + i, values);
  }
};

/// values = rectified(values + bias[channel]); no bias: null.
struct bias_and_rectifier {
  float* values;
  const float* bias;
  unsigned channels;
  float slope;

  template <unsigned N>
  __device__ void at(unsigned i) const {
    pack<float, N> x = load_pack<N>(values + i);
    if (bias != nullptr) {
      const pack<float, N> shift = of_channels<N>(bias, i, channels);
      for (unsigned k = 0; k < N; ++k) x[k] += shift[k];
    }
    for (unsigned k = 0; k < N; ++k) x[k] = rectified(x[k], slope);
    store_pack(values + i, x);
  }
};

/// out = rectified(in)
struct rectifier {
  const float* in;
  float* out;
  float slope;

  template <unsigned N>
  __device__ void at(unsigned i) const {
    pack<float, N> x = load_pack<N>(in + i);
    for (unsigned k = 0; k < N; ++k) x[k] = rectified(x[k], slope);
    store_pack(out + i, x);
  }
};

/// diff_in = diff_out where out > 0, slope * diff_out elsewhere: the sign of the output is that of the input. May be in
/// place.
struct rectifier_gradient {
  const float* diff_out;
  const float* out;
  float* diff_in;
  float slope;

  template <unsigned N>
  __device__ void at(unsigned i) const {
    pack<float, N> gradient = load_pack<N>(diff_out + i);
    const pack<float, N> y = load_pack<N>(out + i);
    for (unsigned k = 0; k < N; ++k) gradient[k] = y[k] > 0.0f ? gradient[k] : slope * gradient[k];
    store_pack(diff_in + i, gradient);
  }
};

/// out = sigmoid(in); may be in place.
struct sigmoid_values {
  const float* in;
  float* out;

  template <unsigned N>
  __device__ void at(unsigned i) const {
    pack<float, N> x = load_pack<N>(in + i);
    for (unsigned k = 0; k < N; ++k) x[k] = logistic(x[k]);
    store_pack(out + i, x);
  }
};

/// diff_in = diff_out * out * (1 - out)
struct sigmoid_gradient {
  const float* diff_out;
  const float* out;
  float* diff_in;

  template <unsigned N>
  __device__ void at(unsigned i) const {
    pack<float, N> gradient = load_pack<N>(diff_out + i);
    const pack<float, N> y = load_pack<N>(out + i);
    for (unsigned k = 0; k < N; ++k) gradient[k] *= y[k] * (1.0f - y[k]);
    store_pack(diff_in + i, gradient);
  }
};

}  // namespace imgsim::cuda
