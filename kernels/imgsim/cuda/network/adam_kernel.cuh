// One step of Adam over all parameters of a network in one launch, with the penalty on kernels and its gradient.
//
// Parameters, gradients and moments lie in four arrays of one layout, kernels first. A block of 256 threads owns every
// gridDim-th piece of 1024 parameters, a thread packs of four. Squares of kernels are summed in float64 on the way,
// before the step, over the block by shuffles and 64 bytes of shared memory. Traffic: 28 bytes a parameter. Roofline on
// an H100: 10 million parameters in 84 us, a million in 8.
#pragma once

#include <imgsim/cuda/network/loss_kernel.cuh>
#include <imgsim/cuda/network/policy.hpp>
#include <imgsim/cuda/portable.cuh>
#include <imgsim/cuda/primitives/reduce.cuh>
#include <imgsim/model/adam.hpp>

namespace imgsim::cuda {

/// partial [blocks] = sums of squares of the kernels, the first `kernels` of `count` parameters, a multiple of four
/// each. `decay`: 2 * kernel_l2, for kernels.
template <class T>
IMGSIM_KERNEL void adam_update(unsigned count, unsigned kernels, adam_rule rule, float decay, const T* gradients,
                               T* values, T* first_moments, T* second_moments, double* partial) {
  double squares = 0;
  for_each_pack_of_grid(count, [&](unsigned i, unsigned) {
    const pack<T, kValuesPerThread> gradient = load_pack_once<kValuesPerThread>(gradients + i);
    pack<T, kValuesPerThread> value = load_pack<kValuesPerThread>(values + i);
    pack<T, kValuesPerThread> first = load_pack<kValuesPerThread>(first_moments + i);
    pack<T, kValuesPerThread> second = load_pack<kValuesPerThread>(second_moments + i);
    const bool is_kernel = i < kernels;
    for (unsigned k = 0; k < kValuesPerThread; ++k) {
      if (is_kernel) squares += static_cast<double>(value[k]) * static_cast<double>(value[k]);
      const float g = gradient[k] + (is_kernel ? decay * value[k] : 0.0f);
      first[k] = rule.keep1 * first[k] + rule.take1 * g;
      second[k] = rule.keep2 * second[k] + rule.take2 * g * g;
      value[k] -= rule.rate * first[k] / (sqrtf(second[k]) * rule.root_scale + rule.epsilon);
    }
    store_pack(values + i, value);
    store_pack(first_moments + i, first);
    store_pack(second_moments + i, second);
  });
  squares = block_reduce<kNetworkThreads>(squares, 0.0, plus{});
  if (threadIdx.x == 0) partial[blockIdx.x] = squares;
}

/// partial [blocks] = sums of squares of `count` values, a multiple of four.
template <class T>
IMGSIM_KERNEL void sum_squares(unsigned count, const T* values, double* partial) {
  double squares = 0;
  for_each_pack_of_grid(count, [&](unsigned i, unsigned) {
    const pack<T, kValuesPerThread> value = load_pack<kValuesPerThread>(values + i);
    for (unsigned k = 0; k < kValuesPerThread; ++k)
      squares += static_cast<double>(value[k]) * static_cast<double>(value[k]);
  });
  squares = block_reduce<kNetworkThreads>(squares, 0.0, plus{});
  if (threadIdx.x == 0) partial[blockIdx.x] = squares;
}

}  // namespace imgsim::cuda
