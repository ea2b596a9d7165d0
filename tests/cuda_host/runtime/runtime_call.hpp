// What every fake function of the CUDA runtime does around its own work.
#pragma once

#include <driver_types.h>

#include "cuda_host/runner/sanitizer.hpp"
#include "cuda_host/runtime/faults.hpp"

namespace imgsim::cuda_host {

/// One host thread at a time is inside the fakes; the lock may be taken again by its holder. It orders nothing for
/// ThreadSanitizer, so that it hides no race between host threads.
class runtime_lock {
 public:
  runtime_lock();
  ~runtime_lock();
  runtime_lock(const runtime_lock&) = delete;
  runtime_lock& operator=(const runtime_lock&) = delete;
};

/// The error that a fault of earlier, asynchronous work left on the device, or cudaSuccess.
[[nodiscard]] cudaError_t device_error();
void set_device_error(cudaError_t error);

/// Remembers the status for cudaGetLastError where it is an error; returns it.
cudaError_t remember(cudaError_t status);

/// "callbacks must not make any CUDA API calls" (cudaLaunchHostFunc): whether the caller is one.
[[nodiscard]] bool within_stream_work();

/// Runs `work` under the lock and the fault plan; returns its status, or why it did not run.
template <class Work>
cudaError_t runtime_call(const char* function, cudaError_t usual_failure, Work&& work) {
  const runtime_lock lock;
  const unwatched bookkeeping;
  if (within_stream_work()) return remember(cudaErrorNotPermitted);
  if (const int fault = injected_fault(function, usual_failure); fault != 0) {
    return remember(static_cast<cudaError_t>(fault));
  }
  if (device_error() != cudaSuccess) return remember(device_error());
  return remember(work());
}

/// The same for a function that frees, or waits: it does so even where it then returns an error. What was freed is gone
/// in any case, and a wait that fails tells of work that will not touch memory any more.
template <class Work>
cudaError_t completing_call(const char* function, Work&& work) {
  const runtime_lock lock;
  const unwatched bookkeeping;
  if (within_stream_work()) return remember(cudaErrorNotPermitted);
  const int fault = injected_fault(function, cudaErrorUnknown);
  const cudaError_t status = work();
  if (fault != 0) return remember(static_cast<cudaError_t>(fault));
  return remember(status != cudaSuccess ? status : device_error());
}

}  // namespace imgsim::cuda_host
