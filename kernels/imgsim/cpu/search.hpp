// Search on the CPU: include this beside imgsim/cpu/context.hpp to use search/top_n.hpp and search/similarity.hpp with
// cpu_context.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/canonical_tiles.hpp>
#include <imgsim/cpu/search/canonical_top_n.hpp>
#include <imgsim/cpu/search/gallery.hpp>
#include <imgsim/cpu/search/packed_top_n.hpp>
#include <imgsim/cpu/search/policy.hpp>
#include <imgsim/metric/metric.hpp>
#include <imgsim/search/backend.hpp>
#include <imgsim/search/similarity.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim {

template <>
struct search_backend<cpu_context> {
  template <real_element T>
  using gallery = cpu::gallery<T>;

  /// Every path gives the same answer; `policy` chooses which runs.
  template <metric Metric, real_element T>
  static void top_n(const cpu_context& context, const cpu::gallery<T>& gallery, matrix_view<const T> queries, Metric,
                    const top_n_options& options, const top_n_output<host_space>& out,
                    const cpu::search_policy& policy = {}) {
    const matrix_view<const T> rows = gallery.rows();
    if (out.rows.empty()) return;
    if constexpr (cosine_form_metric<Metric>) {
      const bool rules_rows_out = out.columns() * policy.wanted_share < rows.extent(0) && rows.extent(1) > 0;
      if (rules_rows_out && may_use_bytes(gallery, queries.extent(0), policy) &&
          cpu::packed_top_n<Metric, T, cpu::byte_rows>(context, gallery, queries, options, policy, out).run())
        return;
      if (rules_rows_out && queries.extent(0) > policy.unpacked_queries &&
          cpu::packed_top_n<Metric, T, cpu::packed_rows>(context, gallery, queries, options, policy, out).run())
        return;
    }
    cpu::canonical_top_n<Metric>(context, gallery, queries, options, policy, out);
  }

  template <metric Metric, real_element T>
  [[nodiscard]] static top_n_result top_n(const cpu_context& context, const cpu::gallery<T>& gallery,
                                          matrix_view<const T> queries, Metric metric, const top_n_options& options,
                                          const cpu::search_policy& policy = {}) {
    const std::array<std::size_t, 2> shape{queries.extent(0), top_n_columns(gallery.rows().extent(0), options)};
    top_n_result result{.rows = tensor<std::int64_t, 2>(shape), .similarity = tensor<float, 2>(shape)};
    top_n(context, gallery, queries, metric, options,
          top_n_output<host_space>{result.rows.view(), result.similarity.view()}, policy);
    return result;
  }

  template <metric Metric, real_element T>
  [[nodiscard]] static top_n_result top_n(const cpu_context& context, matrix_view<const T> rows,
                                          matrix_view<const T> queries, Metric metric, const top_n_options& options,
                                          const cpu::search_policy& policy = {}) {
    return top_n(context, cpu::gallery<T>(rows), queries, metric, options, policy);
  }

  template <metric Metric, real_element T>
  static void similarity_matrix(const cpu_context& context, matrix_view<const T> a, matrix_view<const T> b, Metric,
                                matrix_view<float> out, const cpu::search_policy& policy = {}) {
    write_matrix<Metric>(context, a, b, is_same_view(a, b), out, policy,
                         [](double key) { return rounded_to_float(Metric::similarity(key)); });
  }

  template <metric Metric, real_element T>
  static void distance_matrix(const cpu_context& context, matrix_view<const T> a, matrix_view<const T> b, Metric,
                              matrix_view<float> out, const cpu::search_policy& policy = {}) {
    write_matrix<Metric>(context, a, b, is_same_view(a, b), out, policy,
                         [](double key) { return rounded_to_float(Metric::distance(key)); });
  }

  template <metric Metric, real_element T>
  static void distance_matrix(const cpu_context& context, matrix_view<const T> points, Metric, matrix_view<float> out,
                              const cpu::search_policy& policy = {}) {
    distance_matrix(context, points, points, Metric{}, out, policy);
    for (std::size_t i = 0; i < out.extent(0); ++i) out(i, i) = 0;
  }

 private:
  /// Whether to try a first pass with bytes: with packed ones, unless it is for float32 to do and that is as fast; to
  /// be packed first, where there are queries enough to pay for it.
  template <real_element T>
  [[nodiscard]] static bool may_use_bytes(const cpu::gallery<T>& gallery, std::size_t queries,
                                          const cpu::search_policy& policy) {
    if (policy.bytes == cpu::byte_use::never || !cpu::byte_rows::holds(gallery.rows().extent(1))) return false;
    if (policy.bytes == cpu::byte_use::always) return true;
    const bool is_many = queries > policy.unpacked_queries;
    if (gallery.template packed<cpu::byte_rows>() != nullptr) return policy.uses_vnni() || !is_many;
    // A gallery that was prepared without bytes was found not to be worth them.
    return policy.uses_vnni() && is_many && gallery.squared_norms().empty();
  }

  /// out = value(key) of all pairs; of a symmetric matrix, half is computed and written twice.
  template <metric Metric, real_element T, class Value>
  static void write_matrix(const cpu_context& context, matrix_view<const T> a, matrix_view<const T> b, bool symmetric,
                           matrix_view<float> out, const cpu::search_policy& policy, Value&& value) {
    const std::vector<double> norms = cpu::row_squared_norms(context, a, policy.level);
    const cpu::normed_rows<T> left{a, norms};
    const cpu::normed_rows<T> right = symmetric ? left : cpu::normed_rows<T>{b, {}};
    cpu::for_each_canonical_tile<Metric>(context, left, right, symmetric, policy,
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
