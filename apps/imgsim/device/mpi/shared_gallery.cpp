#include "device/mpi/shared_gallery.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "device/mpi/row_messages.hpp"

#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/registry.hpp>
#include <imgsim/mpi/communicator.hpp>
#include <imgsim/mpi/search.hpp>

namespace imgsim::app {

mpi::sharded_rows<float> shared_gallery::rows(matrix_view<const float> whole) const {
  const mpi::communicator& ranks = context_.ranks();
  if (ranks.rank() > 0) return {context_, part_.view()};
  return {context_, whole.slice(0, first_row_of(1, ranks.size(), rows_))};
}

void shared_gallery::take(mpi::lockstep& together, std::size_t rows, std::size_t columns,
                          matrix_view<const float> whole) {
  const mpi::communicator& ranks = context_.ranks();
  const std::size_t size = ranks.size(), rank = ranks.rank();
  const auto first = [&](std::size_t of) { return first_row_of(of, size, rows); };
  part_ = {};  // before there is another
  if (rank > 0) part_ = tensor<float, 2>({first(rank + 1) - first(rank), columns});
  rows_ = rows;
  columns_ = columns;
  together.step();
  if (rank > 0) return receive_rows(ranks, part_.view(), 0);
  for (std::size_t to = 1; to < size; ++to) send_rows(ranks, whole.slice(first(to), first(to + 1) - first(to)), to);
}

top_n_result shared_gallery::find_neighbours(mpi::lockstep& together, matrix_view<const float> whole,
                                             std::string_view metric, const top_n_options& options) const {
  const mpi::communicator& ranks = context_.ranks();
  const mpi::sharded_rows<float> shards = rows(whole);
  const top_n_result mine = visit_metric(metric, [&](auto m) { return mpi::neighbors(shards, m, options); });
  top_n_result all;
  if (ranks.rank() == 0) {
    const std::array<std::size_t, 2> shape{rows_, mine.columns()};
    all = {.rows = tensor<std::int64_t, 2>(shape), .similarity = tensor<float, 2>(shape)};
  }
  together.step();
  if (ranks.rank() > 0) {
    send_rows(ranks, mine.rows.view(), 0);
    send_rows(ranks, mine.similarity.view(), 0);
    return all;
  }
  std::ranges::copy(mine.rows, all.rows.data());
  std::ranges::copy(mine.similarity, all.similarity.data());
  for (std::size_t from = 1; from < ranks.size(); ++from) {
    const std::size_t first = shards.first_row(from), count = shards.first_row(from + 1) - first;
    receive_rows(ranks, all.rows.view().slice(first, count), from);
    receive_rows(ranks, all.similarity.view().slice(first, count), from);
  }
  return all;
}

top_n_result shared_gallery::find_matches(mpi::lockstep& together, matrix_view<const float> whole,
                                          std::string_view metric, std::size_t count, std::size_t columns,
                                          matrix_view<const float> queries, const top_n_options& options) const {
  const mpi::communicator& ranks = context_.ranks();
  tensor<float, 2> everywhere({count, columns});
  if (ranks.rank() == 0)
    for (std::size_t q = 0; q < count; ++q) std::copy_n(queries.row(q), columns, everywhere.view().row(q));
  together.step();
  ranks.broadcast(std::span(everywhere.data(), everywhere.size()), 0);
  const mpi::sharded_rows<float> shards = rows(whole);
  return visit_metric(metric, [&](auto m) { return mpi::top_n(shards, everywhere.view(), m, options); });
}

void shared_gallery::keep_distances(matrix_view<const float> whole, std::string_view metric, std::uint64_t number) {
  const mpi::sharded_rows<float> shards = rows(whole);
  distances_[number] =
      visit_metric(metric, [&](auto m) { return std::make_unique<mpi::sharded_distances>(shards, m); });
}

}  // namespace imgsim::app
