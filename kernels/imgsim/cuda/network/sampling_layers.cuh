// Layers that change the number of pixels: max pooling, generalised means, upsampling.
#pragma once

#include <cstddef>
#include <limits>

#include <imgsim/cuda/network/generalised_mean_kernel.cuh>
#include <imgsim/cuda/network/launches.cuh>
#include <imgsim/cuda/network/layer.hpp>
#include <imgsim/cuda/network/max_pooling_kernel.cuh>
#include <imgsim/cuda/network/upsampling_kernel.cuh>
#include <imgsim/model/layer_spec.hpp>

namespace imgsim::cuda {

class max_pooling_layer final : public layer {
 public:
  max_pooling_layer(const layer_setup& setup, const max_pooling& spec) : layer(setup) {
    const window_extent rows = slide_window(in_.height, spec.window.height, spec.stride.height, spec.padding);
    const window_extent columns = slide_window(in_.width, spec.window.width, spec.stride.width, spec.padding);
    const auto narrow = [](std::size_t extent) { return checked_count(extent, "pixels in a side"); };
    shape_ = {narrow(in_.height),        narrow(in_.width),          narrow(in_.channels),
              narrow(out_.height),       narrow(out_.width),         narrow(spec.window.height),
              narrow(spec.window.width), narrow(spec.stride.height), narrow(spec.stride.width),
              narrow(rows.pad_before),   narrow(columns.pad_before)};
  }

  void forward(const layer_batch& batch) override {
    (void)checked_count(batch.photos * in_.size(), "values in a layer");
    with_channel_packs(batch.photos * out_.size(), out_.channels, [&](auto n, unsigned packs) {
      launch(cover(packs, kNetworkThreads), context().stream(), max_pool<n(), float>, packs, shape_, batch.in,
             batch.out);
    });
  }
  void backward(const layer_batch& batch, const layer_gradients& gradients) override {
    if (gradients.diff_in == nullptr) return;
    with_channel_packs(batch.photos * in_.size(), in_.channels, [&](auto n, unsigned packs) {
      launch(cover(packs, kNetworkThreads), context().stream(), max_pool_backward<n(), float>, packs, shape_, batch.in,
             gradients.diff_out, gradients.diff_in);
    });
  }

 private:
  pooling_shape shape_{};
};

class upsampling_layer final : public layer {
 public:
  upsampling_layer(const layer_setup& setup, const upsampling& spec)
      : layer(setup),
        shape_{checked_count(in_.height, "pixels in a side"), checked_count(in_.width, "pixels in a side"),
               checked_count(in_.channels, "channels"),       checked_count(spec.factor.height, "times"),
               checked_count(spec.factor.width, "times"),     spec.interpolation == interpolation_kind::bilinear} {}

  void forward(const layer_batch& batch) override {
    with_channel_packs(batch.photos * out_.size(), out_.channels, [&](auto n, unsigned packs) {
      launch(cover(packs, kNetworkThreads), context().stream(), upsample<n(), float>, packs, shape_, batch.in,
             batch.out);
    });
  }
  void backward(const layer_batch& batch, const layer_gradients& gradients) override {
    if (gradients.diff_in == nullptr) return;
    (void)checked_count(batch.photos * out_.size(), "values in a layer");
    with_channel_packs(batch.photos * in_.size(), in_.channels, [&](auto n, unsigned packs) {
      launch(cover(packs, kNetworkThreads), context().stream(), upsample_backward<n(), float>, packs, shape_,
             gradients.diff_out, gradients.diff_in);
    });
  }

 private:
  upsampling_shape shape_;
};

/// Photos that one launch of generalised_means takes: what the second dimension of a grid holds.
inline constexpr std::size_t kMostMeanPhotos = 65535;

/// Means over the cells of `grid` of activations [photos, H, W, C]; photo b's go to out + b * out_stride. Queued.
inline void queue_means(const network_session& session, const mean_shape& shape, std::size_t photos, const float* in,
                        float* out, std::size_t out_stride) {
  const std::size_t size = std::size_t{shape.height} * shape.width * shape.channels;
  (void)checked_count(size, "values in a photo");
  const unsigned tiles = (shape.channels + kChannelTile - 1) / kChannelTile;
  for (std::size_t first = 0; first < photos; first += kMostMeanPhotos) {
    const std::size_t count = std::min(kMostMeanPhotos, photos - first);
    launch({dim3(shape.grid * shape.grid, static_cast<unsigned>(count), tiles), dim3(kNetworkThreads)},
           session.context.stream(), generalised_means<float>, shape, in + first * size, out + first * out_stride,
           out_stride);
  }
}

[[nodiscard]] inline mean_shape make_mean_shape(const feature_shape& in, std::size_t grid, double exponent,
                                                double floor) {
  return {checked_count(in.height, "pixels in a side"),
          checked_count(in.width, "pixels in a side"),
          checked_count(in.channels, "channels"),
          checked_count(grid, "cells in a side"),
          static_cast<float>(exponent),
          static_cast<float>(floor)};
}

/// The gradient of queue_means by `in`, from rows `out_stride` apart of its output and of its output's gradient, into
/// diff_in, or added to it. Queued.
inline void queue_means_backward(const network_session& session, const mean_shape& shape, std::size_t photos,
                                 const float* in, const float* out, const float* diff_out, std::size_t out_stride,
                                 bool adds, float* diff_in) {
  const unsigned count = checked_count(photos * shape.height * shape.width * shape.channels, "values in a layer");
  (void)checked_count(photos * out_stride, "features in a batch");
  launch(cover(count, kNetworkThreads), session.context.stream(), generalised_means_backward<float>, count, shape, in,
         out, diff_out, static_cast<unsigned>(out_stride), adds, diff_in);
}

class generalised_mean_layer final : public layer {
 public:
  generalised_mean_layer(const layer_setup& setup, const generalised_mean_pooling& spec)
      : layer(setup), shape_(make_mean_shape(in_, spec.grid, spec.exponent, kGeneralisedMeanFloor)) {}

  void forward(const layer_batch& batch) override {
    queue_means(session_, shape_, batch.photos, batch.in, batch.out, out_.size());
  }
  void backward(const layer_batch& batch, const layer_gradients& gradients) override {
    if (gradients.diff_in == nullptr) return;
    queue_means_backward(session_, shape_, batch.photos, batch.in, batch.out, gradients.diff_out, out_.size(), false,
                         gradients.diff_in);
  }

 private:
  mean_shape shape_;
};

}  // namespace imgsim::cuda
