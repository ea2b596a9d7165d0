// Scalar references for k-means.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

namespace imgsim_test::reference {

using point_table = std::vector<std::vector<double>>;

inline double squared_distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

inline std::size_t nearest_centroid(const std::vector<double>& point, const point_table& centroids) {
  std::size_t nearest = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t c = 0; c < centroids.size(); ++c) {
    const double d = squared_distance(point, centroids[c]);
    if (d < least) {
      least = d;
      nearest = c;
    }
  }
  return nearest;
}

/// Means of the points of each label; no label may be without points.
inline point_table label_means(const point_table& points, const std::vector<std::size_t>& labels, std::size_t k) {
  point_table means(k, std::vector<double>(points[0].size(), 0.0));
  std::vector<double> sizes(k, 0.0);
  for (std::size_t row = 0; row < points.size(); ++row) {
    ++sizes[labels[row]];
    for (std::size_t i = 0; i < points[row].size(); ++i) means[labels[row]][i] += points[row][i];
  }
  for (std::size_t c = 0; c < k; ++c) {
    for (double& value : means[c]) value /= sizes[c];
  }
  return means;
}

}  // namespace imgsim_test::reference
