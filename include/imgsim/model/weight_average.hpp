// The running mean of a network's weights over training, which is smoother than the last of them (Polyak and Juditsky,
// 1992, doi:10.1137/0330046).
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/model/state.hpp>

namespace imgsim {

/// Steps from one look at the weights to the next: each reads them from where the network is.
inline constexpr std::size_t kStepsPerAverage = 8;

/// mean = keep * mean + (1 - keep) * weights, batch-norm statistics included; the first weights seen are its beginning.
class weight_average {
 public:
  /// `keep` of one step; 0: the mean is the last weights seen.
  explicit weight_average(double keep) : keep_(keep) {}

  /// The weights after `steps` more steps; shapes do not change.
  void add(std::vector<named_tensor> weights, std::size_t steps) {
    if (mean_.empty()) {
      mean_ = std::move(weights);
      return;
    }
    const auto keep = static_cast<float>(std::pow(keep_, static_cast<double>(steps)));
    for (std::size_t t = 0; t < mean_.size(); ++t) {
      for (std::size_t i = 0; i < mean_[t].values.size(); ++i)
        mean_[t].values[i] = keep * mean_[t].values[i] + (1.0f - keep) * weights[t].values[i];
    }
  }

  /// Empty before the first add().
  [[nodiscard]] const std::vector<named_tensor>& mean() const noexcept { return mean_; }
  void restore(std::vector<named_tensor> mean) { mean_ = std::move(mean); }

 private:
  double keep_;
  std::vector<named_tensor> mean_;
};

}  // namespace imgsim
