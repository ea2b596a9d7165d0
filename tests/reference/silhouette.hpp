// The average silhouette width and the adjusted Rand index, pair by pair.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

namespace imgsim_test::reference {

inline double silhouette(const std::vector<std::vector<double>>& distances, const std::vector<std::size_t>& labels,
                         std::size_t k) {
  double total = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    double within = 0;
    double between = std::numeric_limits<double>::infinity();
    bool alone = true;
    for (std::size_t group = 0; group < k; ++group) {
      double sum = 0;
      double count = 0;
      for (std::size_t o = 0; o < labels.size(); ++o) {
        if (o == i || labels[o] != group) continue;
        sum += distances[i][o];
        ++count;
      }
      if (count == 0) continue;
      if (group == labels[i]) {
        within = sum / count;
        alone = false;
      } else {
        between = std::min(between, sum / count);
      }
    }
    const double largest = std::max(within, between);
    if (!alone && largest > 0) total += (between - within) / largest;
  }
  return total / static_cast<double>(labels.size());
}

/// From the four counts of pairs: together in both, in one only, in the other only, in neither.
inline double adjusted_rand_index(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b) {
  double both = 0, only_a = 0, only_b = 0, neither = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = i + 1; j < a.size(); ++j) {
      const bool in_a = a[i] == a[j];
      const bool in_b = b[i] == b[j];
      (in_a ? (in_b ? both : only_a) : (in_b ? only_b : neither)) += 1;
    }
  }
  const double below = (both + only_a) * (only_a + neither) + (both + only_b) * (only_b + neither);
  return below == 0 ? 1.0 : 2 * (both * neither - only_a * only_b) / below;
}

}  // namespace imgsim_test::reference
