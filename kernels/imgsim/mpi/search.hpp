// Exact search over rows that are spread over ranks. The answers are those of one rank that holds all rows, to the bit.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/cpu/search/canonical.hpp>
#include <imgsim/cpu/simd.hpp>
#include <imgsim/metric/metric.hpp>
#include <imgsim/mpi/communicator.hpp>
#include <imgsim/mpi/sharded_rows.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim::mpi {

namespace detail {

/// A match as ranking sees it: by its key in float64, since two that differ may round to one similarity.
struct keyed_match {
  double key = kNoKey;
  std::int64_t row = -1;  // -1: none
};

/// Larger keys first, equal ones by row, NaN after them, and then what is none.
[[nodiscard]] inline bool precedes(const keyed_match& a, const keyed_match& b) noexcept {
  if ((a.row < 0) != (b.row < 0)) return b.row < 0;
  if (std::isnan(a.key) != std::isnan(b.key)) return std::isnan(b.key);
  return a.key > b.key || ((a.key == b.key || std::isnan(a.key)) && a.row < b.row);
}

/// The best `columns` matches of each query, best first, as they come in from one shard after the other.
class match_lists {
 public:
  match_lists(std::size_t queries, std::size_t columns)
      : queries_(queries), columns_(columns), matches_(queries * columns), merged_(columns) {}

  [[nodiscard]] std::span<const keyed_match> of(std::size_t query) const noexcept {
    return {matches_.data() + query * columns_, columns_};
  }

  /// `others` in the same order.
  void merge(std::size_t query, std::span<const keyed_match> others) {
    keyed_match* const mine = matches_.data() + query * columns_;
    std::size_t a = 0, b = 0;
    for (keyed_match& next : merged_)
      next = b == others.size() || precedes(mine[a], others[b]) ? mine[a++] : others[b++];
    std::ranges::copy(merged_, mine);
  }

  template <metric Metric>
  [[nodiscard]] top_n_result result() const {
    const std::array<std::size_t, 2> shape{queries_, columns_};
    top_n_result answer{.rows = tensor<std::int64_t, 2>(shape), .similarity = tensor<float, 2>(shape)};
    for (std::size_t i = 0; i < matches_.size(); ++i) {
      answer.rows.data()[i] = matches_[i].row;
      answer.similarity.data()[i] = rounded_to_float(Metric::similarity(matches_[i].key));
    }
    return answer;
  }

 private:
  std::size_t queries_;
  std::size_t columns_;
  std::vector<keyed_match> matches_, merged_;
};

/// The best `wanted` of the rows of a shard for each query, with their keys: those of queries that are rows
/// first_query, first_query + 1, ... of all are not matches of themselves where `exclude_self`. visit(query, matches).
template <metric Metric, real_element T, class Visit>
void search_shard(const cpu_context& context, matrix_view<const T> shard, std::size_t first_row,
                  matrix_view<const T> queries, std::size_t wanted, bool exclude_self, std::size_t first_query,
                  Visit&& visit) {
  const simd_level level = best_simd_level();
  // One more, of which the query itself may be one.
  const top_n_result found =
      search_backend<cpu_context>::top_n(context, shard, queries, Metric{}, {.n = wanted + (exclude_self ? 1 : 0)});
  const std::vector<double> norms = cpu::row_squared_norms(context, shard, level);
  const std::vector<double> query_norms = cpu::row_squared_norms(context, queries, level);
  const std::size_t columns = found.columns();
  std::vector<keyed_match> keyed(queries.extent(0) * columns);
  context.parallel_for(queries.extent(0), [&](std::size_t q) {
    std::vector<const T*> rows(columns);
    std::vector<double> sums(columns);
    for (std::size_t c = 0; c < columns; ++c) rows[c] = shard.row(static_cast<std::size_t>(found.rows(q, c)));
    cpu::expand(cpu::canonical_list_body<Metric, T>{queries.row(q), rows, shard.extent(1), sums.data()}, level);
    for (std::size_t c = 0; c < columns; ++c) {
      const auto row = static_cast<std::size_t>(found.rows(q, c));
      keyed[q * columns + c] = {canonical_key<Metric>(sums[c], query_norms[q], norms[row]),
                                static_cast<std::int64_t>(first_row + row)};
    }
  });
  for (std::size_t q = 0; q < queries.extent(0); ++q) {
    std::span<keyed_match> matches(keyed.data() + q * columns, columns);
    if (exclude_self) {
      const auto itself = static_cast<std::int64_t>(first_query + q);
      const auto rest = std::ranges::remove(matches, itself, &keyed_match::row);
      matches = matches.first(matches.size() - rest.size());
    }
    visit(q, std::span<const keyed_match>(matches.first(std::min(wanted, matches.size()))));
  }
}

}  // namespace detail

/// The N rows of all ranks most similar to each row of this rank: [local rows, min(N, M)], or min(N, M - 1) without
/// self, as imgsim::top_n gives them for these rows in a gallery of all M. Collective; the shards go around in a ring,
/// so that a rank holds three of them at most, sends and receives M D elements in all, and computes M / ranks x M
/// pairs. `options.first_row` is set here; progress is told in rows seen of M.
template <metric Metric, real_element T>
[[nodiscard]] top_n_result neighbors(const sharded_rows<T>& rows, Metric, const top_n_options& options) {
  lockstep together(rows.context().ranks());
  const matrix_view<const T> queries = rows.local();
  detail::match_lists best(queries.extent(0), top_n_columns(rows.size(), options));
  std::size_t seen = 0;
  rows.pass_around(together, [&](std::size_t first, matrix_view<const T> shard) {
    if (queries.extent(0) > 0)
      detail::search_shard<Metric>(rows.context().local(), shard, first, queries, options.n, options.exclude_self,
                                   rows.first_row(), [&](std::size_t q, auto matches) { best.merge(q, matches); });
    seen += shard.extent(0);
    if (options.on_progress) options.on_progress(seen, rows.size());
  });
  top_n_result answer = best.result<Metric>();
  together.finish();
  return answer;
}

/// The N rows of all ranks most similar to each of `queries` [Q, D], which are the same on every rank, as imgsim::top_n
/// gives them in a gallery of all M rows; the answer is on every rank. Collective: each rank searches its own rows, and
/// the lists are merged, Q N times 16 bytes from each. Throws invalid_argument, on every rank, where imgsim::top_n does
/// or the ranks do not ask the same.
template <metric Metric, real_element T, element_matrix Queries>
[[nodiscard]] top_n_result top_n(const sharded_rows<T>& gallery, const Queries& asked, Metric,
                                 const top_n_options& options) {
  static_assert(std::same_as<T, element_of<Queries>>, "queries have the element type of the gallery");
  const matrix_view<const T> queries(asked);
  const communicator& ranks = gallery.context().ranks();
  lockstep together(ranks);
  const std::size_t width = gallery.size() == 0 ? queries.extent(1) : gallery.width();
  imgsim::detail::check_queries(gallery.size(), width, queries, options);
  together.step();
  const std::uint64_t mine[] = {queries.extent(0), queries.extent(1), options.n, options.exclude_self ? 1u : 0u,
                                options.first_row};
  gallery.context().expect_same(mine);

  const std::size_t columns = top_n_columns(gallery.size(), options);
  detail::match_lists best(queries.extent(0), columns);
  constexpr std::size_t kBytes = std::size_t{64} << 20;  // of lists at a time
  const std::size_t list_bytes = sizeof(detail::keyed_match) * std::max<std::size_t>(columns, 1) * ranks.size();
  const std::size_t batch = std::max<std::size_t>(kBytes / list_bytes, 1);
  for (std::size_t first = 0; first < queries.extent(0) && columns > 0; first += batch) {
    const std::size_t count = std::min(batch, queries.extent(0) - first);
    std::vector<double> keys(count * columns, kNoKey);
    std::vector<std::int64_t> rows(count * columns, -1);
    if (gallery.local().extent(0) > 0)
      detail::search_shard<Metric>(gallery.context().local(), gallery.local(), gallery.first_row(),
                                   queries.slice(first, count), columns, options.exclude_self,
                                   options.first_row + first, [&](std::size_t q, auto matches) {
                                     for (std::size_t c = 0; c < matches.size(); ++c) {
                                       keys[q * columns + c] = matches[c].key;
                                       rows[q * columns + c] = matches[c].row;
                                     }
                                   });
    std::vector<double> all_keys(keys.size() * ranks.size());
    std::vector<std::int64_t> all_rows(rows.size() * ranks.size());
    std::vector<detail::keyed_match> list(columns);
    together.step();
    ranks.template gather<double>(keys, all_keys);
    ranks.template gather<std::int64_t>(rows, all_rows);
    for (std::size_t rank = 0; rank < ranks.size(); ++rank)
      for (std::size_t q = 0; q < count; ++q) {
        for (std::size_t c = 0; c < columns; ++c) {
          const std::size_t at = (rank * count + q) * columns + c;
          list[c] = {all_keys[at], all_rows[at]};
        }
        best.merge(first + q, list);
      }
  }
  top_n_result answer = best.result<Metric>();
  together.finish();
  return answer;
}

}  // namespace imgsim::mpi
