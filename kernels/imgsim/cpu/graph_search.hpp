// Search by a graph of near neighbours on the CPU: include this to use search/neighbour_graph.hpp with cpu_context.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/cpu/search/answer.hpp>
#include <imgsim/cpu/search/graph_walk.hpp>
#include <imgsim/metric/metric.hpp>
#include <imgsim/search/neighbour_graph.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim {

template <>
struct graph_search_backend<cpu_context> {
  template <metric Metric, real_element T>
  [[nodiscard]] static approximate_top_n_result top_n(const cpu_context& context, const matrix_view<const T>& rows,
                                                      const neighbour_graph_view& graph,
                                                      const matrix_view<const T>& queries, Metric metric,
                                                      const top_n_options& options, std::size_t breadth) {
    const std::array<std::size_t, 2> shape{queries.extent(0), top_n_columns(rows.extent(0), options)};
    approximate_top_n_result result{{tensor<std::int64_t, 2>(shape), tensor<float, 2>(shape)}, 0};
    if (result.found.rows.empty()) return result;
    const std::size_t columns = shape[1];
    const std::size_t kept = std::max(breadth, columns + (options.exclude_self ? 1 : 0));
    const simd_level level = best_simd_level();
    const std::vector<double> norms = cpu::row_squared_norms(context, queries, level);
    const top_n_output<host_space> out{result.found.rows.view(), result.found.similarity.view()};
    std::vector<std::uint8_t> is_short(queries.extent(0), 0);
    std::atomic<std::uint64_t> compared = 0;
    cpu::progress_counter progress(options.on_progress, queries.extent(0));

    constexpr std::size_t kQueries = 16;  // of one walk's memory
    context.parallel_for((queries.extent(0) + kQueries - 1) / kQueries, [&](std::size_t block) {
      cpu::graph_walk<Metric, T> walk(rows, graph, level);
      const std::size_t end = std::min((block + 1) * kQueries, queries.extent(0));
      for (std::size_t q = block * kQueries; q < end; ++q) {
        std::span<cpu::candidate> best = walk.search(queries.row(q), norms[q], kept);
        const std::size_t excluded = cpu::excluded_row(options, q);
        const auto others = std::ranges::partition(best, [&](const auto& one) { return one.row != excluded; });
        best = best.first(best.size() - others.size());
        is_short[q] = best.size() < columns;
        if (is_short[q]) continue;
        std::ranges::nth_element(best, best.begin() + static_cast<std::ptrdiff_t>(columns - 1), cpu::candidate::better);
        cpu::write_answer<Metric>(best.first(columns), excluded, out, q);
      }
      compared += walk.compared();
      progress.add(end - block * kQueries);
    });

    // Rows that nothing leads to, NaN, or more wanted than a walk can reach.
    for (std::size_t q = 0; q < queries.extent(0); ++q) {
      if (!is_short[q]) continue;
      const top_n_result exact = imgsim::top_n(context, rows, queries.slice(q, 1), metric,
                                               {.n = options.n,
                                                .exclude_self = options.exclude_self,
                                                .first_row = options.first_row + q,
                                                .on_progress = {}});
      std::ranges::copy(std::span(exact.rows.view().row(0), columns), out.rows.row(q));
      std::ranges::copy(std::span(exact.similarity.view().row(0), columns), out.similarity.row(q));
      compared += rows.extent(0);
    }
    result.compared = compared;
    return result;
  }
};

}  // namespace imgsim
