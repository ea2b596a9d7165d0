// What a fake of a library (cuBLAS, cuDNN) is written with. How: README.md beside this folder.
#pragma once

#include <driver_types.h>

#include <functional>

#include "cuda_host/runtime/faults.hpp"  // injected_fault
#include "cuda_host/runtime/memory.hpp"  // kind_of_memory
#include "cuda_host/runtime/streams.hpp"

namespace imgsim::cuda_host {

/// Queues `work` in the stream (or records it, where the stream is captured). It runs when somebody waits for it, may
/// then touch device memory, and must call no function of any fake. It owns copies of all that it needs: the caller's
/// descriptors and scalars may be gone by then. cudaErrorInvalidResourceHandle for an unknown stream.
[[nodiscard]] cudaError_t enqueue(cudaStream_t stream, std::function<void()> work);

/// Whether all of [address, address + bytes) is device memory at this moment; a fake refuses operands that are not.
[[nodiscard]] bool is_device_memory(const void* address, std::size_t bytes);

/// Reports a misuse that a real library would not notice or answer with undefined behaviour. The test fails.
void report_misuse(const char* function, const std::string& what);

}  // namespace imgsim::cuda_host
