// Stream capture and graphs (CUDA Runtime API, "Stream Management", "Graph Management"). A graph made by hand, node by
// node, is not modelled.
#include <cuda_runtime_api.h>

#include <map>

#include "cuda_host/runtime/events.hpp"
#include "cuda_host/runtime/runtime_call.hpp"

struct CUgraph_st {};
struct CUgraphExec_st {};

namespace imgsim::cuda_host {
namespace {

struct executable_graph {
  std::vector<std::function<void()>> work;
  stream_point last_launch;
};

struct graph_table {
  std::map<cudaGraph_t, std::shared_ptr<capture>> graphs;
  std::map<cudaGraphExec_t, executable_graph> executables;
};

graph_table& all_graphs() {
  static graph_table instance;
  return instance;
}

/// The capture ends for every stream in it.
void close(const std::shared_ptr<capture>& graph) {
  graph->open = false;
  graph->origin->captured_by.reset();
  for (const auto& stream : graph->joined) stream->captured_by.reset();
  graph->joined.clear();
}

}  // namespace

void describe_graphs(std::vector<std::string>& sentences) {
  for (std::size_t i = 0; i < all_graphs().graphs.size(); ++i) sentences.emplace_back("a graph was not destroyed");
  for (std::size_t i = 0; i < all_graphs().executables.size(); ++i) {
    sentences.emplace_back("an executable graph was not destroyed");
  }
}

void reset_graphs() {
  for (const auto& [handle, graph] : all_graphs().graphs) delete handle;
  for (const auto& [handle, graph] : all_graphs().executables) delete handle;
  all_graphs() = {};
}

}  // namespace imgsim::cuda_host

using namespace imgsim::cuda_host;

/// "Capture must be ended on the same stream in which it was initiated, and it may only be initiated if the stream is
/// not already in capture mode." The legacy stream cannot be captured.
cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  return runtime_call("cudaStreamBeginCapture", cudaErrorUnknown, [&] {
    const std::shared_ptr<stream_queue> stream = find_stream(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (stream == find_stream(nullptr)) return cudaErrorStreamCaptureUnsupported;
    if (stream->captured_by != nullptr) return cudaErrorIllegalState;
    const auto graph = std::make_shared<capture>();
    graph->mode = mode;
    graph->origin = stream.get();
    stream->captured_by = graph;
    register_capture(graph);
    return cudaSuccess;
  });
}

/// "If capture was invalidated, due to a violation of the rules of stream capture, then a NULL graph will be returned."
cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* result) {
  return runtime_call("cudaStreamEndCapture", cudaErrorUnknown, [&] {
    *result = nullptr;
    const std::shared_ptr<stream_queue> stream = find_stream(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    const std::shared_ptr<capture> graph = stream->captured_by;
    if (graph == nullptr) return cudaErrorIllegalState;
    if (graph->origin != stream.get()) return cudaErrorStreamCaptureUnmatched;
    close(graph);
    if (graph->invalidated) return cudaErrorStreamCaptureInvalidated;
    if (!graph->unjoined.empty()) return cudaErrorStreamCaptureUnjoined;
    *result = new CUgraph_st;
    all_graphs().graphs.emplace(*result, graph);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  return runtime_call("cudaStreamIsCapturing", cudaErrorUnknown, [&] {
    const std::shared_ptr<stream_queue> stream = find_stream(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    *status = stream->captured_by == nullptr     ? cudaStreamCaptureStatusNone
              : stream->captured_by->invalidated ? cudaStreamCaptureStatusInvalidated
                                                 : cudaStreamCaptureStatusActive;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* result, cudaGraph_t handle, unsigned long long flags) {
  return runtime_call("cudaGraphInstantiate", cudaErrorMemoryAllocation, [&] {
    const auto found = all_graphs().graphs.find(handle);
    if (found == all_graphs().graphs.end()) return cudaErrorInvalidValue;
    if (flags != 0) return cudaErrorNotSupported;
    *result = new CUgraphExec_st;
    all_graphs().executables[*result].work = found->second->work;
    return cudaSuccess;
  });
}

/// "Only one instance of graphExec may be executing at a time. Each launch is ordered behind both any previous work in
/// stream and any previous launches of graphExec."
cudaError_t cudaGraphLaunch(cudaGraphExec_t handle, cudaStream_t stream_handle) {
  return runtime_call("cudaGraphLaunch", cudaErrorLaunchFailure, [&] {
    const auto found = all_graphs().executables.find(handle);
    const std::shared_ptr<stream_queue> stream = find_stream(stream_handle);
    if (found == all_graphs().executables.end() || stream == nullptr) return cudaErrorInvalidValue;
    if (stream->captured_by != nullptr) {
      stream->captured_by->invalidated = true;  // child graphs are not modelled
      return cudaErrorStreamCaptureUnsupported;
    }
    executable_graph& graph = found->second;
    if (graph.last_launch.stream != nullptr && graph.last_launch.stream != stream) {
      const cudaError_t queued =
          enqueue_work(stream_handle, [last = graph.last_launch] { last.stream->run_until(last.position); });
      if (queued != cudaSuccess) return queued;
    }
    for (const std::function<void()>& work : graph.work) {
      if (const cudaError_t queued = enqueue_work(stream_handle, work); queued != cudaSuccess) return queued;
    }
    graph.last_launch.stream = stream;
    graph.last_launch.position = stream->pushed();
    return cudaSuccess;
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t handle) {
  return completing_call("cudaGraphDestroy", [&] {
    if (all_graphs().graphs.erase(handle) == 0) return cudaErrorInvalidValue;
    delete handle;
    return cudaSuccess;
  });
}

/// Launches that are still queued go on.
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t handle) {
  return completing_call("cudaGraphExecDestroy", [&] {
    if (all_graphs().executables.erase(handle) == 0) return cudaErrorInvalidValue;
    delete handle;
    return cudaSuccess;
  });
}
