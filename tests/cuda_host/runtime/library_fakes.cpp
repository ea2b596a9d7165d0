#include "cuda_host/runtime/library_fakes.hpp"

#include <utility>

#include "cuda_host/runner/report.hpp"
#include "cuda_host/runtime/runtime_call.hpp"

namespace imgsim::cuda_host {

cudaError_t enqueue(cudaStream_t stream, std::function<void()> work) {
  const runtime_lock lock;
  const unwatched bookkeeping;
  if (device_error() != cudaSuccess) return device_error();
  return enqueue_work(stream, std::move(work));
}

bool is_device_memory(const void* address, std::size_t bytes) {
  const runtime_lock lock;
  const unwatched bookkeeping;
  return kind_of_memory(address, bytes) == memory_kind::device;
}

void report_misuse(const char* function, const std::string& what) {
  const unwatched bookkeeping;
  add_report(std::string(function) + ": " + what);
}

}  // namespace imgsim::cuda_host
