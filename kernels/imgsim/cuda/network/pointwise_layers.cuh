// Activations that no other layer applies.
#pragma once

#include <imgsim/cuda/network/launches.cuh>
#include <imgsim/cuda/network/layer.hpp>

namespace imgsim::cuda {

/// A ReLU or leaky ReLU.
class rectifier_layer final : public layer {
 public:
  using layer::layer;

  void forward(const layer_batch& batch) override {
    queue_values(session_, batch.photos * out_.size(), rectifier{batch.in, batch.out, rectifier_slope_});
  }
  void backward(const layer_batch& batch, const layer_gradients& gradients) override {
    if (gradients.diff_in == nullptr) return;
    queue_values(session_, batch.photos * out_.size(),
                 rectifier_gradient{gradients.diff_out, batch.out, gradients.diff_in, rectifier_slope_});
  }
};

/// A sigmoid inside the network; one at its end is part of the loss.
class sigmoid_layer final : public layer {
 public:
  using layer::layer;

  void forward(const layer_batch& batch) override {
    queue_values(session_, batch.photos * out_.size(), sigmoid_values{batch.in, batch.out});
  }
  void backward(const layer_batch& batch, const layer_gradients& gradients) override {
    if (gradients.diff_in == nullptr) return;
    queue_values(session_, batch.photos * out_.size(),
                 sigmoid_gradient{gradients.diff_out, batch.out, gradients.diff_in});
  }
};

}  // namespace imgsim::cuda
