// Barlow Twins by its definition.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace reference {

/// features[2 N][F]: rows b and b + N are two views of a photo.
inline double barlow_twins(std::vector<std::vector<double>> features, double lambda, double epsilon) {
  const std::size_t photos = features.size() / 2, width = features.front().size();
  const auto n = static_cast<double>(photos);
  for (std::size_t half = 0; half < 2; ++half) {
    for (std::size_t i = 0; i < width; ++i) {
      double mean = 0, variance = 0;
      for (std::size_t b = 0; b < photos; ++b) mean += features[half * photos + b][i] / n;
      for (std::size_t b = 0; b < photos; ++b) variance += std::pow(features[half * photos + b][i] - mean, 2) / n;
      for (std::size_t b = 0; b < photos; ++b)
        features[half * photos + b][i] = (features[half * photos + b][i] - mean) / std::sqrt(variance + epsilon);
    }
  }
  double loss = 0;
  for (std::size_t i = 0; i < width; ++i) {
    for (std::size_t j = 0; j < width; ++j) {
      double c = 0;
      for (std::size_t b = 0; b < photos; ++b) c += features[b][i] * features[photos + b][j] / n;
      loss += i == j ? (1 - c) * (1 - c) : lambda * c * c;
    }
  }
  return loss / static_cast<double>(width);
}

}  // namespace reference
