// Who is near whom in each of several feature spaces of the same photos, and where the spaces agree.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include <imgsim/core/context.hpp>
#include <imgsim/embedding/transform.hpp>

namespace imgsim::detail {

/// Row i: the rows nearest to row i, itself left out, in ascending order. Rows that tie with one that had to be left
/// out are left out, too: among photos that are all the same, none is near.
using nearest_sets = std::vector<std::vector<std::size_t>>;

/// By the cosine, which is the product of the columns of `points` [D, n], each of length 1 or 0. The answer does not
/// depend on the number of threads. (A product of matrices would bring Eigen's own threads into each of the context's.)
template <execution_context Context>
[[nodiscard]] nearest_sets find_nearest_sets(const Context& context, const Eigen::MatrixXf& points, std::size_t count) {
  const auto n = static_cast<std::size_t>(points.cols());
  const auto width = static_cast<std::size_t>(points.rows());
  nearest_sets sets(n);
  context.host_pool().for_each(n, [&](std::size_t i) {
    std::vector<float> product(n);
    for (std::size_t j = 0; j < n; ++j) product[j] = dot(points.data() + i * width, points.data() + j * width, width);
    std::vector<std::size_t> order;
    order.reserve(n);
    for (std::size_t j = 0; j < n; ++j)
      if (j != i) order.push_back(j);
    const std::size_t kept = std::min(count, order.size());
    std::ranges::nth_element(
        order, order.begin() + static_cast<std::ptrdiff_t>(kept),
        [&](std::size_t a, std::size_t b) { return product[a] != product[b] ? product[a] > product[b] : a < b; });
    if (kept < order.size()) {
      const float next = product[order[kept]];
      order.resize(kept);
      std::erase_if(order, [&](std::size_t j) { return product[j] == next; });
    }
    std::ranges::sort(order);
    sets[i] = std::move(order);
  });
  return sets;
}

[[nodiscard]] inline std::size_t shared_members(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b) {
  std::size_t shared = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) {
      ++shared, ++i, ++j;
    } else {
      a[i] < b[j] ? ++i : ++j;
    }
  }
  return shared;
}

using photo_pairs = std::vector<std::pair<std::size_t, std::size_t>>;

/// The pairs i < j that are each among the other's nearest.
[[nodiscard]] inline photo_pairs mutual_pairs(const nearest_sets& sets) {
  photo_pairs pairs;
  for (std::size_t i = 0; i < sets.size(); ++i)
    for (const std::size_t j : sets[i])
      if (i < j && std::ranges::binary_search(sets[j], i)) pairs.emplace_back(i, j);
  return pairs;
}

}  // namespace imgsim::detail
