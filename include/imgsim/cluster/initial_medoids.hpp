// Where a K-medoids search starts.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/cluster/weighted_draw.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/random.hpp>

namespace imgsim {

enum class medoid_initialisation {
  build,              // each next medoid lowers the cost most (Kaufman and Rousseeuw, 1987): K M^2 distances, no chance
  lab,                // BUILD on a fresh sample of 10 + sqrt(M) points for each medoid (Schubert and Rousseeuw, 2021)
  k_means_plus_plus,  // each next medoid drawn with probability proportional to its distance from those chosen
  random              // K different points, uniformly
};

/// "build", "lab", "k-means++" or "random"; throws invalid_argument for another name.
[[nodiscard]] inline medoid_initialisation parse_medoid_initialisation(std::string_view name) {
  if (name == "build") return medoid_initialisation::build;
  if (name == "lab") return medoid_initialisation::lab;
  if (name == "k-means++") return medoid_initialisation::k_means_plus_plus;
  if (name == "random") return medoid_initialisation::random;
  throw invalid_argument(
      detail::concat("no initialisation of medoids is called '", name, "': build, lab, k-means++ or random"));
}

namespace detail {

/// A row that is no medoid, uniformly; there must be one. O(1) while no more than half of the rows are medoids.
template <medoid_search Search>
std::size_t draw_uniform(const Search& search, random_stream& random) {
  if (search.medoids().size() <= search.size() / 2)
    for (;;)
      if (const std::size_t row = random.below(search.size()); !search.is_medoid(row)) return row;
  std::uint64_t skip = random.below(search.size() - search.medoids().size());
  std::size_t row = 0;
  for (;; ++row) {
    if (!search.is_medoid(row) && skip-- == 0) return row;
  }
}

/// A row that is no medoid, with probability proportional to its distance from the nearest one.
template <medoid_search Search>
std::size_t draw_by_distance(const Search& search, random_stream& random) {
  const std::span<const float> nearest = search.nearest();
  const auto weight = [&](std::size_t row) {
    return search.is_medoid(row) ? 0.0 : std::max(0.0, static_cast<double>(nearest[row]));
  };
  const std::optional<std::size_t> drawn = draw_weighted(search.size(), weight, random);
  return drawn ? *drawn : draw_uniform(search, random);  // uniform where every other point lies on a medoid
}

/// `count` different rows that are no medoids, uniformly (all of them where there are fewer), ascending.
template <medoid_search Search>
std::vector<std::size_t> sample_free_rows(const Search& search, std::size_t count, random_stream& random) {
  std::size_t free_rows = search.size() - search.medoids().size();
  std::size_t wanted = std::min(count, free_rows);
  std::vector<std::size_t> sample;
  sample.reserve(wanted);
  // Selection sampling (Knuth, TAOCP 2, algorithm 3.4.2S).
  for (std::size_t row = 0; wanted > 0; ++row) {
    if (search.is_medoid(row)) continue;
    if (random.below(free_rows--) < wanted) {
      sample.push_back(row);
      --wanted;
    }
  }
  return sample;
}

}  // namespace detail

/// Adds medoids to `search` until it has `k`; 1 <= k <= M. The result is a function of the distances, the medoids that
/// `search` had and the random stream. Calls before_each() before it looks for each, which may throw.
template <medoid_search Search, std::invocable BeforeEach>
void add_initial_medoids(Search& search, std::size_t k, medoid_initialisation method, random_stream& random,
                         BeforeEach&& before_each) {
  const auto sample_size = static_cast<std::size_t>(std::ceil(10.0 + std::sqrt(static_cast<double>(search.size()))));
  while (search.medoids().size() < k) {
    before_each();
    switch (method) {
      case medoid_initialisation::build:
        search.add(search.best_addition({}, {})->candidate);
        break;
      case medoid_initialisation::lab: {
        const std::vector<std::size_t> sample = detail::sample_free_rows(search, sample_size, random);
        search.add(search.best_addition(sample, sample)->candidate);
        break;
      }
      case medoid_initialisation::k_means_plus_plus:
        search.add(search.medoids().empty() ? detail::draw_uniform(search, random)
                                            : detail::draw_by_distance(search, random));
        break;
      case medoid_initialisation::random:
        search.add(detail::draw_uniform(search, random));
        break;
    }
  }
}

}  // namespace imgsim
