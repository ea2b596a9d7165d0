// First values of a network's parameters.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <imgsim/core/random.hpp>
#include <imgsim/model/network_plan.hpp>

namespace imgsim::detail {

/// Glorot and Bengio, 2010: uniform within sqrt(6 / (fan_in + fan_out)). Each parameter has a stream of its own, so
/// that a layer's values do not depend on the layers before it.
template <class Backend>
void initialise_parameters(const network_plan& plan, std::uint64_t seed, Backend& backend) {
  std::vector<float> values;
  for (std::size_t i = 0; i < plan.parameters.size(); ++i) {
    const planned_parameter& parameter = plan.parameters[i];
    const bool begins_at_one =
        parameter.role == parameter_role::gamma || parameter.role == parameter_role::moving_variance;
    values.assign(parameter.size(), begins_at_one ? 1.0f : 0.0f);
    if (parameter.role == parameter_role::kernel) {
      const double limit = std::sqrt(6.0 / static_cast<double>(parameter.fan_in + parameter.fan_out));
      random_stream random(seed, i);
      for (float& value : values) value = static_cast<float>(random.uniform(-limit, limit));
    }
    backend.write_parameter(i, values);
  }
}

}  // namespace imgsim::detail
