// Top-N by a metric that is a function of the cosine. A blocked product of packed rows, float32 or bytes, gives every
// pair's key within a proven bound; what the bound cannot rule out is computed canonically. The [Q, M] products
// exist one tile at a time. Where the queries are the gallery, each product serves both of its rows.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <mutex>
#include <span>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/answer.hpp>
#include <imgsim/cpu/search/byte_worth.hpp>
#include <imgsim/cpu/search/candidates.hpp>
#include <imgsim/cpu/search/gallery.hpp>
#include <imgsim/cpu/search/policy.hpp>
#include <imgsim/cpu/search/product_scan.hpp>
#include <imgsim/cpu/search/refine.hpp>
#include <imgsim/cpu/search/untouched_array.hpp>
#include <imgsim/metric/metric.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim::cpu {

/// `Rows` is a way to pack rows: packed_rows or byte_rows.
template <cosine_form_metric Metric, real_element T, class Rows>
class packed_top_n {
 public:
  packed_top_n(const cpu_context& context, const gallery<T>& gallery, matrix_view<const T> queries,
               const top_n_options& options, const search_policy& policy, const top_n_output<host_space>& out)
      : context_(context),
        gallery_(gallery.rows()),
        queries_(queries),
        options_(options),
        policy_(policy),
        out_(out),
        prepared_(gallery.template packed<Rows>()),
        bounds_(Rows::product_error(gallery_.extent(1)), gallery_.extent(1)),
        gallery_squared_norms_(gallery.squared_norms()),
        is_few_(queries.extent(0) <= policy.few_queries),
        progress_(options.on_progress,
                  tiles(gallery_.extent(0)) * tiles(queries.extent(0)) + tiles(queries.extent(0))) {}

  /// Fills the output [Q, columns], Q and columns >= 1. False, and nothing done, where the rows' kind does not pay.
  [[nodiscard]] bool run() {
    if (!pays()) return false;
    const std::size_t depth = gallery_.extent(1);
    const std::size_t extra = list_room();
    const std::size_t list_bytes = candidate_lists::bytes_for(out_.columns(), gallery_.extent(0), extra);
    const std::size_t pack = cpu::gallery<T>::template rows_per_pack<Rows>(depth, policy_);
    const std::size_t gallery_rows = prepared_ != nullptr ? gallery_.extent(0) : pack;
    const std::size_t query_rows = std::min(pack, whole_tiles(policy_.candidate_bytes / list_bytes));
    const bool gallery_fits = gallery_.extent(0) <= gallery_rows;
    const bool symmetric = gallery_fits && queries_.extent(0) <= query_rows && is_same_view(queries_, gallery_);

    std::vector<double> own_squared_norms;
    if (gallery_squared_norms_.empty()) own_squared_norms.resize(gallery_.extent(0));
    Rows own_block;
    const Rows& gallery_block = prepared_ != nullptr ? *prepared_ : own_block;
    const typename Rows::frame frame = prepared_ != nullptr ? prepared_->shared : Rows::make_frame(gallery_);
    const auto pack_gallery = [&](std::size_t first, std::size_t count) {
      if (prepared_ != nullptr) return;
      own_block = Rows::template pack<T>(context_, gallery_.slice(first, count), frame, policy_.level);
      if (own_squared_norms.empty()) return;
      std::copy_n(own_block.squared_norms.begin(), count,
                  own_squared_norms.begin() + static_cast<std::ptrdiff_t>(first));
      gallery_squared_norms_ = own_squared_norms;
    };
    pack_gallery(0, std::min(gallery_rows, gallery_.extent(0)));
    for (std::size_t first = 0; first < queries_.extent(0); first += query_rows) {
      const std::size_t count = std::min(query_rows, queries_.extent(0) - first);
      Rows query_block;
      if (!symmetric)
        query_block = Rows::template pack_queries<T>(context_, queries_.slice(first, count), frame, policy_.level);
      const Rows& packed_queries = symmetric ? gallery_block : query_block;
      candidate_lists lists(count, out_.columns(), gallery_.extent(0), extra);
      for (std::size_t row = 0; row < gallery_.extent(0); row += gallery_rows) {
        if (!gallery_fits && (row > 0 || first > 0))
          pack_gallery(row, std::min(gallery_rows, gallery_.extent(0) - row));
        search_block(lists, packed_queries, first, gallery_block, row, symmetric);
      }
      answer(lists, packed_queries, first, count);
    }
    return true;
  }

 private:
  [[nodiscard]] static std::size_t tiles(std::size_t rows) noexcept { return (rows + kTileRows - 1) / kTileRows; }

  /// How many more candidates than matches a query may have before they are refined one by one.
  [[nodiscard]] std::size_t list_room() const noexcept {
    if (is_few_) return gallery_.extent(0);
    const std::size_t least = candidate_lists::least_extra(out_.columns());
    if (!Rows::has_row_errors) return least;
    return std::max(4 * least, policy_.candidate_bytes / 2 / sizeof(candidate) / queries_.extent(0));
  }

  /// What a gallery keeps packed pays for a pass of few queries; before many, or before packing, a sample is looked at.
  [[nodiscard]] bool pays() const {
    if constexpr (Rows::has_row_errors)
      return policy_.bytes == byte_use::always ||
             (prepared_ != nullptr && queries_.extent(0) <= policy_.unpacked_queries) ||
             are_ruled_out<Metric>(context_, queries_, gallery_, out_.columns(), policy_.undecided_share, policy_);
    else
      return true;
  }

  /// One query tile and a run of gallery tiles.
  struct tile_run {
    std::size_t query_tile;
    std::size_t begin;
    std::size_t end;
  };

  [[nodiscard]] std::vector<tile_run> cut_into_tasks(std::size_t queries, std::size_t gallery_tiles,
                                                     bool symmetric) const {
    const std::size_t tile_products =
        std::min(queries, kTileRows) * kTileRows * std::max<std::size_t>(gallery_.extent(1), 1);
    const std::size_t balanced = tiles(queries) * gallery_tiles / (4 * context_.threads());
    const std::size_t length = std::clamp<std::size_t>(balanced, 1, policy_.task_products / tile_products + 1);
    std::vector<tile_run> runs;
    for (std::size_t q = 0; q < tiles(queries); ++q)
      for (std::size_t g = symmetric ? q : 0; g < gallery_tiles; g += length)
        runs.push_back({q, g, std::min(g + length, gallery_tiles)});
    return runs;
  }

  /// Offers every pair of a block of queries with a block of gallery rows.
  void search_block(candidate_lists& lists, const Rows& queries, std::size_t first_query, const Rows& gallery,
                    std::size_t first_row, bool symmetric) {
    const std::vector<tile_run> runs = cut_into_tasks(queries.rows, tiles(gallery.rows), symmetric);
    std::vector<std::mutex> mutexes(tiles(queries.rows));
    context_.parallel_for(runs.size(), [&](std::size_t task) {
      const tile_run& run = runs[task];
      const std::size_t q = run.query_tile;
      const std::size_t query_rows = std::min(kTileRows, queries.rows - q * kTileRows);
      untouched_array<float> products((symmetric ? kTileRows : query_rows) * kTileRows);
      untouched_array<float> mirrored(symmetric ? kTileRows * kTileRows : 0);
      for (std::size_t g = run.begin; g < run.end; ++g) {
        const std::size_t panels = std::min(kTilePanels, gallery.panel_count() - g * kTilePanels);
        Rows::multiply(queries, q * kTileRows, query_rows, gallery, g * kTilePanels, panels, policy_, products.data());
        {
          const std::lock_guard lock(mutexes[q]);
          scan_tile(lists, products.data(), queries, q, first_query, gallery, g, first_row);
        }
        if (symmetric && g != q) {
          transpose(products.data(), mirrored.data());
          const std::lock_guard lock(mutexes[g]);
          // NOLINTNEXTLINE(readability-suspicious-call-argument): the same products, seen from the other side
          scan_tile(lists, mirrored.data(), gallery, g, first_query, queries, q, first_row);
        }
        progress_.add(symmetric && g != q ? 2 : 1);
      }
    });
  }

  /// Whole tiles, whatever of them holds products: in a symmetric search only the last tile of rows is not full.
  static void transpose(const float* from, float* to) noexcept {
    constexpr std::size_t kBlock = 16;
    for (std::size_t r0 = 0; r0 < kTileRows; r0 += kBlock)
      for (std::size_t c0 = 0; c0 < kTileRows; c0 += kBlock)
        for (std::size_t r = r0; r < r0 + kBlock; ++r)
          for (std::size_t c = c0; c < c0 + kBlock; ++c) to[c * kTileRows + r] = from[r * kTileRows + c];
  }

  void scan_tile(candidate_lists& lists, const float* products, const Rows& queries, std::size_t query_tile,
                 std::size_t first_query, const Rows& gallery, std::size_t gallery_tile, std::size_t first_row) {
    const std::size_t query_begin = query_tile * kTileRows;
    const std::size_t gallery_begin = gallery_tile * kTileRows;
    const std::size_t panels = std::min(kTilePanels, gallery.panel_count() - gallery_tile * kTilePanels);
    const double* gallery_norms = gallery.norms.data() + gallery_begin;
    const double* gallery_errors = nullptr;
    const double* gallery_sizes = nullptr;
    if constexpr (Rows::has_row_errors) {
      gallery_errors = gallery.errors.data() + gallery_begin;
      gallery_sizes = gallery.sizes.data() + gallery_begin;
    }
    const auto refine = [&](std::size_t q, std::span<candidate> candidates) {
      refine_query<Metric>(queries_.row(first_query + q), queries.squared_norms[q], candidates, gallery_,
                           gallery_squared_norms_, policy_.level);
    };
    for (std::size_t q = query_begin; q < std::min(query_begin + kTileRows, queries.rows); ++q) {
      const float* row = products + (q - query_begin) * kTileRows;
      const double norm = queries.norms[q];
      const row_error error = error_of(queries, q);
      const std::size_t excluded = excluded_row(options_, first_query + q);
      std::array<double, kPanelRows>
          highs;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
      for (std::size_t panel = 0; panel < panels; ++panel) {
        expand(find_panel_body<Metric, Rows::has_row_errors>{row, gallery_norms, gallery_errors, gallery_sizes, norm,
                                                             error, lists.threshold(q), bounds_, panel, panels, &panel,
                                                             highs.data()},
               policy_.level);
        if (panel == panels) break;
        for (std::size_t lane = 0; lane < kPanelRows; ++lane) {
          if (!(highs[lane] >= lists.threshold(q))) continue;
          const std::size_t g = panel * kPanelRows + lane;
          const std::size_t gallery_row = first_row + gallery_begin + g;
          const candidate found = bounds_.candidate_for<Metric>(row[g], norm, gallery_norms[g], error,
                                                                error_of(gallery, gallery_begin + g), gallery_row);
          // A compiler may have rounded the two bounds differently, by far less than they allow for.
          if (found.high >= lists.threshold(q) && gallery_row != excluded) lists.push(q, found, refine);
        }
      }
    }
  }

  /// Refines what is undecided in two steps: what is likely to be the answer, then what that has not ruled out.
  void answer(candidate_lists& lists, const Rows& queries, std::size_t first, std::size_t count) {
    if (is_few_) {
      for (std::size_t q = 0; q < count; ++q) {
        const auto refine = [&](std::span<candidate> candidates) {
          refine_query<Metric>(context_, queries_.row(first + q), queries.squared_norms[q], candidates, gallery_,
                               gallery_squared_norms_, policy_.level);
        };
        lists.prune(q);
        refine(lists.likely_best(q));
        lists.prune_by_best(q);
        refine(lists[q]);
        write(lists, first, q);
      }
    } else {
      const std::size_t group =
          std::min(policy_.refined_queries, (count + context_.threads() - 1) / context_.threads());
      context_.parallel_for((count + group - 1) / group, [&](std::size_t g) {
        const std::size_t begin = g * group;
        const std::size_t end = std::min(begin + group, count);
        const auto refine = [&](auto&& candidates_of) {
          refine_queries<Metric>(begin, end - begin, queries_.slice(first, count), queries.squared_norms, candidates_of,
                                 gallery_, gallery_squared_norms_, policy_.level);
        };
        std::vector<std::span<candidate>> likely(end - begin);
        for (std::size_t q = begin; q < end; ++q) {
          lists.prune(q);
          likely[q - begin] = lists.likely_best(q);
        }
        refine([&](std::size_t q) { return likely[q - begin]; });
        for (std::size_t q = begin; q < end; ++q) lists.prune_by_best(q);
        refine([&](std::size_t q) { return lists[q]; });
        for (std::size_t q = begin; q < end; ++q) write(lists, first, q);
      });
    }
    progress_.add(tiles(count));
  }

  void write(candidate_lists& lists, std::size_t first, std::size_t q) {
    lists.keep_best(q);
    write_answer<Metric>(lists[q], excluded_row(options_, first + q), out_, first + q);
  }

  const cpu_context& context_;
  matrix_view<const T> gallery_;
  matrix_view<const T> queries_;
  const top_n_options& options_;
  const search_policy& policy_;
  const top_n_output<host_space>& out_;
  const Rows* prepared_;  // of the whole gallery, or none
  key_bounds bounds_;
  std::span<const double> gallery_squared_norms_;  // [M]
  bool is_few_;
  progress_counter progress_;
};

}  // namespace imgsim::cpu
