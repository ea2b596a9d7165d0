// The error functions of the runtime (CUDA Runtime API, "Error Handling").
#include <cuda_runtime_api.h>

#include <sched.h>

#include <utility>

#include "cuda_host/runtime/runtime_call.hpp"

namespace imgsim::cuda_host {
namespace {

constinit thread_local cudaError_t last_error = cudaSuccess;
cudaError_t sticky_error = cudaSuccess;

// A spin lock made of compiler builtins: the compiler expands them here, where nothing is instrumented, while
// std::mutex would end in an interceptor.
constinit thread_local char identity_of_thread = 0;
char* lock_owner = nullptr;
unsigned lock_depth = 0;

struct error_text {
  cudaError_t error;
  const char* name;
  const char* text;
};

#define IMGSIM_ERROR(error, text) {error, #error, text}
// The errors that the fakes return, in the words of driver_types.h.
constexpr error_text kErrors[] = {
    IMGSIM_ERROR(cudaSuccess, "no error"),
    IMGSIM_ERROR(cudaErrorInvalidValue, "invalid argument"),
    IMGSIM_ERROR(cudaErrorMemoryAllocation, "out of memory"),
    IMGSIM_ERROR(cudaErrorInitializationError, "initialization error"),
    IMGSIM_ERROR(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    IMGSIM_ERROR(cudaErrorInvalidMemcpyDirection, "invalid copy direction for memcpy"),
    IMGSIM_ERROR(cudaErrorInsufficientDriver, "CUDA driver version is insufficient for CUDA runtime version"),
    IMGSIM_ERROR(cudaErrorInvalidDeviceFunction, "invalid device function"),
    IMGSIM_ERROR(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    IMGSIM_ERROR(cudaErrorInvalidDevice, "invalid device ordinal"),
    IMGSIM_ERROR(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    IMGSIM_ERROR(cudaErrorNotReady, "device not ready"),
    IMGSIM_ERROR(cudaErrorLaunchOutOfResources, "too many resources requested for launch"),
    IMGSIM_ERROR(cudaErrorLaunchFailure, "unspecified launch failure"),
    IMGSIM_ERROR(cudaErrorNotPermitted, "operation not permitted"),
    IMGSIM_ERROR(cudaErrorNotSupported, "operation not supported"),
    IMGSIM_ERROR(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing"),
    IMGSIM_ERROR(cudaErrorStreamCaptureInvalidated, "operation failed due to a previous error during capture"),
    IMGSIM_ERROR(cudaErrorStreamCaptureUnmatched, "operation would result in a merge of separate capture sequences"),
    IMGSIM_ERROR(cudaErrorStreamCaptureUnjoined, "capturing stream has unjoined work"),
    IMGSIM_ERROR(cudaErrorStreamCaptureImplicit,
                 "operation would make the legacy stream depend on a capturing blocking stream"),
    IMGSIM_ERROR(cudaErrorCapturedEvent, "operation not permitted on an event last recorded in a capturing stream"),
    IMGSIM_ERROR(cudaErrorIllegalState, "the operation cannot be performed in the present state"),
    IMGSIM_ERROR(cudaErrorUnknown, "unknown error"),
};
#undef IMGSIM_ERROR

const error_text* find_text(cudaError_t error) {
  for (const error_text& known : kErrors) {
    if (known.error == error) return &known;
  }
  return nullptr;
}

}  // namespace

runtime_lock::runtime_lock() {
  char* const self = &identity_of_thread;
  if (__atomic_load_n(&lock_owner, __ATOMIC_RELAXED) != self) {
    for (char* nobody = nullptr;
         !__atomic_compare_exchange_n(&lock_owner, &nobody, self, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
         nobody = nullptr) {
      sched_yield();
    }
  }
  ++lock_depth;
}

runtime_lock::~runtime_lock() {
  if (--lock_depth == 0) __atomic_store_n(&lock_owner, nullptr, __ATOMIC_RELEASE);
}

cudaError_t device_error() {
  return sticky_error;
}
void set_device_error(cudaError_t error) {
  sticky_error = error;
}

cudaError_t remember(cudaError_t status) {
  if (status != cudaSuccess) last_error = status;
  return status;
}

}  // namespace imgsim::cuda_host

using namespace imgsim::cuda_host;

/// "Returns the last error that has been produced by any of the runtime calls in the same instance of the CUDA Runtime
/// library in the host thread and resets it to cudaSuccess."
cudaError_t cudaGetLastError() {
  return std::exchange(last_error, cudaSuccess);
}

/// The same without the reset.
cudaError_t cudaPeekAtLastError() {
  return last_error;
}

/// "If the error code is not recognized, "unrecognized error code" is returned."
const char* cudaGetErrorName(cudaError_t error) {
  const error_text* known = find_text(error);
  return known == nullptr ? "unrecognized error code" : known->name;
}

const char* cudaGetErrorString(cudaError_t error) {
  const error_text* known = find_text(error);
  return known == nullptr ? "unrecognized error code" : known->text;
}
