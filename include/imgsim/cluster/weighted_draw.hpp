// A random row, by weight: the step that k-means++ and its relative for medoids are made of.
#pragma once

#include <cstddef>
#include <optional>

#include <imgsim/core/random.hpp>

namespace imgsim::detail {

/// A row of [0, size) with probability proportional to weight(row) >= 0, summed in float64 in order of rows; nothing
/// where all weights are 0. A row of weight 0 is never drawn.
template <class Weight>
std::optional<std::size_t> draw_weighted(std::size_t size, Weight&& weight, random_stream& random) {
  double total = 0;
  for (std::size_t row = 0; row < size; ++row) total += weight(row);
  if (!(total > 0)) return std::nullopt;
  const double target = random.uniform() * total;
  double sum = 0;
  std::optional<std::size_t> drawn;
  for (std::size_t row = 0; row < size && sum <= target; ++row) {
    const double w = weight(row);
    if (w > 0) drawn = row;
    sum += w;
  }
  return drawn;
}

}  // namespace imgsim::detail
