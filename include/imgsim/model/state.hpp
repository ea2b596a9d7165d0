// A network's numbers in a form that no backend owns: what model files hold.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace imgsim {

/// "encoder.0.kernel" and the like; values in C order, float32 whatever the precision of the arithmetic.
struct named_tensor {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<float> values;

  bool operator==(const named_tensor&) const = default;
};

}  // namespace imgsim
