// Search on a CUDA device: include this to use search/top_n.hpp and search/similarity.hpp with cuda_context.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <imgsim/core/element.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cuda/context.hpp>
#include <imgsim/cuda/search/gallery.cuh>
#include <imgsim/cuda/search/pairs_launch.cuh>
#include <imgsim/cuda/search/policy.hpp>
#include <imgsim/cuda/search/top_n_launch.cuh>
#include <imgsim/metric/metric.hpp>
#include <imgsim/search/backend.hpp>
#include <imgsim/search/similarity.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim {

template <>
struct search_backend<cuda_context> {
  template <real_element T>
  using gallery = cuda::gallery<T>;

  /// Queued, but for queries on the host, which are copied first; progress is not told.
  template <metric Metric, real_element T, class Space>
  static void top_n(const cuda_context& context, const cuda::gallery<T>& gallery,
                    const matrix_view<const T, Space>& queries, Metric, const top_n_options& options,
                    const top_n_output<device_space>& out, const cuda::search_policy& policy = {}) {
    if (out.rows.empty()) return;
    const cuda::resident_rows<T> rows(context, queries);
    for_each_batch<Metric>(context, gallery, rows.view(), options, out, policy, [](std::size_t) {});
  }

  /// Waits for the answer, a batch of queries at a time.
  template <metric Metric, real_element T, class Space>
  [[nodiscard]] static top_n_result top_n(const cuda_context& context, const cuda::gallery<T>& gallery,
                                          const matrix_view<const T, Space>& queries, Metric,
                                          const top_n_options& options, const cuda::search_policy& policy = {}) {
    const std::array<std::size_t, 2> shape{queries.extent(0), top_n_columns(gallery.rows().extent(0), options)};
    top_n_result result{.rows = tensor<std::int64_t, 2>(shape), .similarity = tensor<float, 2>(shape)};
    if (result.rows.empty()) return result;
    const cuda_context::waits_if_thrown wait(context);
    const cuda::resident_rows<T> rows(context, queries);
    const auto found_rows = context.allocate<std::int64_t>(shape[0] * shape[1]);
    const auto found_similarity = context.allocate<float>(shape[0] * shape[1]);
    const top_n_output<device_space> out{found_rows.matrix(shape[0], shape[1]),
                                         found_similarity.matrix(shape[0], shape[1])};
    for_each_batch<Metric>(context, gallery, rows.view(), options, out, policy, [&](std::size_t done) {
      if (!options.on_progress) return;
      context.synchronize();
      options.on_progress(done, shape[0]);
    });
    context.copy(matrix_view<const std::int64_t, device_space>(out.rows), result.rows.view());
    context.copy(matrix_view<const float, device_space>(out.similarity), result.similarity.view());
    context.synchronize();
    return result;
  }

  template <metric Metric, real_element T, class RowSpace, class QuerySpace>
  [[nodiscard]] static top_n_result top_n(const cuda_context& context, const matrix_view<const T, RowSpace>& rows,
                                          const matrix_view<const T, QuerySpace>& queries, Metric metric,
                                          const top_n_options& options, const cuda::search_policy& policy = {}) {
    return top_n(context, cuda::gallery<T>(context, rows), queries, metric, options, policy);
  }

  template <metric Metric, real_element T, class Space>
  static void similarity_matrix(const cuda_context& context, const matrix_view<const T, Space>& a,
                                const matrix_view<const T, Space>& b, Metric, const matrix_view<float, Space>& out) {
    write_matrix<Metric, cuda::pair_value::similarity, T>(context, a, b, out);
  }
  template <metric Metric, real_element T, class Space>
  static void distance_matrix(const cuda_context& context, const matrix_view<const T, Space>& a,
                              const matrix_view<const T, Space>& b, Metric, const matrix_view<float, Space>& out) {
    write_matrix<Metric, cuda::pair_value::distance, T>(context, a, b, out);
  }
  template <metric Metric, real_element T, class Space>
  static void distance_matrix(const cuda_context& context, const matrix_view<const T, Space>& points, Metric metric,
                              const matrix_view<float, Space>& out) {
    distance_matrix(context, points, points, metric, out);
    if constexpr (std::same_as<Space, host_space>) {
      for (std::size_t i = 0; i < out.extent(0); ++i) out(i, i) = 0;
    } else if (!out.empty()) {
      constexpr unsigned kThreads = 256;
      cuda::launch(cuda::cover(out.extent(0), kThreads), context.stream(), cuda::zero_diagonal<float>, out.data(),
                   out.stride(0), cuda::checked_count(out.extent(0), "rows"));
    }
  }

 private:
  template <metric Metric, real_element T, class AfterBatch>
  static void for_each_batch(const cuda_context& context, const cuda::gallery<T>& gallery,
                             const cuda::device_rows<T>& queries, const top_n_options& options,
                             const top_n_output<device_space>& out, const cuda::search_policy& policy,
                             AfterBatch&& after) {
    cuda::top_n_queue<Metric, T> queue(context, gallery, options, policy);
    const std::size_t batch = queue.batch(out.columns());
    for (std::size_t first = 0; first < queries.extent(0); first += batch) {
      const std::size_t count = std::min(batch, queries.extent(0) - first);
      queue.run(queries.slice(first, count), first, {out.rows.slice(first, count), out.similarity.slice(first, count)});
      after(first + count);
    }
  }

  /// On the device, queued; for host memory in blocks of rows, and waited for.
  template <metric Metric, cuda::pair_value Value, real_element T, class Space>
  static void write_matrix(const cuda_context& context, const matrix_view<const T, Space>& a,
                           const matrix_view<const T, Space>& b, const matrix_view<float, Space>& out) {
    if (out.empty()) return;
    const cuda::gallery<T> right(context, b);
    const cuda::gallery<T> left(context, a);
    if constexpr (std::same_as<Space, device_space>) {
      cuda::queue_values<Metric, Value, T>(context, left.rows(), left.squared_norms(), right.rows(),
                                           right.squared_norms(), out);
    } else {
      const cuda_context::waits_if_thrown wait(context);
      constexpr std::size_t kBytes = std::size_t{64} << 20;
      const std::size_t block = std::clamp<std::size_t>(kBytes / sizeof(float) / b.extent(0), 1, a.extent(0));
      const auto values = context.allocate<float>(block * b.extent(0));
      for (std::size_t first = 0; first < a.extent(0); first += block) {
        const std::size_t count = std::min(block, a.extent(0) - first);
        const auto part = values.matrix(count, b.extent(0));
        cuda::queue_values<Metric, Value, T>(context, left.rows().slice(first, count), left.squared_norms() + first,
                                             right.rows(), right.squared_norms(), part);
        context.copy(matrix_view<const float, device_space>(part), out.slice(first, count));
      }
      context.synchronize();
    }
  }
};

}  // namespace imgsim
