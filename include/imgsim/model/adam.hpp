// Adam (Kingma and Ba, 2015, arXiv:1412.6980), in PyTorch's form: epsilon is added to the root of the bias-corrected
// second moment.
#pragma once

#include <cmath>
#include <cstdint>

namespace imgsim {

/// Parameters of one step.
struct adam_step {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-7;
};

/// What a step does to each parameter, for every backend alike; the bias corrections are in `rate` and `root_scale`:
///   first = keep1 * first + take1 * g,  second = keep2 * second + take2 * g * g,
///   value -= rate * first / (sqrt(second) * root_scale + epsilon)
struct adam_rule {
  float keep1, take1, keep2, take2, rate, root_scale, epsilon;
};

/// `step` counts from 1.
[[nodiscard]] inline adam_rule rule_of(const adam_step& adam, std::uint64_t step) {
  const double correction1 = 1.0 - std::pow(adam.beta1, static_cast<double>(step));
  const double correction2 = 1.0 - std::pow(adam.beta2, static_cast<double>(step));
  return {static_cast<float>(adam.beta1),
          static_cast<float>(1.0 - adam.beta1),
          static_cast<float>(adam.beta2),
          static_cast<float>(1.0 - adam.beta2),
          static_cast<float>(adam.learning_rate / correction1),
          static_cast<float>(1.0 / std::sqrt(correction2)),
          static_cast<float>(adam.epsilon)};
}

}  // namespace imgsim
