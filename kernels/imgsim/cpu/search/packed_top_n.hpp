// Top-N of many queries by a metric that is a function of the cosine. A blocked float32 product of packed rows gives
// every pair's key within a proven bound; what the bound cannot rule out is computed canonically. The [Q, M] products
// exist one tile at a time. Where the queries are the gallery, each product serves both of its rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <span>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/answer.hpp>
#include <imgsim/cpu/search/candidates.hpp>
#include <imgsim/cpu/search/gallery.hpp>
#include <imgsim/cpu/search/packed_rows.hpp>
#include <imgsim/cpu/search/policy.hpp>
#include <imgsim/cpu/search/product_scan.hpp>
#include <imgsim/cpu/search/product_tile.hpp>
#include <imgsim/cpu/search/refine.hpp>
#include <imgsim/metric/metric.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim::cpu {

template <cosine_form_metric Metric, real_element T>
class packed_top_n {
 public:
  packed_top_n(const cpu_context& context, const gallery<T>& gallery, matrix_view<const T> queries,
               const top_n_options& options, const search_policy& policy, const top_n_output<host_space>& out)
      : context_(context),
        prepared_(gallery),
        gallery_(gallery.rows()),
        queries_(queries),
        options_(options),
        policy_(policy),
        out_(out),
        bounds_(gallery_.extent(1)),
        gallery_squared_norms_(gallery_.extent(0)),
        progress_(options.on_progress,
                  tiles(gallery_.extent(0)) * tiles(queries.extent(0)) + tiles(queries.extent(0))) {}

  /// Fills the output [Q, columns], columns >= 1.
  void run() {
    const std::size_t list_bytes = candidate_lists::bytes_for(out_.columns(), gallery_.extent(0));
    const std::size_t gallery_rows =
        prepared_.is_packed() ? gallery_.extent(0) : cpu::gallery<T>::rows_per_pack(gallery_.extent(1), policy_);
    const std::size_t query_rows = std::min(cpu::gallery<T>::rows_per_pack(gallery_.extent(1), policy_),
                                            whole_tiles(policy_.candidate_bytes / list_bytes));
    const bool gallery_fits = gallery_.extent(0) <= gallery_rows;
    const bool symmetric = gallery_fits && queries_.extent(0) <= query_rows && is_same_view(queries_, gallery_);

    packed_rows own_block;
    const auto pack_gallery = [&](std::size_t first, std::size_t count) {
      if (!prepared_.is_packed()) own_block = pack_rows(context_, gallery_.slice(first, count), policy_.level);
      const packed_rows& packed = prepared_.is_packed() ? prepared_.packed() : own_block;
      std::copy_n(packed.squared_norms.begin(), count,
                  gallery_squared_norms_.begin() + static_cast<std::ptrdiff_t>(first));
    };
    const packed_rows& gallery_block = prepared_.is_packed() ? prepared_.packed() : own_block;
    if (gallery_fits) pack_gallery(0, gallery_.extent(0));
    for (std::size_t first = 0; first < queries_.extent(0); first += query_rows) {
      const std::size_t count = std::min(query_rows, queries_.extent(0) - first);
      packed_rows query_block;
      if (!symmetric) query_block = pack_rows(context_, queries_.slice(first, count), policy_.level);
      const packed_rows& packed_queries = symmetric ? gallery_block : query_block;
      candidate_lists lists(count, out_.columns(), gallery_.extent(0));
      for (std::size_t row = 0; row < gallery_.extent(0); row += gallery_rows) {
        if (!gallery_fits) pack_gallery(row, std::min(gallery_rows, gallery_.extent(0) - row));
        search_block(lists, packed_queries, first, gallery_block, row, symmetric);
      }
      answer(lists, packed_queries, first, count);
    }
  }

 private:
  [[nodiscard]] static std::size_t tiles(std::size_t rows) noexcept { return (rows + kTileRows - 1) / kTileRows; }

  /// One query tile and a run of gallery tiles.
  struct tile_run {
    std::size_t query_tile;
    std::size_t begin;
    std::size_t end;
  };

  [[nodiscard]] std::vector<tile_run> cut_into_tasks(std::size_t query_tiles, std::size_t gallery_tiles,
                                                     bool symmetric) const {
    const std::size_t tile_products = kTileRows * kTileRows * std::max<std::size_t>(gallery_.extent(1), 1);
    const std::size_t length = std::max<std::size_t>(policy_.task_products / tile_products, 1);
    std::vector<tile_run> runs;
    for (std::size_t q = 0; q < query_tiles; ++q)
      for (std::size_t g = symmetric ? q : 0; g < gallery_tiles; g += length)
        runs.push_back({q, g, std::min(g + length, gallery_tiles)});
    return runs;
  }

  /// Offers every pair of a block of queries with a block of gallery rows.
  void search_block(candidate_lists& lists, const packed_rows& queries, std::size_t first_query,
                    const packed_rows& gallery, std::size_t first_row, bool symmetric) {
    const std::vector<tile_run> runs = cut_into_tasks(tiles(queries.rows), tiles(gallery.rows), symmetric);
    std::vector<std::mutex> mutexes(tiles(queries.rows));
    context_.parallel_for(runs.size(), [&](std::size_t task) {
      const tile_run& run = runs[task];
      const std::size_t q = run.query_tile;
      tensor<float, 2> products({kTileRows, kTileRows});
      tensor<float, 2> mirrored({symmetric ? kTileRows : 0, kTileRows});
      for (std::size_t g = run.begin; g < run.end; ++g) {
        const std::size_t query_panels = std::min(kTilePanels, queries.panel_count() - q * kTilePanels);
        const std::size_t gallery_panels = std::min(kTilePanels, gallery.panel_count() - g * kTilePanels);
        expand(product_tile_body{queries.panel(q * kTilePanels), gallery.panel(g * kTilePanels), query_panels,
                                 gallery_panels, gallery.depth, products.data()},
               policy_.level);
        {
          const std::lock_guard lock(mutexes[q]);
          scan_tile(lists, products.view(), queries, q, first_query, gallery, g, first_row);
        }
        if (symmetric && g != q) {
          transpose(products.view(), mirrored.view());
          const std::lock_guard lock(mutexes[g]);
          // NOLINTNEXTLINE(readability-suspicious-call-argument): the same products, seen from the other side
          scan_tile(lists, mirrored.view(), gallery, g, first_query, queries, q, first_row);
        }
        progress_.add(symmetric && g != q ? 2 : 1);
      }
    });
  }

  static void transpose(matrix_view<const float> from, matrix_view<float> to) noexcept {
    constexpr std::size_t kBlock = 16;
    for (std::size_t r0 = 0; r0 < kTileRows; r0 += kBlock)
      for (std::size_t c0 = 0; c0 < kTileRows; c0 += kBlock)
        for (std::size_t r = r0; r < r0 + kBlock; ++r)
          for (std::size_t c = c0; c < c0 + kBlock; ++c) to(c, r) = from(r, c);
  }

  void scan_tile(candidate_lists& lists, matrix_view<const float> products, const packed_rows& queries,
                 std::size_t query_tile, std::size_t first_query, const packed_rows& gallery, std::size_t gallery_tile,
                 std::size_t first_row) {
    const std::size_t query_begin = query_tile * kTileRows;
    const std::size_t gallery_begin = gallery_tile * kTileRows;
    const std::size_t panels = std::min(kTilePanels, gallery.panel_count() - gallery_tile * kTilePanels);
    const double* gallery_norms = gallery.norms.data() + gallery_begin;
    const auto refine = [&](std::size_t q, std::span<candidate> candidates) {
      refine_query<Metric>(queries_.row(first_query + q), queries.squared_norms[q], candidates, gallery_,
                           gallery_squared_norms_, policy_.level);
    };
    for (std::size_t q = query_begin; q < std::min(query_begin + kTileRows, queries.rows); ++q) {
      const float* row = products.row(q - query_begin);
      const double norm = queries.norms[q];
      const std::size_t excluded = excluded_row(options_, first_query + q);
      for (std::size_t panel = 0; panel < panels; ++panel) {
        expand(find_panel_body<Metric>{row, gallery_norms, norm, lists.threshold(q), bounds_, panel, panels, &panel},
               policy_.level);
        if (panel == panels) break;
        for (std::size_t g = panel * kPanelRows; g < (panel + 1) * kPanelRows; ++g) {
          const std::size_t gallery_row = first_row + gallery_begin + g;
          const candidate found = bounds_.candidate_for<Metric>(row[g], norm, gallery_norms[g], gallery_row);
          if (found.high >= lists.threshold(q) && gallery_row != excluded) lists.push(q, found, refine);
        }
      }
    }
  }

  void answer(candidate_lists& lists, const packed_rows& queries, std::size_t first, std::size_t count) {
    const std::size_t group = std::min(policy_.refined_queries, (count + context_.threads() - 1) / context_.threads());
    context_.parallel_for((count + group - 1) / group, [&](std::size_t g) {
      const std::size_t begin = g * group;
      const std::size_t end = std::min(begin + group, count);
      for (std::size_t q = begin; q < end; ++q) lists.prune(q);
      refine_queries<Metric>(begin, end - begin, queries_.slice(first, count), queries.squared_norms, lists, gallery_,
                             gallery_squared_norms_, policy_.level);
      for (std::size_t q = begin; q < end; ++q) {
        lists.keep_best(q);
        write_answer<Metric>(lists[q], excluded_row(options_, first + q), out_, first + q);
      }
    });
    progress_.add(tiles(count));
  }

  const cpu_context& context_;
  const gallery<T>& prepared_;
  matrix_view<const T> gallery_;
  matrix_view<const T> queries_;
  const top_n_options& options_;
  const search_policy& policy_;
  const top_n_output<host_space>& out_;
  key_bounds bounds_;
  std::vector<double> gallery_squared_norms_;
  progress_counter progress_;
};

}  // namespace imgsim::cpu
