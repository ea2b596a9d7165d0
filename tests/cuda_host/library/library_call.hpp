// What every function of a fake library does around its own work.
#pragma once

#include "cuda_host/runner/sanitizer.hpp"
#include "cuda_host/runtime/library_fakes.hpp"
#include "cuda_host/runtime/runtime_call.hpp"

namespace imgsim::cuda_host {

/// Runs `work` under the lock and the fault plan; returns its status, or `failure` where the plan says so or it is
/// called from work of a stream.
template <class Status, class Work>
Status library_call(const char* function, Status failure, Work&& work) {
  const runtime_lock lock;
  const unwatched bookkeeping;
  if (within_stream_work()) return failure;
  if (const int fault = injected_fault(function, failure); fault != 0) return static_cast<Status>(fault);
  return work();
}

/// The same for a function that frees: it does so even where it then returns an error.
template <class Status, class Work>
Status releasing_library_call(const char* function, Status failure, Work&& work) {
  const runtime_lock lock;
  const unwatched bookkeeping;
  if (within_stream_work()) return failure;
  const int fault = injected_fault(function, failure);
  const Status status = work();
  return fault != 0 ? static_cast<Status>(fault) : status;
}

}  // namespace imgsim::cuda_host
