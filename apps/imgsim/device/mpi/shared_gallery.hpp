// Rows that rank 0 has, spread over the ranks, and what all ranks do with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>

#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/mpi/context.hpp>
#include <imgsim/mpi/sharded_distances.hpp>
#include <imgsim/mpi/sharded_rows.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim::app {

/// The first row of a rank's part of `rows`.
[[nodiscard]] constexpr std::size_t first_row_of(std::size_t rank, std::size_t ranks, std::size_t rows) noexcept {
  return rank * rows / ranks;
}

/// Every member but the const ones is collective, and called by all ranks with the same arguments; `whole` and
/// `queries` and answers are rank 0's alone. To be called between the beginning and the end of a lockstep.
class shared_gallery {
 public:
  explicit shared_gallery(const mpi_context& context) : context_(context) {}

  /// Sends each rank its part of `whole` [rows, columns].
  void take(mpi::lockstep& together, std::size_t rows, std::size_t columns, matrix_view<const float> whole);

  /// As top_n, of each row of the gallery.
  [[nodiscard]] top_n_result find_neighbours(mpi::lockstep& together, matrix_view<const float> whole,
                                             std::string_view metric, const top_n_options& options) const;
  /// As top_n, of queries [count, columns].
  [[nodiscard]] top_n_result find_matches(mpi::lockstep& together, matrix_view<const float> whole,
                                          std::string_view metric, std::size_t count, std::size_t columns,
                                          matrix_view<const float> queries, const top_n_options& options) const;

  /// Computes the distances between the rows, each rank some columns of the table, and keeps them under `number`.
  void keep_distances(matrix_view<const float> whole, std::string_view metric, std::uint64_t number);
  void forget_distances(std::uint64_t number) noexcept { distances_.erase(number); }
  [[nodiscard]] const mpi::sharded_distances& distances(std::uint64_t number) const { return *distances_.at(number); }

 private:
  /// Rank 0 reads its part where the caller has it.
  [[nodiscard]] mpi::sharded_rows<float> rows(matrix_view<const float> whole) const;

  mpi_context context_;
  std::size_t rows_ = 0, columns_ = 0;
  tensor<float, 2> part_;  // of the other ranks
  std::map<std::uint64_t, std::unique_ptr<mpi::sharded_distances>> distances_;
};

}  // namespace imgsim::app
