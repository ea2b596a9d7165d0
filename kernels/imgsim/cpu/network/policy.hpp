// What a network on the CPU may be told about the machine.
#pragma once

#include <imgsim/core/simd.hpp>

namespace imgsim::cpu {

/// The last argument of autoencoder's constructor, where the default is not wanted.
struct network_policy {
  simd_level level = best_simd_level();  ///< of hand-written passes; oneDNN chooses its own
};

}  // namespace imgsim::cpu
