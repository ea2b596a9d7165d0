// Top-N by sorting everything.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include <imgsim/core/view.hpp>

#include "reference/similarity_reference.hpp"

namespace imgsim_test {

/// (row, similarity) of the n best gallery rows; `excluded` is no match.
inline std::vector<std::pair<std::int64_t, float>> top_n_reference(std::string_view metric,
                                                                   imgsim::matrix_view<const float> gallery,
                                                                   row_span query, std::size_t n,
                                                                   std::size_t excluded = SIZE_MAX) {
  std::vector<std::pair<double, std::int64_t>> keys;
  for (std::size_t row = 0; row < gallery.extent(0); ++row)
    if (row != excluded)
      keys.emplace_back(canonical_reference_key(metric, query, {gallery.row(row), gallery.extent(1)}),
                        static_cast<std::int64_t>(row));
  std::ranges::sort(keys, [](const auto& a, const auto& b) {
    if (std::isnan(a.first) || std::isnan(b.first))
      return std::isnan(a.first) == std::isnan(b.first) ? a.second < b.second : std::isnan(b.first);
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  keys.resize(std::min(n, keys.size()));
  std::vector<std::pair<std::int64_t, float>> best;
  for (const auto& [key, row] : keys) {
    const double similarity = metric == "euclidean" ? 0 - std::sqrt(0 - key) : key;
    best.emplace_back(row, static_cast<float>(similarity));
  }
  return best;
}

}  // namespace imgsim_test
