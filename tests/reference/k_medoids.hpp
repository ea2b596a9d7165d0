// Scalar references for K-medoids: costs counted from scratch for every swap considered.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

namespace imgsim_test::reference {

using distance_table = std::vector<std::vector<double>>;

inline double medoid_cost(const distance_table& distances, const std::vector<std::size_t>& medoids) {
  double cost = 0;
  for (std::size_t o = 0; o < distances.size(); ++o) {
    double nearest = std::numeric_limits<double>::infinity();
    for (const std::size_t m : medoids) nearest = std::min(nearest, distances[m][o]);
    cost += nearest;
  }
  return cost;
}

/// PAM with eager swaps: candidates in order of rows, round and round; the best position for a candidate (ties to the
/// smaller) is taken if it lowers the cost; ends after a round without a swap. Returns the number of swaps.
inline std::size_t eager_swaps(const distance_table& distances, std::vector<std::size_t>& medoids) {
  std::size_t swaps = 0;
  double cost = medoid_cost(distances, medoids);
  for (std::size_t candidate = 0, unsuccessful = 0; unsuccessful < distances.size();
       candidate = (candidate + 1) % distances.size()) {
    ++unsuccessful;
    if (std::ranges::find(medoids, candidate) != medoids.end()) continue;
    std::size_t best_position = 0;
    double best_cost = std::numeric_limits<double>::infinity();
    for (std::size_t position = 0; position < medoids.size(); ++position) {
      std::vector<std::size_t> exchanged = medoids;
      exchanged[position] = candidate;
      const double its_cost = medoid_cost(distances, exchanged);
      if (its_cost < best_cost) {
        best_cost = its_cost;
        best_position = position;
      }
    }
    if (!(best_cost < cost)) continue;
    medoids[best_position] = candidate;
    cost = best_cost;
    unsuccessful = 0;
    ++swaps;
  }
  return swaps;
}

/// The least cost over every choice of `k` rows from `first` on, added to `chosen`.
inline double least_cost(const distance_table& distances, std::size_t k, std::vector<std::size_t> chosen = {},
                         std::size_t first = 0) {
  if (k == 0) return medoid_cost(distances, chosen);
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t row = first; row + k <= distances.size(); ++row) {
    chosen.push_back(row);
    least = std::min(least, least_cost(distances, k - 1, chosen, row + 1));
    chosen.pop_back();
  }
  return least;
}

}  // namespace imgsim_test::reference
