// The indices of Calinski and Harabasz and of Davies and Bouldin, by their formulas.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace imgsim_test::reference {

struct indices {
  double calinski_harabasz;
  double davies_bouldin;
};

inline double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

/// The mean of the points that `chosen` accepts.
template <class Chosen>
std::vector<double> mean_of(const std::vector<std::vector<double>>& points, Chosen chosen) {
  std::vector<double> mean(points[0].size(), 0.0);
  double count = 0;
  for (std::size_t row = 0; row < points.size(); ++row) {
    if (!chosen(row)) continue;
    ++count;
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += points[row][i];
  }
  for (double& value : mean) value /= count;
  return mean;
}

inline indices centroid_indices(const std::vector<std::vector<double>>& points,
                                const std::vector<std::uint32_t>& labels, std::size_t k) {
  const std::vector<double> mean = mean_of(points, [](std::size_t) { return true; });
  std::vector<std::vector<double>> centroids;
  std::vector<double> spread;
  double between = 0, within = 0;
  for (std::size_t group = 0; group < k; ++group) {
    centroids.push_back(mean_of(points, [&](std::size_t row) { return labels[row] == group; }));
    double size = 0, sum = 0;
    for (std::size_t row = 0; row < points.size(); ++row) {
      if (labels[row] != group) continue;
      ++size;
      sum += distance(points[row], centroids[group]);
      within += std::pow(distance(points[row], centroids[group]), 2);
    }
    spread.push_back(sum / size);
    between += size * std::pow(distance(centroids[group], mean), 2);
  }
  double worst_ratios = 0;
  for (std::size_t i = 0; i < k; ++i) {
    double worst = 0;
    for (std::size_t j = 0; j < k; ++j)
      if (j != i) worst = std::max(worst, (spread[i] + spread[j]) / distance(centroids[i], centroids[j]));
    worst_ratios += worst;
  }
  const double m = static_cast<double>(points.size()), groups = static_cast<double>(k);
  return {between / (groups - 1) / (within / (m - groups)), worst_ratios / groups};
}

}  // namespace imgsim_test::reference
