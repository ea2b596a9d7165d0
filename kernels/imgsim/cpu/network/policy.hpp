// What a network on the CPU may be told about the machine.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include <imgsim/core/simd.hpp>

namespace imgsim::cpu {

/// The last argument of autoencoder's constructor, where the default is not wanted.
struct network_policy {
  simd_level level = best_simd_level();  ///< of hand-written passes; oneDNN chooses its own
  /// Called in each training step, on the calling thread, with the gradient of the loss of the batch, [parameters that
  /// are trained] in an order of the backend's own, and the photos in the batch; what it leaves there is what Adam
  /// takes. For training over several processes (mpi/training.hpp). What it throws ends the step before any weight has
  /// changed.
  std::function<void(std::span<float> gradient, std::size_t photos)> exchange = {};
  /// Called in each training step, on the calling thread, twice for each layer of batch normalisation, with sums over
  /// the photos here and their number; what it leaves there is taken for the sums over the photos of all processes.
  std::function<void(std::span<double> sums)> add_up = {};
};

}  // namespace imgsim::cpu
