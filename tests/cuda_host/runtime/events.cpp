// Events (CUDA Runtime API, "Event Management").
#include "cuda_host/runtime/events.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "cuda_host/runtime/runtime_call.hpp"

struct CUevent_st {};

namespace imgsim::cuda_host {
namespace {

std::map<cudaEvent_t, event_state>& events() {
  static std::map<cudaEvent_t, event_state> instance;
  return instance;
}

event_state* find_event(cudaEvent_t handle) {
  const auto found = events().find(handle);
  return found == events().end() ? nullptr : &found->second;
}

double now_in_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

cudaError_t record_captured(event_state& event, const std::shared_ptr<stream_queue>& stream) {
  if (stream->captured_by->invalidated) return cudaErrorStreamCaptureInvalidated;
  event.point.reset();
  event.captured_in = stream->captured_by;
  event.captured_stream = stream.get();
  return cudaSuccess;
}

/// The waiting stream joins the capture; where it is the one that the capture began in, the other's work is joined.
cudaError_t wait_captured(event_state& event, const std::shared_ptr<stream_queue>& waiting) {
  const std::shared_ptr<capture>& graph = event.captured_in;
  if (!graph->open) return cudaErrorCapturedEvent;
  if (waiting->captured_by != nullptr && waiting->captured_by != graph) {
    graph->invalidated = waiting->captured_by->invalidated = true;
    return cudaErrorStreamCaptureUnmatched;
  }
  if (waiting->captured_by == nullptr) {
    waiting->captured_by = graph;
    graph->joined.push_back(waiting);
    graph->unjoined.push_back(waiting.get());
  } else if (waiting.get() == graph->origin) {
    std::erase(graph->unjoined, event.captured_stream);
  }
  return cudaSuccess;
}

}  // namespace

void describe_events(std::vector<std::string>& sentences) {
  for (std::size_t i = 0; i < events().size(); ++i) sentences.emplace_back("an event was not destroyed");
}

void reset_events() {
  for (const auto& [handle, event] : events()) delete handle;
  events().clear();
}

}  // namespace imgsim::cuda_host

using namespace imgsim::cuda_host;

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* handle, unsigned int flags) {
  return runtime_call("cudaEventCreateWithFlags", cudaErrorMemoryAllocation, [&] {
    if (handle == nullptr || (flags & ~static_cast<unsigned>(cudaEventBlockingSync | cudaEventDisableTiming)) != 0) {
      return cudaErrorInvalidValue;  // cudaEventInterprocess is not modelled
    }
    *handle = new CUevent_st;
    events()[*handle].timing = (flags & cudaEventDisableTiming) == 0;
    return cudaSuccess;
  });
}

cudaError_t cudaEventCreate(cudaEvent_t* handle) {
  return cudaEventCreateWithFlags(handle, cudaEventDefault);
}

/// "An event may be destroyed before it is complete"; what waits for it goes on waiting.
cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  return completing_call("cudaEventDestroy", [&] {
    if (events().erase(handle) == 0) return cudaErrorInvalidResourceHandle;
    delete handle;
    return cudaSuccess;
  });
}

/// "Captures in event the contents of stream at the time of this call." A later record replaces it.
cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream_handle) {
  return runtime_call("cudaEventRecord", cudaErrorUnknown, [&] {
    event_state* const event = find_event(handle);
    const std::shared_ptr<stream_queue> stream = find_stream(stream_handle);
    if (event == nullptr || stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (stream->captured_by != nullptr) return record_captured(*event, stream);
    const auto point = std::make_shared<stream_point>();
    const cudaError_t queued = enqueue_work(stream_handle, [point] {
      const unwatched bookkeeping;
      point->seconds = now_in_seconds();
      point->passed = true;
    });
    if (queued != cudaSuccess) return queued;
    point->stream = stream;
    point->position = stream->pushed();
    event->point = point;
    event->captured_in.reset();
    return cudaSuccess;
  });
}

/// "Makes all future work submitted to stream wait for all work captured in event." One never recorded has no effect.
cudaError_t cudaStreamWaitEvent(cudaStream_t stream_handle, cudaEvent_t handle, unsigned int flags) {
  return runtime_call("cudaStreamWaitEvent", cudaErrorUnknown, [&] {
    event_state* const event = find_event(handle);
    const std::shared_ptr<stream_queue> stream = find_stream(stream_handle);
    if (event == nullptr || stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (flags != cudaEventWaitDefault) return cudaErrorNotSupported;
    if (event->captured_in != nullptr) return wait_captured(*event, stream);
    if (event->point == nullptr) return cudaSuccess;
    if (stream->captured_by != nullptr) {
      // "external" dependencies of a capture are refused by the real runtime, too
      stream->captured_by->invalidated = true;
      return cudaErrorStreamCaptureUnsupported;
    }
    return enqueue_work(stream_handle, [point = event->point] { point->stream->run_until(point->position); });
  });
}

/// "Waits until the completion of all work currently captured in event."
cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  return completing_call("cudaEventSynchronize", [&] {
    event_state* const event = find_event(handle);
    if (event == nullptr) return cudaErrorInvalidResourceHandle;
    if (event->captured_in != nullptr) return cudaErrorCapturedEvent;
    if (event->point != nullptr) event->point->stream->run_until(event->point->position);
    return device_error();
  });
}

/// Each query lets one more piece of the stream's work happen, so that a loop of queries ends.
cudaError_t cudaEventQuery(cudaEvent_t handle) {
  return runtime_call("cudaEventQuery", cudaErrorUnknown, [&] {
    event_state* const event = find_event(handle);
    if (event == nullptr) return cudaErrorInvalidResourceHandle;
    if (event->captured_in != nullptr) return cudaErrorCapturedEvent;
    if (event->point == nullptr || event->point->passed) return device_error();
    event->point->stream->step();
    return cudaErrorNotReady;
  });
}

/// "If cudaEventRecord() has not been called on either event, then cudaErrorInvalidResourceHandle is returned", also
/// for events made with cudaEventDisableTiming; "cudaErrorNotReady" where one is not complete. The times are the
/// host's.
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin_handle, cudaEvent_t end_handle) {
  return runtime_call("cudaEventElapsedTime", cudaErrorUnknown, [&] {
    const event_state* const begin = find_event(begin_handle);
    const event_state* const end = find_event(end_handle);
    if (begin == nullptr || end == nullptr || begin->point == nullptr || end->point == nullptr || !begin->timing ||
        !end->timing) {
      return cudaErrorInvalidResourceHandle;
    }
    if (!begin->point->passed || !end->point->passed) return cudaErrorNotReady;
    *milliseconds = static_cast<float>((end->point->seconds - begin->point->seconds) * 1e3);
    return cudaSuccess;
  });
}
