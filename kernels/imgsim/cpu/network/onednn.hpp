// oneDNN as the layers use it: one engine, a stream a worker, primitives that are made once and run without allocating.
//
// oneDNN runs here on the thread that calls it: the batch is split over the context's pool, not inside primitives. Its
// OpenMP runtime is told so for each thread, for as long as a piece of work lasts (single_threaded_openmp).
#pragma once

#include <omp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <dnnl.hpp>

#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/network/element.hpp>

namespace imgsim::cpu {

/// Limits OpenMP to the calling thread, and gives the caller's own limit back.
class single_threaded_openmp {
 public:
  single_threaded_openmp() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  single_threaded_openmp(const single_threaded_openmp&) = delete;
  single_threaded_openmp& operator=(const single_threaded_openmp&) = delete;
  ~single_threaded_openmp() { omp_set_num_threads(before_); }

 private:
  int before_;
};

/// Runs `f`; what oneDNN throws becomes backend_error.
template <class F>
decltype(auto) calling_onednn(F&& f) {
  try {
    return f();
  } catch (const dnnl::error& e) {
    throw backend_error("oneDNN", std::string(e.what()) + " (status " + std::to_string(e.status) + ")");
  }
}

[[nodiscard]] inline dnnl::memory::data_type onednn_type(element type) noexcept {
  return type == element::float32 ? dnnl::memory::data_type::f32 : dnnl::memory::data_type::bf16;
}

/// Throws invalid_argument where the CPU has no bfloat16 products.
inline void require_bfloat16() {
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto needed = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
  IMGSIM_EXPECTS((isa & needed) == needed,
                 "bfloat16 arithmetic needs a CPU with avx512_bf16 or AMX, which this machine has not: use float32");
}

/// A buffer that only grows.
template <class T>
class growing_buffer {
 public:
  [[nodiscard]] T* at_least(std::size_t size) {
    if (storage_.size() < size) storage_ = tensor<T, 1>({size});
    return storage_.data();
  }
  [[nodiscard]] T* data() noexcept { return storage_.data(); }
  [[nodiscard]] const T* data() const noexcept { return storage_.data(); }

 private:
  tensor<T, 1> storage_;
};

/// What one thread of a pass has to itself.
struct worker {
  std::size_t index = 0;
  dnnl::stream stream;
  growing_buffer<std::byte> onednn_scratch;
  growing_buffer<float> scratch;  ///< any layer, within one call
};

struct onednn_session {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  std::vector<worker> workers;

  explicit onednn_session(std::size_t threads) {
    for (std::size_t i = 0; i < threads; ++i) workers.push_back({i, dnnl::stream(engine), {}, {}});
  }
};

/// body(worker, task) once for each task, on the context's pool; a worker runs one task at a time.
template <class Body>
void for_each_task(const cpu_context& context, onednn_session& session, std::size_t tasks, Body&& body) {
  std::atomic<std::size_t> next{0};
  context.parallel_for(std::min(tasks, session.workers.size()), [&](std::size_t w) {
    const single_threaded_openmp guard;
    for (std::size_t task = 0; (task = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) {
      body(session.workers[w], task);
    }
  });
}

/// A primitive with its arguments' descriptors; run() binds pointers to memory objects kept for each worker.
class onednn_operation {
 public:
  struct argument {
    int index;
    dnnl::memory::desc layout;
  };

  onednn_operation() = default;
  onednn_operation(onednn_session& session, dnnl::primitive primitive, std::vector<argument> arguments,
                   const dnnl::memory::desc& scratch)
      : primitive_(std::move(primitive)), arguments_(std::move(arguments)), scratch_size_(scratch.get_size()) {
    if (scratch_size_ > 0) arguments_.push_back({DNNL_ARG_SCRATCHPAD, scratch});
    IMGSIM_EXPECTS(arguments_.size() <= kMostArguments, "an operation has too many arguments");
    memories_.resize(session.workers.size());
    for (worker& w : session.workers) {
      for (const argument& a : arguments_) memories_[w.index].emplace_back(a.layout, session.engine, nullptr);
      (void)w.onednn_scratch.at_least(scratch_size_);
    }
  }

  [[nodiscard]] explicit operator bool() const noexcept { return !arguments_.empty(); }

  /// `pointers` in the order of the constructor's arguments; the constness of inputs is dropped for oneDNN's interface.
  void run(worker& w, std::initializer_list<const void*> pointers) {
    std::array<dnnl_exec_arg_t, kMostArguments> bound{};
    std::vector<dnnl::memory>& memories = memories_[w.index];
    std::size_t count = 0;
    for (const void* pointer : pointers) bind(memories, bound, count++, const_cast<void*>(pointer), w);
    if (scratch_size_ > 0) bind(memories, bound, count++, w.onednn_scratch.data(), w);
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(primitive_.get(), w.stream.get(), static_cast<int>(count), bound.data()),
        "a layer could not be run");
  }

 private:
  static constexpr std::size_t kMostArguments = 6;

  void bind(std::vector<dnnl::memory>& memories, std::array<dnnl_exec_arg_t, kMostArguments>& bound, std::size_t i,
            void* pointer, worker& w) {
    memories[i].set_data_handle(pointer, w.stream);
    bound[i] = {arguments_[i].index, memories[i].get()};
  }

  dnnl::primitive primitive_;
  std::vector<argument> arguments_;
  std::size_t scratch_size_ = 0;
  std::vector<std::vector<dnnl::memory>> memories_;
};

/// Attributes of every primitive: scratch memory is the worker's.
[[nodiscard]] inline dnnl::primitive_attr worker_scratch() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

[[nodiscard]] inline onednn_operation make_reorder(onednn_session& session, const dnnl::memory::desc& from,
                                                   const dnnl::memory::desc& to, bool accumulate) {
  dnnl::primitive_attr attributes = worker_scratch();
  if (accumulate) {
    dnnl::post_ops add;
    add.append_sum(1.0f);
    attributes.set_post_ops(add);
  }
  const dnnl::reorder::primitive_desc description(session.engine, from, session.engine, to, attributes);
  return {
      session, dnnl::reorder(description), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}, description.scratchpad_desc()};
}

}  // namespace imgsim::cpu
