// What a layer on a CUDA device is. A pass runs the whole batch through one layer after the other; all work is queued
// on the context's stream. Flatten and reshape are no layers here, since memory stays as it is, and a ReLU or leaky
// ReLU is part of the layer before it where that can apply one (executor.cuh).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <imgsim/cuda/network/session.hpp>
#include <imgsim/model/layer_shapes.hpp>

namespace imgsim::cuda {

enum class pass_kind { inference, training };

/// A parameter, valid for the life of the network; its gradient is at layer_gradients::parameters + offset.
struct parameter_view {
  float* values = nullptr;
  std::size_t offset = 0;
};

struct layer_setup {
  network_session& session;
  feature_shape in;
  feature_shape out;
  std::span<const parameter_view> parameters;
  /// Of the ReLU or leaky ReLU that follows, at negative values; 1: there is none.
  float rectifier_slope = 1.0f;
};

/// Activations are [photos, H, W, C], dense.
struct layer_batch {
  std::size_t photos = 0;
  pass_kind pass = pass_kind::inference;
  const float* in = nullptr;
  float* out = nullptr;
};

struct layer_gradients {
  float* diff_out = nullptr;    ///< may be overwritten
  float* diff_in = nullptr;     ///< null: not wanted
  float* parameters = nullptr;  ///< gradients of all parameters, to be written

  [[nodiscard]] float* of(const parameter_view& parameter) const noexcept { return parameters + parameter.offset; }
};

class layer {
 public:
  explicit layer(const layer_setup& setup)
      : session_(setup.session), in_(setup.in), out_(setup.out), rectifier_slope_(setup.rectifier_slope) {}
  layer(const layer&) = delete;
  layer& operator=(const layer&) = delete;
  virtual ~layer() = default;

  /// Makes what a pass over `photos` needs, if it is not there yet. `version` changes with the parameters.
  virtual void prepare(std::size_t /*photos*/, pass_kind, std::uint64_t /*version*/) {}
  virtual void forward(const layer_batch& batch) = 0;
  /// After a forward pass of training over the same batch; writes the gradients of the parameters.
  virtual void backward(const layer_batch& batch, const layer_gradients& gradients) = 0;

  [[nodiscard]] const feature_shape& output_shape() const noexcept { return out_; }

 protected:
  [[nodiscard]] bool rectifies() const noexcept { return rectifier_slope_ != 1.0f; }
  [[nodiscard]] const cuda_context& context() const noexcept { return session_.context; }

  network_session& session_;
  feature_shape in_;
  feature_shape out_;
  float rectifier_slope_;
};

}  // namespace imgsim::cuda
