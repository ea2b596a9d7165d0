// From a plan's layers to those of the device. A new kind of layer is one header and one line here.
#pragma once

#include <memory>
#include <type_traits>
#include <variant>

#include <imgsim/cuda/network/batch_norm_layer.cuh>
#include <imgsim/cuda/network/convolution_layer.cuh>
#include <imgsim/cuda/network/dense_layer.cuh>
#include <imgsim/cuda/network/layer.hpp>
#include <imgsim/cuda/network/pointwise_layers.cuh>
#include <imgsim/cuda/network/sampling_layers.cuh>
#include <imgsim/model/layer_spec.hpp>

namespace imgsim::cuda {

/// Whether a layer of this kind applies the rectifier that follows it.
[[nodiscard]] inline bool can_rectify(const layer_operation& operation) {
  return std::holds_alternative<convolution>(operation) || std::holds_alternative<transposed_convolution>(operation) ||
         std::holds_alternative<dense>(operation) || std::holds_alternative<batch_normalization>(operation);
}

/// Whether a layer leaves memory as it is.
[[nodiscard]] inline bool only_reshapes(const layer_operation& operation) {
  return std::holds_alternative<flatten>(operation) || std::holds_alternative<reshape>(operation);
}

/// Of any operation but those that only reshape.
[[nodiscard]] inline std::unique_ptr<layer> make_layer(const layer_operation& operation, const layer_setup& setup) {
  const auto make = [&]<class Operation>(const Operation& spec) -> std::unique_ptr<layer> {
    if constexpr (std::is_same_v<Operation, convolution>) {
      return std::make_unique<convolution_layer>(setup, spec);
    } else if constexpr (std::is_same_v<Operation, transposed_convolution>) {
      return std::make_unique<transposed_convolution_layer>(setup, spec);
    } else if constexpr (std::is_same_v<Operation, max_pooling>) {
      return std::make_unique<max_pooling_layer>(setup, spec);
    } else if constexpr (std::is_same_v<Operation, upsampling>) {
      return std::make_unique<upsampling_layer>(setup, spec);
    } else if constexpr (std::is_same_v<Operation, relu> || std::is_same_v<Operation, leaky_relu>) {
      return std::make_unique<rectifier_layer>(setup);
    } else if constexpr (std::is_same_v<Operation, sigmoid>) {
      return std::make_unique<sigmoid_layer>(setup);
    } else if constexpr (std::is_same_v<Operation, batch_normalization>) {
      return std::make_unique<batch_norm_layer>(setup, spec);
    } else if constexpr (std::is_same_v<Operation, dense>) {
      return std::make_unique<dense_layer>(setup, spec);
    } else if constexpr (std::is_same_v<Operation, generalised_mean_pooling>) {
      return std::make_unique<generalised_mean_layer>(setup, spec);
    } else {
      static_assert(std::is_same_v<Operation, flatten> || std::is_same_v<Operation, reshape>);
      return nullptr;
    }
  };
  return std::visit(make, operation);
}

}  // namespace imgsim::cuda
