// The members of each group, from the labels of all points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <imgsim/cluster/outliers.hpp>
#include <imgsim/core/error.hpp>

namespace imgsim {

/// [K] lists of rows: those with label i in list i, ascending; those with kNoGroup in none. Throws invalid_argument for
/// another label of `k` or more.
[[nodiscard]] inline std::vector<std::vector<std::size_t>> rows_by_label(std::span<const std::uint32_t> labels,
                                                                         std::size_t k) {
  std::vector<std::vector<std::size_t>> rows(k);
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] == kNoGroup) continue;
    IMGSIM_EXPECTS(labels[row] < k, "row ", row, " has label ", labels[row], " where there are ", k, " groups");
    rows[labels[row]].push_back(row);
  }
  return rows;
}

}  // namespace imgsim
