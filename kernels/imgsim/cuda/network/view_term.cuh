// The invariance term of a training step: what the taps see of two views, compared on the host while the device runs
// the decoder. The features are few (some hundred a photo), the correlations of all with all of them are too little
// work for kernels of their own.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <utility>

#include <imgsim/core/tensor.hpp>
#include <imgsim/cuda/check.cuh>
#include <imgsim/cuda/network/sampling_layers.cuh>
#include <imgsim/model/invariance.hpp>
#include <imgsim/model/network_plan.hpp>

namespace imgsim::cuda {

/// Marks a place in a stream that the host can wait for.
class stream_mark {
 public:
  stream_mark() { IMGSIM_CUDA_CHECK(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming)); }
  stream_mark(const stream_mark&) = delete;
  stream_mark& operator=(const stream_mark&) = delete;
  ~stream_mark() { cudaEventDestroy(event_); }

  void set(cudaStream_t stream) { IMGSIM_CUDA_CHECK(cudaEventRecord(event_, stream)); }
  void wait() const { IMGSIM_CUDA_CHECK(cudaEventSynchronize(event_)); }

 private:
  cudaEvent_t event_ = nullptr;
};

/// In a step: pool() and read() as the pass goes forward, compare() once all else is queued that does not need it,
/// add_gradient() as the pass comes back.
class view_term {
 public:
  view_term(const network_session& session, const network_plan& plan) : session_(session), plan_(plan) {}

  void reserve(std::size_t photos) {
    photos_ = photos;
    const std::size_t values = photos * plan_.view_size;
    (void)features_.at_least(session_.context, values);
    (void)gradients_.at_least(session_.context, values);
    if (host_features_.extent(0) >= photos) return;
    host_features_ = tensor<float, 2>({photos, plan_.view_size});
    host_gradients_ = tensor<float, 2>({photos, plan_.view_size});
  }

  /// What tap `t` sees of activations [photos, H, W, C]. Queued.
  void pool(const planned_tap& t, const float* activations) {
    queue_means(session_, shape_of(t), photos_, activations, features_.get() + t.offset, plan_.view_size);
  }

  /// Once all taps are pooled. Queued.
  void read() {
    session_.context.copy(matrix_view<const float, device_space>(features_.get(), {photos_, plan_.view_size}),
                          host_features_.view().slice(0, photos_));
    read_.set(session_.context.stream());
  }

  /// `weight` times the loss. Waits for read(), and for nothing after it; the gradient is queued.
  double compare(double weight) {
    read_.wait();
    const matrix_view<float> gradients = host_gradients_.view().slice(0, photos_);
    const double loss = compare_(std::as_const(host_features_).view().slice(0, photos_), weight, gradients);
    session_.context.copy(matrix_view<const float>(gradients),
                          matrix_view<float, device_space>(gradients_.get(), {photos_, plan_.view_size}));
    return weight * loss;
  }

  /// Adds to `gradient`, of activations [photos, H, W, C], what the term adds to it by tap `t`. Queued.
  void add_gradient(const planned_tap& t, const float* activations, float* gradient) {
    queue_means_backward(session_, shape_of(t), photos_, activations, features_.get() + t.offset,
                         gradients_.get() + t.offset, plan_.view_size, true, gradient);
  }

 private:
  [[nodiscard]] mean_shape shape_of(const planned_tap& t) const {
    return make_mean_shape(plan_.layers[t.layer].out, t.grid, t.exponent, tap_floor(t));
  }

  const network_session& session_;
  const network_plan& plan_;
  std::size_t photos_ = 0;
  growing_device_buffer<float> features_, gradients_;
  tensor<float, 2> host_features_, host_gradients_;  // outlive the copies that are queued to and from them
  stream_mark read_;
  invariance_loss compare_;
};

}  // namespace imgsim::cuda
