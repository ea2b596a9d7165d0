// The distances from some points to all medoids: what a change of medoids asks for where points lost one that they
// knew.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/cluster/distance_rows.hpp>
#include <imgsim/cpu/context.hpp>

namespace imgsim::cpu {

/// Out of rows in memory: row_of(position) gives the distances [M] from the medoid that is at a position. Called with
/// (points, use), it calls use(position, distance) for each medoid in order; distance(i) is that from it to points[i].
template <class RowOf>
class rows_of_medoids {
 public:
  rows_of_medoids(std::size_t medoids, RowOf row_of) : medoids_(medoids), row_of_(std::move(row_of)) {}

  template <class Use>
  void operator()(std::span<const std::uint32_t> points, Use&& use) const {
    for (std::uint32_t position = 0; position < medoids_; ++position) {
      const float* row = row_of_(position);
      use(position, [&](std::size_t i) { return row[points[i]]; });
    }
  }

 private:
  std::size_t medoids_;
  RowOf row_of_;
};

/// The same out of any source. Rows of medoids that do not lie in memory are not kept: the few distances that a change
/// asks for, about 2 M or 3 M, are computed again; where only whole rows can be read, K rows are.
template <class Source>
[[nodiscard]] auto distances_to_medoids(const cpu_context& context, const distance_rows<Source>& source,
                                        std::span<const std::size_t> medoids) {
  return [&context, &source, medoids](std::span<const std::uint32_t> points, auto&& use) {
    if constexpr (distance_rows<Source>::kResident) {
      rows_of_medoids(medoids.size(), [&](std::size_t position) { return source.row(medoids[position]); })(points, use);
    } else {
      const std::vector<std::size_t> columns(points.begin(), points.end());
      tensor<float, 2> read({std::min(medoids.size(), imgsim::detail::kRowsTogether), columns.size()});
      for (std::size_t first = 0; first < medoids.size(); first += read.extent(0)) {
        const auto some = medoids.subspan(first, std::min(read.extent(0), medoids.size() - first));
        source.submatrix(context, some, columns, read.view().slice(0, some.size()));
        for (std::size_t i = 0; i < some.size(); ++i)
          use(static_cast<std::uint32_t>(first + i), [row = read.view().row(i)](std::size_t at) { return row[at]; });
      }
    }
  };
}

}  // namespace imgsim::cpu
