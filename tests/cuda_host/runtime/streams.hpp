// Streams as queues that run only when somebody waits for them: work that was not waited for has not happened, and a
// forgotten synchronisation becomes a wrong answer or a use of freed memory.
#pragma once

#include <driver_types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cuda_host/runner/fiber_pool.hpp"

namespace imgsim::cuda_host {

class stream_queue;
struct capture;

/// One thing that a stream does. Its address is also ThreadSanitizer's object for the order "queued before run".
struct stream_work {
  std::function<void()> run;
  bool even_after_fault = false;  // frees
};

/// The point of a stream that an event marks.
struct stream_point {
  std::shared_ptr<stream_queue> stream;
  std::uint64_t position = 0;  // after so many pieces of work
  double seconds = 0;          // when it was passed
  bool passed = false;
};

/// Work runs on a fiber of the stream's own, so that ThreadSanitizer sees streams as the threads they are: what no
/// event or synchronisation orders is a race, even though one thread runs it all.
class stream_queue : public std::enable_shared_from_this<stream_queue> {
 public:
  /// `blocking`: takes part in the implicit order with the legacy default stream.
  explicit stream_queue(bool blocking);
  ~stream_queue();
  stream_queue(const stream_queue&) = delete;
  stream_queue& operator=(const stream_queue&) = delete;

  void push(std::function<void()> work, bool even_after_fault = false);
  /// Runs until `position` pieces of work are done; the caller then comes after them.
  void run_until(std::uint64_t position);
  void run_all() { run_until(pushed_); }
  /// One piece of work. Whether anything is left.
  bool step();

  [[nodiscard]] std::uint64_t pushed() const noexcept { return pushed_; }
  [[nodiscard]] bool idle() const noexcept { return done_ == pushed_; }
  [[nodiscard]] bool blocking() const noexcept { return blocking_; }
  void drop_all();

  /// Where its work goes instead while it is captured.
  std::shared_ptr<capture> captured_by;

 private:
  static void flow_body(void* self);
  void run_next();

  bool blocking_;
  std::deque<std::unique_ptr<stream_work>> work_;
  std::uint64_t pushed_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t target_ = 0;
  bool running_ = false;
  fiber flow_;
  std::unique_ptr<fiber_pool> fibers_;  // of its kernels
};

/// The fibers of the stream whose work is running.
[[nodiscard]] fiber_pool& fibers_of_running_stream();

/// A graph being recorded, and afterwards what the graph consists of: its work in the order of recording, which is one
/// of the orders that the graph allows.
struct capture {
  std::vector<std::function<void()>> work;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  bool invalidated = false;
  bool open = true;
  stream_queue* origin = nullptr;
  std::vector<std::shared_ptr<stream_queue>> joined;  // streams that were drawn in by an event
  std::vector<stream_queue*> unjoined;                // those of them whose work the origin has not waited for
};

/// The queue behind a handle: null for one that is unknown or destroyed. 0 and cudaStreamLegacy are the legacy stream.
[[nodiscard]] std::shared_ptr<stream_queue> find_stream(cudaStream_t handle);

/// Queues work in a stream, or records it where the stream is captured.
cudaError_t enqueue_work(cudaStream_t handle, std::function<void()> work, bool even_after_fault = false);

/// Everything in every stream, destroyed ones included.
void run_all_streams();

/// For a call that must not happen while a stream is captured: the error to return, with that capture invalidated.
[[nodiscard]] cudaError_t refuse_during_capture();

/// Remembers a capture that has begun, so that calls which captures forbid find it.
void register_capture(const std::shared_ptr<capture>& graph);

/// Of the whole module, see device_state.hpp.
void describe_streams(std::vector<std::string>& sentences);
void describe_events(std::vector<std::string>& sentences);
void describe_graphs(std::vector<std::string>& sentences);
void describe_memory(std::vector<std::string>& sentences);
void reset_streams();
void reset_events();
void reset_graphs();
void reset_memory();

}  // namespace imgsim::cuda_host
