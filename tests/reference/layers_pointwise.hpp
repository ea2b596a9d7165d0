// Batch normalisation and losses in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "reference/layers.hpp"

namespace reference {

struct batch_statistics {
  std::vector<double> mean, variance;  // biased
};

inline batch_statistics statistics_of(const std::vector<image>& batch) {
  const std::size_t channels = batch.front().channels;
  batch_statistics s{std::vector<double>(channels), std::vector<double>(channels)};
  const auto count = static_cast<double>(batch.size() * batch.front().height * batch.front().width);
  for (const image& photo : batch)
    for (std::size_t i = 0; i < photo.values.size(); ++i) s.mean[i % channels] += photo.values[i] / count;
  for (const image& photo : batch)
    for (std::size_t i = 0; i < photo.values.size(); ++i)
      s.variance[i % channels] += std::pow(photo.values[i] - s.mean[i % channels], 2) / count;
  return s;
}

inline void normalise(image& photo, const batch_statistics& s, const std::vector<double>& gamma,
                      const std::vector<double>& beta, double epsilon) {
  for (std::size_t i = 0; i < photo.values.size(); ++i) {
    const std::size_t c = i % photo.channels;
    photo.values[i] = gamma[c] * (photo.values[i] - s.mean[c]) / std::sqrt(s.variance[c] + epsilon) + beta[c];
  }
}

/// Mean over all values; outputs of a sigmoid, or of Keras' clipping to [1e-7, 1 - 1e-7] where `clip`.
inline double cross_entropy(const std::vector<image>& outputs, const std::vector<image>& targets, bool clip) {
  double sum = 0.0, count = 0.0;
  for (std::size_t b = 0; b < outputs.size(); ++b)
    for (std::size_t i = 0; i < outputs[b].values.size(); ++i, count += 1.0) {
      const double p = clip ? std::clamp(outputs[b].values[i], 1e-7, 1.0 - 1e-7) : outputs[b].values[i];
      const double t = targets[b].values[i];
      sum -= t * std::log(p) + (1.0 - t) * std::log(1.0 - p);
    }
  return sum / count;
}

inline double squared_error(const std::vector<image>& outputs, const std::vector<image>& targets) {
  double sum = 0.0, count = 0.0;
  for (std::size_t b = 0; b < outputs.size(); ++b)
    for (std::size_t i = 0; i < outputs[b].values.size(); ++i, count += 1.0)
      sum += std::pow(outputs[b].values[i] - targets[b].values[i], 2);
  return sum / count;
}

}  // namespace reference
