// How alike two groupings of the same points are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>

#include <imgsim/core/error.hpp>

namespace imgsim {

/// The adjusted Rand index (Hubert and Arabie, 1985, doi:10.1007/BF01908075) of two labellings [M]: 1 where they are
/// the same up to the names of the groups, about 0 where they agree no more than by chance, negative below that.
/// Labellings that both put every point in one group, or each in a group of its own, agree: 1. M <= 1: 1. Throws
/// invalid_argument where the lengths differ. O(M log M).
[[nodiscard]] inline double adjusted_rand_index(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b) {
  IMGSIM_EXPECTS(a.size() == b.size(), "labels of ", a.size(), " and of ", b.size(), " points cannot be compared");
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> both;
  std::map<std::uint32_t, std::size_t> in_a;
  std::map<std::uint32_t, std::size_t> in_b;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ++both[{a[i], b[i]}];
    ++in_a[a[i]];
    ++in_b[b[i]];
  }
  const auto pairs = [](std::size_t n) { return 0.5 * static_cast<double>(n) * (static_cast<double>(n) - 1.0); };
  const auto pairs_within = [&](const auto& counts) {
    double sum = 0;
    for (const auto& [label, count] : counts) sum += pairs(count);
    return sum;
  };
  const double together = pairs_within(both);
  const double together_in_a = pairs_within(in_a);
  const double together_in_b = pairs_within(in_b);
  const double total = pairs(a.size());
  const double most = 0.5 * (together_in_a + together_in_b);
  const double expected = total > 0 ? together_in_a * together_in_b / total : 0.0;
  return most == expected ? 1.0 : (together - expected) / (most - expected);
}

}  // namespace imgsim
