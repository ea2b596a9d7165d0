// The numbers of the device that the fake runtime describes.
#pragma once

#include <cstddef>

namespace imgsim::cuda_host {

/// Limits per compute capability: CUDA C++ Programming Guide, "Technical Specifications per Compute Capability".
struct device_model_numbers {
  int capability = 90;  // 10 * major + minor
  std::size_t shared_per_multiprocessor = 228 << 10;
  std::size_t shared_per_block_opt_in = 227 << 10;
  int threads_per_multiprocessor = 2048;
  int blocks_per_multiprocessor = 32;
  int multiprocessors = 132;  // of one product of that capability, as an example
  std::size_t l2_bytes = 50 << 20;
  std::size_t memory_bytes = std::size_t{8} << 30;  // what a test may use
};

[[nodiscard]] const device_model_numbers& device_model();

inline constexpr int kMaxThreadsPerBlock = 1024;
inline constexpr std::size_t kSharedPerBlock = 48 << 10;  // without opting in
inline constexpr int kRegistersPerMultiprocessor = 65536;

}  // namespace imgsim::cuda_host
