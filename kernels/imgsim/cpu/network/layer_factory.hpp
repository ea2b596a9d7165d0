// From a plan's layers to the CPU's. A new kind of layer is one header and one line here.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <variant>

#include <imgsim/cpu/network/batch_norm.hpp>
#include <imgsim/cpu/network/convolution.hpp>
#include <imgsim/cpu/network/dense.hpp>
#include <imgsim/cpu/network/elementwise.hpp>
#include <imgsim/cpu/network/layer.hpp>
#include <imgsim/cpu/network/pooling.hpp>
#include <imgsim/cpu/network/resampling.hpp>

namespace imgsim::cpu {

/// Whether a layer of this kind applies the rectifier that follows it.
[[nodiscard]] inline bool can_rectify(const layer_operation& operation) {
  return std::holds_alternative<convolution>(operation) || std::holds_alternative<transposed_convolution>(operation);
}

/// What layers do of the work of their neighbours.
struct shared_work {
  /// For the layer before (only where can_rectify): the slope of the rectifier right after, which it applies forward.
  std::optional<double> next = {};
  bool done_before = false;             ///< for the rectifier: the layer before applies it forward
  bool done_after = false;              ///< for the rectifier: the layer after does its part of backward
  bool pools_after = false;             ///< for a convolution: in inference it does the work of the two layers after it
  bool pooled_before = false;           ///< for max pooling: the convolution before does so
  std::optional<double> previous = {};  ///< for the layer after (only where pools_by_tiles): the rectifier's slope
};

[[nodiscard]] inline std::unique_ptr<layer> make_layer(const layer_operation& operation, const layer_setup& setup,
                                                       const shared_work& shared) {
  const auto make = [&]<class Operation>(const Operation& spec) -> std::unique_ptr<layer> {
    if constexpr (std::is_same_v<Operation, convolution>) {
      return std::make_unique<convolution_layer>(setup, spec, shared.next, shared.pools_after);
    } else if constexpr (std::is_same_v<Operation, transposed_convolution>) {
      return std::make_unique<transposed_convolution_layer>(setup, spec, shared.next);
    } else if constexpr (std::is_same_v<Operation, max_pooling>) {
      return std::make_unique<max_pooling_layer>(setup, spec, shared.previous, shared.pooled_before);
    } else if constexpr (std::is_same_v<Operation, upsampling>) {
      return std::make_unique<upsampling_layer>(setup, spec);
    } else if constexpr (std::is_same_v<Operation, relu> || std::is_same_v<Operation, leaky_relu>) {
      return std::make_unique<rectifier_layer>(setup, *rectifier_slope(operation), shared.done_before,
                                               shared.done_after);
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
      return std::make_unique<reinterpret_layer>(setup);
    }
  };
  return std::visit(make, operation);
}

}  // namespace imgsim::cpu
