// Launches kernels, and asks about them. The only place that does: under the host runner it is the same code with
// another way to name a kernel.
#pragma once

#include <cstddef>
#include <limits>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>

#include <imgsim/core/error.hpp>
#include <imgsim/cuda/check.cuh>
#include <imgsim/cuda/portable.cuh>

namespace imgsim::cuda {

/// Kernels count rows, columns and values in 32 bits.
[[nodiscard]] inline unsigned checked_count(std::size_t count, const char* what) {
  IMGSIM_EXPECTS(count < std::numeric_limits<unsigned>::max(), "the CUDA backend takes fewer than 2^32 - 1 ", what,
                 ", not ", count);
  return static_cast<unsigned>(count);
}

/// How many blocks of how many threads, and the dynamic shared memory of each block in bytes.
struct launch_shape {
  dim3 grid;
  dim3 block;
  std::size_t dynamic_shared_bytes = 0;
  std::source_location where = std::source_location::current();  // for messages
};

/// The threads that cover `count` items, `block` to a block.
[[nodiscard]] inline launch_shape cover(std::size_t count, unsigned block,
                                        const std::source_location& where = std::source_location::current()) {
  return {dim3(static_cast<unsigned>((count + block - 1) / block)), dim3(block), 0, where};
}

/// Queues kernel(arguments...) on the stream. Each argument is converted to the parameter's type and copied, so they
/// must be trivially copyable. Throws backend_error where the launch is refused; a fault of the kernel itself comes
/// with a later call, as everywhere in CUDA. A grid without blocks is refused: callers return early.
template <class... Parameters, class... Arguments>
  requires(sizeof...(Parameters) == sizeof...(Arguments))
void launch(const launch_shape& shape, cudaStream_t stream, void (*kernel)(Parameters...), Arguments&&... arguments) {
  static_assert((std::is_trivially_copyable_v<Parameters> && ...), "a kernel's arguments are copied byte by byte");
  cudaLaunchConfig_t config{};
  config.gridDim = shape.grid;
  config.blockDim = shape.block;
  config.dynamicSmemBytes = shape.dynamic_shared_bytes;
  config.stream = stream;
  std::tuple<Parameters...> values(static_cast<Parameters>(std::forward<Arguments>(arguments))...);
  const cudaError_t status = std::apply(
      [&](Parameters&... value) {
        void* pointers[] = {const_cast<void*>(static_cast<const void*>(&value))..., nullptr};
        return cudaLaunchKernelExC(&config, detail::kernel_address(kernel, shape.where), pointers);
      },
      values);
  check(status, "cudaLaunchKernelExC", shape.where);
}

/// Lets the kernel use up to `bytes` of dynamic shared memory on the current device; above 48 KiB it must be asked for.
template <class... Parameters>
void allow_dynamic_shared(void (*kernel)(Parameters...), std::size_t bytes,
                          const std::source_location& where = std::source_location::current()) {
  check(cudaFuncSetAttribute(detail::kernel_address(kernel, where), cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(bytes)),
        "cudaFuncSetAttribute", where);
}

/// How many blocks of the kernel one multiprocessor of the current device holds at a time.
template <class... Parameters>
[[nodiscard]] unsigned resident_blocks(void (*kernel)(Parameters...), unsigned threads,
                                       std::size_t dynamic_shared_bytes = 0,
                                       const std::source_location& where = std::source_location::current()) {
  int blocks = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, detail::kernel_address(kernel, where),
                                                      static_cast<int>(threads), dynamic_shared_bytes),
        "cudaOccupancyMaxActiveBlocksPerMultiprocessor", where);
  return static_cast<unsigned>(blocks);
}

}  // namespace imgsim::cuda
