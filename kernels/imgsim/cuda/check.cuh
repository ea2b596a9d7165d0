// Turns a status of the CUDA runtime into an exception.
#pragma once

#include <cuda_runtime_api.h>

#include <source_location>
#include <string>

#include <imgsim/core/error.hpp>

namespace imgsim::cuda {

/// Throws backend_error where `status` is no success: what was called, the status by name and in words, and the line.
/// Example: check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
inline void check(cudaError_t status, const char* call,
                  const std::source_location& where = std::source_location::current()) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // the status is told here; a later, unrelated check must not find it again
  throw backend_error("CUDA", std::string(call) + " gave " + cudaGetErrorName(status) + " (" +
                                  cudaGetErrorString(status) + ") at " + where.file_name() + ":" +
                                  std::to_string(where.line()));
}

}  // namespace imgsim::cuda

/// The call's own text is what the message names.
#define IMGSIM_CUDA_CHECK(call) ::imgsim::cuda::check((call), #call)
