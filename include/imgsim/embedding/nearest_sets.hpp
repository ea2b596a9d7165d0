// Who is near whom in each of several feature spaces of the same photos, and where the spaces agree.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include <imgsim/core/context.hpp>

namespace imgsim::detail {

/// Row i: the rows nearest to row i, itself left out, in ascending order.
using nearest_sets = std::vector<std::vector<std::size_t>>;

/// By the cosine, which is the product of the columns of `points` [D, n], each of length 1 or 0; of equals the smaller
/// index. The answer does not depend on the number of threads.
template <execution_context Context>
[[nodiscard]] nearest_sets find_nearest_sets(const Context& context, const Eigen::MatrixXf& points, std::size_t count) {
  constexpr Eigen::Index kBlock = 128;
  const Eigen::Index n = points.cols();
  nearest_sets sets(static_cast<std::size_t>(n));
  context.host_pool().for_each(static_cast<std::size_t>((n + kBlock - 1) / kBlock), [&](std::size_t block) {
    const Eigen::Index begin = static_cast<Eigen::Index>(block) * kBlock;
    const Eigen::Index rows = std::min(kBlock, n - begin);
    const Eigen::MatrixXf products = points.transpose() * points.middleCols(begin, rows);  // [n, rows]
    std::vector<std::size_t> order(static_cast<std::size_t>(n));
    for (Eigen::Index r = 0; r < rows; ++r) {
      const float* product = products.col(r).data();
      order.clear();
      for (Eigen::Index j = 0; j < n; ++j)
        if (j != begin + r) order.push_back(static_cast<std::size_t>(j));
      const std::size_t kept = std::min(count, order.size());
      std::ranges::nth_element(
          order, order.begin() + static_cast<std::ptrdiff_t>(kept),
          [&](std::size_t a, std::size_t b) { return product[a] != product[b] ? product[a] > product[b] : a < b; });
      order.resize(kept);
      std::ranges::sort(order);
      sets[static_cast<std::size_t>(begin + r)] = order;
    }
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
