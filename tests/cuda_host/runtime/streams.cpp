// Streams (CUDA Runtime API, "Stream Management", "Stream synchronization behavior").
#include "cuda_host/runtime/streams.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <exception>
#include <map>
#include <utility>

#include "cuda_host/runner/report.hpp"
#include "cuda_host/runtime/device_state.hpp"
#include "cuda_host/runtime/memory.hpp"
#include "cuda_host/runtime/runtime_call.hpp"

struct CUstream_st {};

namespace imgsim::cuda_host {
namespace {

// Host functions and the loops of library fakes run on it.
constexpr std::size_t kStreamStackBytes = std::size_t{1} << 20;

struct stream_table {
  std::shared_ptr<stream_queue> legacy;  // made when it is first used
  std::map<cudaStream_t, std::shared_ptr<stream_queue>> live;
  std::vector<std::shared_ptr<stream_queue>> destroyed;  // with work left, which is still to be done
  std::vector<std::weak_ptr<capture>> captures;
};

stream_table& all_streams() {
  static stream_table instance;
  return instance;
}

const std::shared_ptr<stream_queue>& legacy_stream() {
  std::shared_ptr<stream_queue>& stream = all_streams().legacy;
  if (stream == nullptr) stream = std::make_shared<stream_queue>(true);
  return stream;
}

constinit thread_local unsigned work_depth = 0;
fiber_pool* running_fibers = nullptr;

/// The fibers of streams that were destroyed, for those that come after them.
std::vector<std::unique_ptr<fiber_pool>>& kept_fibers() {
  static std::vector<std::unique_ptr<fiber_pool>>& instance = *new std::vector<std::unique_ptr<fiber_pool>>;
  return instance;
}

/// While one lives, queued work runs: device memory can be reached.
class stream_work_scope {
 public:
  stream_work_scope() {
    if (work_depth++ == 0) expose_device_memory();
  }
  ~stream_work_scope() {
    if (--work_depth == 0) conceal_device_memory();
  }
  stream_work_scope(const stream_work_scope&) = delete;
  stream_work_scope& operator=(const stream_work_scope&) = delete;
};

void push_wait(stream_queue& waiting, const std::shared_ptr<stream_queue>& other) {
  if (!other->idle()) waiting.push([other, position = other->pushed()] { other->run_until(position); });
}

/// "The legacy default stream is an implicit stream which synchronizes with all other streams in the same CUcontext
/// except for non-blocking streams."
void order_with_legacy_stream(const std::shared_ptr<stream_queue>& stream) {
  if (stream == all_streams().legacy) {
    for (const auto& [handle, other] : all_streams().live) {
      if (other->blocking()) push_wait(*stream, other);
    }
    for (const auto& other : all_streams().destroyed) {
      if (other->blocking()) push_wait(*stream, other);
    }
  } else if (stream->blocking()) {
    push_wait(*stream, legacy_stream());
  }
}

}  // namespace

bool within_stream_work() {
  return work_depth > 0;
}

fiber_pool& fibers_of_running_stream() {
  return *running_fibers;
}

stream_queue::stream_queue(bool blocking) : blocking_(blocking), flow_(kStreamStackBytes) {
  flow_.start(&flow_body, this);
  if (kept_fibers().empty()) {
    fibers_ = std::make_unique<fiber_pool>();
  } else {
    fibers_ = std::move(kept_fibers().back());
    kept_fibers().pop_back();
  }
}

stream_queue::~stream_queue() {
  kept_fibers().push_back(std::move(fibers_));
}

void stream_queue::push(std::function<void()> work, bool even_after_fault) {
  work_.push_back(std::make_unique<stream_work>(stream_work{std::move(work), even_after_fault}));
  release_order(work_.back().get());
  ++pushed_;
}

void stream_queue::run_until(std::uint64_t position) {
  if (done_ < position) {
    if (running_) {
      add_report("a stream waits for work of its own that is still to come");
      set_device_error(cudaErrorLaunchFailure);
      return;
    }
    const std::shared_ptr<stream_queue> kept = shared_from_this();
    const stream_work_scope scope;
    target_ = position;
    running_ = true;
    flow_.resume();
    running_ = false;
  }
  acquire_order(this);
}

bool stream_queue::step() {
  if (!idle()) run_until(done_ + 1);
  return !idle();
}

void stream_queue::drop_all() {
  work_.clear();
  done_ = pushed_;
}

void stream_queue::flow_body(void* self) {
  auto& stream = *static_cast<stream_queue*>(self);
  for (;;) {
    while (stream.done_ < stream.target_) stream.run_next();
    stream.flow_.suspend();
  }
}

void stream_queue::run_next() {
  std::unique_ptr<stream_work> work;
  {
    const unwatched bookkeeping;
    work = std::move(work_.front());
    work_.pop_front();
  }
  acquire_order(work.get());
  if (device_error() == cudaSuccess || work->even_after_fault) {
    fiber_pool* const outer = std::exchange(running_fibers, fibers_.get());
    try {
      work->run();
    } catch (const std::exception& fault) {
      add_report(std::string("queued work threw: ") + fault.what());
      set_device_error(cudaErrorLaunchFailure);
    }
    running_fibers = outer;
  }
  const unwatched bookkeeping;
  work.reset();
  ++done_;
  release_order(this);
}

std::shared_ptr<stream_queue> find_stream(cudaStream_t handle) {
  if (handle == nullptr || handle == cudaStreamLegacy) return legacy_stream();
  const auto found = all_streams().live.find(handle);
  return found == all_streams().live.end() ? nullptr : found->second;
}

cudaError_t refuse_during_capture() {
  for (const std::weak_ptr<capture>& known : all_streams().captures) {
    const std::shared_ptr<capture> graph = known.lock();
    if (graph != nullptr && graph->open && graph->mode != cudaStreamCaptureModeRelaxed) {
      graph->invalidated = true;
      return cudaErrorStreamCaptureUnsupported;
    }
  }
  return cudaSuccess;
}

cudaError_t enqueue_work(cudaStream_t handle, std::function<void()> work, bool even_after_fault) {
  const std::shared_ptr<stream_queue> stream = find_stream(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (const std::shared_ptr<capture>& graph = stream->captured_by; graph != nullptr) {
    if (graph->invalidated) return cudaErrorStreamCaptureInvalidated;
    graph->work.push_back(std::move(work));
    if (stream.get() != graph->origin && std::ranges::count(graph->unjoined, stream.get()) == 0) {
      graph->unjoined.push_back(stream.get());
    }
    return cudaSuccess;
  }
  if (stream == all_streams().legacy) {
    for (const auto& [other_handle, other] : all_streams().live) {
      if (other->blocking() && other->captured_by != nullptr) {
        other->captured_by->invalidated = true;
        return cudaErrorStreamCaptureImplicit;
      }
    }
  }
  order_with_legacy_stream(stream);
  stream->push(std::move(work), even_after_fault);
  return cudaSuccess;
}

void run_all_streams() {
  if (all_streams().legacy != nullptr) all_streams().legacy->run_all();
  for (const auto& [handle, stream] : all_streams().live) stream->run_all();
  for (const auto& stream : std::exchange(all_streams().destroyed, {})) stream->run_all();
}

/// A GPU would have finished by now what a stream had queued long ago. The last few stay unfinished, so that whoever
/// relies on them without waiting is still found.
void finish_all_but_last_destroyed() {
  constexpr std::size_t kUnfinished = 4;
  std::vector<std::shared_ptr<stream_queue>>& destroyed = all_streams().destroyed;
  while (destroyed.size() > kUnfinished) {
    const std::shared_ptr<stream_queue> oldest = destroyed.front();
    destroyed.erase(destroyed.begin());
    oldest->run_all();
  }
}

void register_capture(const std::shared_ptr<capture>& graph) {
  std::erase_if(all_streams().captures, [](const std::weak_ptr<capture>& known) { return known.expired(); });
  all_streams().captures.push_back(graph);
}

void describe_streams(std::vector<std::string>& sentences) {
  for (std::size_t i = 0; i < all_streams().live.size(); ++i) sentences.emplace_back("a stream was not destroyed");
}

void reset_streams() {
  for (const auto& [handle, stream] : all_streams().live) {
    stream->drop_all();
    delete handle;
  }
  for (const auto& stream : all_streams().destroyed) stream->drop_all();
  all_streams() = {};
}

void drop_kept_fibers() {
  kept_fibers().clear();
}

}  // namespace imgsim::cuda_host

using namespace imgsim::cuda_host;

/// "cudaStreamNonBlocking: Specifies that work running in the created stream may run concurrently with work in stream 0
/// (the NULL stream), and that the created stream should perform no implicit synchronization with stream 0."
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int flags) {
  return runtime_call("cudaStreamCreateWithFlags", cudaErrorMemoryAllocation, [&] {
    if (stream == nullptr || (flags != cudaStreamDefault && flags != cudaStreamNonBlocking))
      return cudaErrorInvalidValue;
    *stream = new CUstream_st;
    all_streams().live.emplace(*stream, std::make_shared<stream_queue>(flags == cudaStreamDefault));
    return cudaSuccess;
  });
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

/// "In case the device is still doing work in the stream stream when cudaStreamDestroy() is called, the function will
/// return immediately and the resources associated with stream will be released automatically once the device has
/// completed all work in stream."
cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  return completing_call("cudaStreamDestroy", [&] {
    const auto found = all_streams().live.find(handle);
    if (found == all_streams().live.end()) return cudaErrorInvalidResourceHandle;
    if (found->second->captured_by != nullptr) found->second->captured_by->invalidated = true;
    if (!found->second->idle()) all_streams().destroyed.push_back(found->second);
    all_streams().live.erase(found);
    delete handle;
    finish_all_but_last_destroyed();
    return cudaSuccess;
  });
}

/// "Blocks until stream has completed all operations." Not allowed while the stream is captured.
cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return completing_call("cudaStreamSynchronize", [&] {
    const std::shared_ptr<stream_queue> stream = find_stream(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (stream->captured_by != nullptr) {
      stream->captured_by->invalidated = true;
      return cudaErrorStreamCaptureUnsupported;
    }
    stream->run_all();
    return device_error();
  });
}

/// Each query lets one more piece of work happen, so that a loop of queries ends.
cudaError_t cudaStreamQuery(cudaStream_t handle) {
  return runtime_call("cudaStreamQuery", cudaErrorUnknown, [&] {
    const std::shared_ptr<stream_queue> stream = find_stream(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (stream->captured_by != nullptr) {
      stream->captured_by->invalidated = true;
      return cudaErrorStreamCaptureUnsupported;
    }
    if (stream->idle()) return device_error();
    stream->step();
    return cudaErrorNotReady;
  });
}

/// "Blocks until the device has completed all preceding requested tasks."
cudaError_t cudaDeviceSynchronize() {
  return completing_call("cudaDeviceSynchronize", [&] {
    if (const cudaError_t refused = refuse_during_capture(); refused != cudaSuccess) return refused;
    run_all_streams();
    return device_error();
  });
}

/// "The host function will be called after currently enqueued work and will block work added after it."
cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* data) {
  return runtime_call("cudaLaunchHostFunc", cudaErrorUnknown, [&] {
    return function == nullptr ? cudaErrorInvalidValue : enqueue_work(stream, [=] { function(data); });
  });
}

cudaError_t cudaStreamGetFlags(cudaStream_t handle, unsigned int* flags) {
  return runtime_call("cudaStreamGetFlags", cudaErrorUnknown, [&] {
    const std::shared_ptr<stream_queue> stream = find_stream(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    *flags = stream->blocking() ? cudaStreamDefault : cudaStreamNonBlocking;
    return cudaSuccess;
  });
}
