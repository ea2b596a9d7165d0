// The loss with the sigmoid that may end the network, its gradient, and sums over all values.
//
// A block of 256 threads owns every gridDim-th piece of 1024 values, a thread packs of four of them. A term gives a
// value's loss and slope; four losses are added in float32, the rest in float64, over the block by shuffles and 64
// bytes of shared memory; sum_partials adds the blocks' sums in one block. The order depends on the count alone.
// Traffic: values and targets once, the gradient once. Roofline on an H100: 32 photos of [256, 256, 3], 75 MB in 23 us.
#pragma once

#include <imgsim/cuda/network/policy.hpp>
#include <imgsim/cuda/network/values_kernel.cuh>
#include <imgsim/cuda/portable.cuh>
#include <imgsim/cuda/primitives/reduce.cuh>

namespace imgsim::cuda {

/// Loss of one value and its derivative, before the division by the number of values.
struct loss_term {
  float loss;
  float slope;
};

/// -t log p - (1 - t) log(1 - p) with p = sigmoid(z), from z: max(z, 0) - z t + log(1 + exp(-|z|)).
struct cross_entropy_of_logits {
  __device__ loss_term operator()(float z, float target) const {
    const float u = expf(-fabsf(z));
    const float p = (z >= 0.0f ? 1.0f : u) / (1.0f + u);
    return {(z > 0.0f ? z : 0.0f) - z * target + log1pf(u), p - target};
  }
};

struct squared_error_of_logits {
  __device__ loss_term operator()(float z, float target) const {
    const float p = logistic(z);
    const float error = p - target;
    return {error * error, 2.0f * error * p * (1.0f - p)};
  }
};

/// Keras' form for outputs that are not a sigmoid's: p is held within [1e-7, 1 - 1e-7], and has no slope outside.
struct cross_entropy_of_probabilities {
  __device__ loss_term operator()(float y, float target) const {
    constexpr double kEdge = 1e-7;
    const auto given = static_cast<double>(y);
    const double p = given < kEdge ? kEdge : given > 1.0 - kEdge ? 1.0 - kEdge : given;
    const auto t = static_cast<double>(target);
    const double loss = -t * log(p) - (1.0 - t) * log1p(-p);
    const double slope = p == given ? (p - t) / (p * (1.0 - p)) : 0.0;
    return {static_cast<float>(loss), static_cast<float>(slope)};
  }
};

struct squared_error {
  __device__ loss_term operator()(float y, float target) const {
    const float error = y - target;
    return {error * error, 2.0f * error};
  }
};

/// visit(first, packs of four or single values) for this thread's part of `count` values.
template <class Visit>
__device__ inline void for_each_pack_of_grid(unsigned count, Visit visit) {
  const unsigned long long step = static_cast<unsigned long long>(gridDim.x) * blockDim.x * kValuesPerThread;
  for (unsigned long long first =
           (static_cast<unsigned long long>(blockIdx.x) * blockDim.x + threadIdx.x) * kValuesPerThread;
       first < count; first += step) {
    visit(static_cast<unsigned>(first),
          static_cast<unsigned>(count - first < kValuesPerThread ? count - first : kValuesPerThread));
  }
}

/// partial [blocks] = sums of the losses; gradient[i] = slope * scale where it is wanted (not null).
template <class Term, class T>
IMGSIM_KERNEL void sum_losses(unsigned count, Term term, const T* values, const T* targets, float scale, T* gradient,
                              double* partial) {
  double sum = 0;
  for_each_pack_of_grid(count, [&](unsigned first, unsigned size) {
    float losses = 0;
    if (size == kValuesPerThread) {
      const pack<T, kValuesPerThread> value = load_pack<kValuesPerThread>(values + first);
      const pack<T, kValuesPerThread> target = load_pack<kValuesPerThread>(targets + first);
      pack<T, kValuesPerThread> slopes;
      for (unsigned k = 0; k < kValuesPerThread; ++k) {
        const loss_term t = term(value[k], target[k]);
        losses += t.loss;
        slopes[k] = t.slope * scale;
      }
      if (gradient != nullptr) store_pack(gradient + first, slopes);
    } else {
      for (unsigned i = first; i < first + size; ++i) {
        const loss_term t = term(values[i], targets[i]);
        losses += t.loss;
        if (gradient != nullptr) gradient[i] = t.slope * scale;
      }
    }
    sum += static_cast<double>(losses);
  });
  sum = block_reduce<kNetworkThreads>(sum, 0.0, plus{});
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

/// *total = factor * (the sum of partial [count]); one block.
template <class T>
IMGSIM_KERNEL void sum_partials(unsigned count, const T* partial, T factor, T* total) {
  T sum = 0;
  for (unsigned i = threadIdx.x; i < count; i += blockDim.x) sum += partial[i];
  sum = block_reduce<kNetworkThreads>(sum, T{0}, plus{});
  if (threadIdx.x == 0) *total = factor * sum;
}

}  // namespace imgsim::cuda
