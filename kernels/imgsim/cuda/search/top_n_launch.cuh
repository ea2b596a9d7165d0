// Top-N on a device: tiles of keys, merged into a short list for each query; long lists by sorting all rows.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>

#include <imgsim/core/element.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cuda/context.hpp>
#include <imgsim/cuda/launch.cuh>
#include <imgsim/cuda/search/gallery.cuh>
#include <imgsim/cuda/search/pairs_launch.cuh>
#include <imgsim/cuda/search/policy.hpp>
#include <imgsim/cuda/search/select_kernel.cuh>
#include <imgsim/metric/metric.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim::cuda {

/// Queues one search after another; workspace is bounded by the policy and given back at the end.
template <metric Metric, real_element T>
class top_n_queue {
 public:
  top_n_queue(const cuda_context& context, const gallery<T>& gallery, const top_n_options& options,
              const search_policy& policy)
      : context_(context),
        gallery_(gallery),
        options_(options),
        policy_(policy),
        rows_(checked_count(gallery.rows().extent(0), "rows")),
        depth_(checked_count(gallery.rows().extent(1), "columns")) {}

  /// Queries that one call of run() should take at the most.
  [[nodiscard]] std::size_t batch(std::size_t wanted) const {
    if (wanted <= policy_.most_selected) return 1024;
    const std::size_t bytes =
        std::bit_ceil(std::size_t{rows_}) * (sizeof(double) + sizeof(key_rank) + sizeof(unsigned));
    return std::clamp<std::size_t>(policy_.key_bytes / bytes, 1, 1024);
  }

  /// Fills `out` [Q, wanted], wanted >= 1, for `queries` [Q, D], query 0 being number `first` of the caller's.
  void run(const device_rows<T>& queries, std::size_t first, const top_n_output<device_space>& out) {
    const auto count = static_cast<unsigned>(queries.extent(0));
    const device_buffer<double> norms = context_.allocate<double>(count);
    queue_squared_norms<T>(context_, queries, norms.get());
    if (out.columns() <= policy_.most_selected) {
      if (out.columns() + 2 * kSelectThreads <= kSmallSelection)
        select<kSmallSelection>(queries, norms.get(), first, out);
      else
        select<kLargeSelection>(queries, norms.get(), first, out);
    } else {
      sort_all(queries, norms.get(), first, out);
    }
  }

 private:
  /// Keys of the queries with gallery rows [row, row + columns).
  key_source queue_keys(const device_rows<T>& queries, const double* norms, std::size_t first, std::size_t row,
                        std::size_t columns, double* keys) const {
    const device_rows<T> part = gallery_.rows().slice(row, columns);
    launch(pair_grid(queries.extent(0), columns), context_.stream(), canonical_keys<Metric, T>, side_of(queries, norms),
           side_of(part, gallery_.squared_norms() + row), depth_, keys, columns);
    return {keys,
            columns,
            static_cast<unsigned>(row),
            static_cast<unsigned>(columns),
            options_.exclude_self,
            options_.first_row + first};
  }

  [[nodiscard]] best_lists make_lists(device_buffer<key_rank>& ranks, device_buffer<unsigned>& rows,
                                      device_buffer<unsigned>& counts, std::size_t lists, unsigned wanted) const {
    ranks = context_.allocate<key_rank>(lists * wanted);
    rows = context_.allocate<unsigned>(lists * wanted);
    counts = context_.allocate<unsigned>(lists);
    IMGSIM_CUDA_CHECK(cudaMemsetAsync(counts.get(), 0, lists * sizeof(unsigned), context_.stream()));
    return {ranks.get(), rows.get(), counts.get(), wanted};
  }

  template <unsigned Capacity, class Source>
  void queue_selection(const Source& source, unsigned parts, unsigned queries, const best_lists& best) const {
    constexpr std::size_t kBytes = Capacity * (sizeof(key_rank) + sizeof(unsigned));
    allow_dynamic_shared(select_best<Capacity, Source>, kBytes);
    launch({dim3(parts, queries), dim3(kSelectThreads), kBytes}, context_.stream(), select_best<Capacity, Source>,
           source, best);
  }

  template <unsigned Capacity>
  void select(const device_rows<T>& queries, const double* norms, std::size_t first,
              const top_n_output<device_space>& out) const {
    const auto count = static_cast<unsigned>(queries.extent(0));
    const auto wanted = static_cast<unsigned>(out.columns());
    const std::size_t width =
        std::clamp<std::size_t>(policy_.key_bytes / sizeof(double) / count, kKeyTileColumns, std::size_t{rows_});
    // Few queries: several blocks share one, each with a part of every tile.
    constexpr unsigned kManyBlocks = 64;
    const auto parts = static_cast<unsigned>(
        std::clamp<std::size_t>(std::min<std::size_t>(width / policy_.rows_per_selector, kManyBlocks / count), 1, 64));
    const device_buffer<double> keys = context_.allocate<double>(width * count);
    device_buffer<key_rank> ranks, merged_ranks;
    device_buffer<unsigned> rows, counts, merged_rows, merged_counts;
    best_lists best = make_lists(ranks, rows, counts, std::size_t{count} * parts, wanted);
    for (std::size_t row = 0; row < rows_; row += width) {
      const std::size_t columns = std::min<std::size_t>(width, rows_ - row);
      queue_selection<Capacity>(queue_keys(queries, norms, first, row, columns, keys.get()), parts, count, best);
    }
    if (parts > 1) {
      const best_lists merged = make_lists(merged_ranks, merged_rows, merged_counts, count, wanted);
      queue_selection<Capacity>(list_source{best, parts * wanted}, 1, count, merged);
      best = merged;
    }
    queue_answer(best.ranks, best.rows, wanted, out);
  }

  void sort_all(const device_rows<T>& queries, const double* norms, std::size_t first,
                const top_n_output<device_space>& out) const {
    constexpr unsigned kThreads = 256;
    const auto count = static_cast<unsigned>(queries.extent(0));
    const unsigned width = std::bit_ceil(rows_);
    IMGSIM_EXPECTS(width >= rows_ && width > 0, "too many rows to sort: ", rows_);
    const device_buffer<double> keys = context_.allocate<double>(std::size_t{rows_} * count);
    const device_buffer<key_rank> ranks = context_.allocate<key_rank>(std::size_t{width} * count);
    const device_buffer<unsigned> rows = context_.allocate<unsigned>(std::size_t{width} * count);
    const candidate_arrays all{ranks.get(), rows.get()};
    launch({dim3((width + kThreads - 1) / kThreads, count), dim3(kThreads)}, context_.stream(),
           list_candidates<key_source>, queue_keys(queries, norms, first, 0, rows_, keys.get()), all, width);
    for (unsigned size = 2; size <= width && size > 0; size *= 2)
      for (unsigned distance = size / 2; distance > 0; distance /= 2)
        launch({dim3((width / 2 + kThreads - 1) / kThreads, count), dim3(kThreads)}, context_.stream(),
               sort_step<candidate_arrays>, all, width, size, distance);
    queue_answer(ranks.get(), rows.get(), width, out);
  }

  void queue_answer(const key_rank* ranks, const unsigned* rows, std::size_t width,
                    const top_n_output<device_space>& out) const {
    constexpr unsigned kThreads = 128;
    const auto wanted = static_cast<unsigned>(out.columns());
    launch({dim3((wanted + kThreads - 1) / kThreads, static_cast<unsigned>(out.rows.extent(0))), dim3(kThreads)},
           context_.stream(), write_matches<Metric>, ranks, rows, width, wanted, out.rows.data(), out.rows.stride(0),
           out.similarity.data(), out.similarity.stride(0));
  }

  const cuda_context& context_;
  const gallery<T>& gallery_;
  const top_n_options& options_;
  search_policy policy_;
  unsigned rows_;
  unsigned depth_;
};

}  // namespace imgsim::cuda
