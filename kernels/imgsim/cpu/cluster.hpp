// The CPU backend of clustering: include this beside imgsim/cluster/*.hpp to run them on a cpu_context.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/cluster/centroid_searcher.hpp>
#include <imgsim/cpu/cluster/distance_rows.hpp>
#include <imgsim/cpu/cluster/medoid_searcher.hpp>
#include <imgsim/cpu/cluster/silhouette_searcher.hpp>
#include <imgsim/cpu/context.hpp>

namespace imgsim {

template <>
struct cluster_backend<cpu_context> {
  template <class Source>
  using medoid_searcher = cpu::medoid_searcher<Source>;
  template <class Source>
  using silhouette_searcher = cpu::silhouette_searcher<Source>;
  using centroid_searcher = cpu::centroid_searcher;

  template <class Source>
  [[nodiscard]] static tensor<float, 2> distances_among(const cpu_context& context, const Source& source,
                                                        std::span<const std::size_t> rows) {
    constexpr std::size_t kRows = 16;  // that a thread takes at a time
    using reader_type = cpu::distance_rows<Source>;
    const reader_type reader(context, source);
    tensor<float, 2> distances({rows.size(), rows.size()});
    const matrix_view<float> out = distances.view();
    context.parallel_for((rows.size() + kRows - 1) / kRows, [&](std::size_t part) {
      const std::size_t first = part * kRows;
      const std::size_t count = std::min(kRows, rows.size() - first);
      const std::size_t column = reader_type::kSymmetric ? first : 0;
      reader.submatrix(rows.subspan(first, count), rows.subspan(column),
                       {out.row(first) + column, {count, rows.size() - column}, {rows.size(), 1}});
      if constexpr (reader_type::kSymmetric)
        for (std::size_t c = first + count; c < rows.size(); ++c)
          for (std::size_t r = first; r < first + count; ++r) out(c, r) = out(r, c);
    });
    return distances;
  }
};

}  // namespace imgsim
