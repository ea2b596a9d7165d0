// Distances of all pairs, spread over the ranks by points.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/core/element.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/metric.hpp>
#include <imgsim/mpi/communicator.hpp>
#include <imgsim/mpi/sharded_rows.hpp>
#include <imgsim/search/similarity.hpp>

namespace imgsim::mpi {

/// The distances from each of M points to those of this rank: [M, local], M / ranks of the whole table in float32. For
/// K-medoids with an mpi_context, which takes the very swaps that it takes on one rank over embedding_distances.
class sharded_distances {
 public:
  /// Collective: computes them, the shards going around in a ring. Throws invalid_argument where a row holds a value
  /// that is not finite.
  template <real_element T, metric Metric>
  sharded_distances(const sharded_rows<T>& rows, Metric)
      : context_(rows.context()), size_(rows.size()), first_(rows.first_row()) {
    const communicator& ranks = context_.ranks();
    lockstep together(ranks);
    const matrix_view<const T> local = rows.local();
    const std::vector<double> norms = cpu::row_squared_norms(context_.local(), local, best_simd_level());
    if (const std::optional<std::size_t> bad = imgsim::detail::first_unusable_row(norms))
      imgsim::detail::refuse_embedding(rows.first_row() + *bad, std::span(local.row(*bad), local.extent(1)));
    double largest = norms.empty() ? 0.0 : std::ranges::max(norms);
    distances_ = tensor<float, 2>({size_, local.extent(0)});
    together.step();
    ranks.reduce(std::span(&largest, 1), MPI_MAX);
    upper_bound_ = distance_bound<Metric>(largest);
    rows.pass_around(together, [&](std::size_t first, matrix_view<const T> shard) {
      if (local.extent(0) > 0)
        distance_matrix(context_.local(), shard, local, Metric{}, distances_.view().slice(first, shard.extent(0)));
    });
    for (std::size_t i = 0; i < local.extent(0); ++i) distances_(first_ + i, i) = 0;
    together.finish();
  }

  [[nodiscard]] const mpi_context& context() const noexcept { return context_; }
  /// M.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// This rank's points are rows [first_row(), first_row() + local_size()).
  [[nodiscard]] std::size_t first_row() const noexcept { return first_; }
  [[nodiscard]] std::size_t local_size() const noexcept { return distances_.extent(1); }
  /// [local_size()] from point `row` to this rank's points.
  [[nodiscard]] const float* row(std::size_t row) const noexcept { return distances_.data() + row * local_size(); }
  /// As embedding_distances has it.
  [[nodiscard]] std::optional<float> upper_bound() const noexcept { return upper_bound_; }

 private:
  mpi_context context_;
  std::size_t size_;
  std::size_t first_;
  tensor<float, 2> distances_;
  std::optional<float> upper_bound_;
};

}  // namespace imgsim::mpi
