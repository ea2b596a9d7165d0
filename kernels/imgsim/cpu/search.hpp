// Search on the CPU: include this beside imgsim/cpu/context.hpp to use search/top_n.hpp and search/similarity.hpp with
// cpu_context.
#pragma once

#include <cstddef>
#include <vector>

#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/canonical_tiles.hpp>
#include <imgsim/cpu/search/canonical_top_n.hpp>
#include <imgsim/cpu/search/packed_top_n.hpp>
#include <imgsim/cpu/search/policy.hpp>
#include <imgsim/metric/metric.hpp>
#include <imgsim/search/backend.hpp>
#include <imgsim/search/similarity.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim {

template <>
struct search_backend<cpu_context> {
  /// Every path gives the same answer; `policy` chooses which runs.
  template <metric Metric>
  [[nodiscard]] static top_n_result top_n(const cpu_context& context, matrix_view<const float> gallery,
                                          matrix_view<const float> queries, Metric, const top_n_options& options,
                                          const cpu::search_policy& policy = {}) {
    const std::size_t columns = top_n_columns(gallery.extent(0), options);
    top_n_result result{.rows = tensor<std::int64_t, 2>({queries.extent(0), columns}),
                        .similarity = tensor<float, 2>({queries.extent(0), columns})};
    if (result.rows.empty()) return result;
    if constexpr (cosine_form_metric<Metric>) {
      const bool rules_rows_out = columns * policy.wanted_share < gallery.extent(0);
      if (queries.extent(0) > policy.unpacked_queries && rules_rows_out && gallery.extent(1) > 0) {
        cpu::packed_top_n<Metric>(context, gallery, queries, options, policy, result).run();
        return result;
      }
    }
    cpu::canonical_top_n<Metric>(context, gallery, queries, options, policy, result);
    return result;
  }

  template <metric Metric>
  static void similarity_matrix(const cpu_context& context, matrix_view<const float> a, matrix_view<const float> b,
                                Metric, matrix_view<float> out, const cpu::search_policy& policy = {}) {
    const bool symmetric = a.data() == b.data() && a.extents() == b.extents() && a.strides() == b.strides();
    write_matrix<Metric>(context, a, b, symmetric, out, policy,
                         [](double key) { return rounded_to_float(Metric::similarity(key)); });
  }

  template <metric Metric>
  static void distance_matrix(const cpu_context& context, matrix_view<const float> points, Metric,
                              matrix_view<float> out, const cpu::search_policy& policy = {}) {
    write_matrix<Metric>(context, points, points, true, out, policy,
                         [](double key) { return rounded_to_float(Metric::distance(key)); });
    for (std::size_t i = 0; i < out.extent(0); ++i) out(i, i) = 0;
  }

 private:
  /// out = value(key) of all pairs; of a symmetric matrix, half is computed and written twice.
  template <metric Metric, class Value>
  static void write_matrix(const cpu_context& context, matrix_view<const float> a, matrix_view<const float> b,
                           bool symmetric, matrix_view<float> out, const cpu::search_policy& policy, Value&& value) {
    const std::vector<double> norms = cpu::row_squared_norms(context, a, policy.level);
    cpu::for_each_canonical_tile<Metric>(context, a, norms, b, symmetric, policy,
                                         [&](std::size_t row, std::size_t column, matrix_view<const double> keys) {
                                           for (std::size_t r = 0; r < keys.extent(0); ++r)
                                             for (std::size_t c = 0; c < keys.extent(1); ++c)
                                               if (!symmetric || row + r <= column + c)
                                                 out(row + r, column + c) = value(keys(r, c));
                                           if (!symmetric) return;
                                           for (std::size_t c = 0; c < keys.extent(1); ++c)
                                             for (std::size_t r = 0; r < keys.extent(0); ++r)
                                               if (row + r < column + c)
                                                 out(column + c, row + r) = out(row + r, column + c);
                                         });
  }
};

}  // namespace imgsim
