// A matrix whose rows are spread over the ranks, and the ring in which its shards go around.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/mpi/communicator.hpp>
#include <imgsim/mpi/context.hpp>

namespace imgsim::mpi {

/// Rows [M, D], of which this rank holds some: rank 0 the first of them, rank 1 the next, and so on, each as many as it
/// likes, none included. They are read where they are and must outlive the object; they may be strided.
template <real_element T>
class sharded_rows {
 public:
  /// Collective. Throws invalid_argument, on every rank, where widths differ between ranks that hold rows.
  sharded_rows(const mpi_context& context, matrix_view<const T> local) : context_(context), local_(local) {
    const communicator& ranks = context_.ranks();
    const std::uint64_t shape[] = {local.extent(0), local.extent(0) == 0 ? 0 : local.extent(1)};
    const std::vector<std::uint64_t> shapes = ranks.template gather<std::uint64_t>(shape);
    first_.push_back(0);
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      first_.push_back(first_.back() + shapes[2 * r]);
      largest_ = std::max<std::size_t>(largest_, shapes[2 * r]);
      if (shapes[2 * r] == 0) continue;
      if (width_ == 0) width_ = shapes[2 * r + 1];
      IMGSIM_EXPECTS(shapes[2 * r + 1] == width_, "the rows of rank ", r, " are ", shapes[2 * r + 1],
                     " wide, those before them ", width_);
    }
    IMGSIM_EXPECTS(largest_ < kMost && width_ * sizeof(T) < kMost, "a shard of ", largest_, " rows of ", width_,
                   " elements is more than one message of MPI holds");
  }

  [[nodiscard]] const mpi_context& context() const noexcept { return context_; }
  [[nodiscard]] matrix_view<const T> local() const noexcept { return local_; }
  /// M and D.
  [[nodiscard]] std::size_t size() const noexcept { return first_.back(); }
  [[nodiscard]] std::size_t width() const noexcept { return width_; }
  /// Rows [first_row(rank), first_row(rank + 1)) are that rank's.
  [[nodiscard]] std::size_t first_row(std::size_t rank) const noexcept { return first_[rank]; }
  [[nodiscard]] std::size_t first_row() const noexcept { return first_[context_.ranks().rank()]; }
  /// Rows of the largest shard.
  [[nodiscard]] std::size_t largest_shard() const noexcept { return largest_; }

  /// Calls visit(first row, rows) for each shard that is not empty, this rank's own first, while the next one arrives.
  /// Collective, in steps of `together`. Memory: two shards. Rows are valid until visit returns.
  template <class Visit>
  void pass_around(lockstep& together, Visit&& visit) const {
    const communicator& ranks = context_.ranks();
    tensor<T, 2> buffers[2];
    if (ranks.size() > 1)
      for (tensor<T, 2>& buffer : buffers) buffer = tensor<T, 2>({largest_, width_});
    const std::size_t size = ranks.size(), rank = ranks.rank();
    matrix_view<const T> here = local_;
    for (std::size_t turn = 0; turn < size; ++turn) {
      const std::size_t owner = (rank + turn) % size;
      const std::size_t following = (owner + 1) % size;
      const matrix_view<T> next(buffers[turn % 2].data(), {first_[following + 1] - first_[following], width_});
      transfer exchange(ranks, here, next);
      together.step();  // from here on, each rank sends and receives
      if (turn + 1 < size) exchange.start(here, next);
      if (here.extent(0) > 0) visit(first_[owner], here);
      exchange.finish();
      here = next;
    }
  }

 private:
  static constexpr std::size_t kMost = std::size_t{std::numeric_limits<int>::max()};

  /// One shard on its way out, one on its way in.
  class transfer {
   public:
    transfer(const communicator& ranks, matrix_view<const T> from, matrix_view<T> into) : ranks_(ranks) {
      types_[0] = row_type(from);
      types_[1] = row_type(into);
    }
    transfer(const transfer&) = delete;
    transfer& operator=(const transfer&) = delete;
    /// Both ends are under way on every rank, so that waiting ends, also where an exception is.
    ~transfer() {
      if (requests_[0] != MPI_REQUEST_NULL || requests_[1] != MPI_REQUEST_NULL)
        MPI_Waitall(2, requests_, MPI_STATUSES_IGNORE);
      for (MPI_Datatype& type : types_)
        if (type != MPI_DATATYPE_NULL) MPI_Type_free(&type);
    }

    /// `from` to the rank before this one, `into` from the one after it.
    void start(matrix_view<const T> from, matrix_view<T> into) {
      constexpr int kTag = 0;
      const auto neighbour = [&](std::size_t steps) {
        return static_cast<int>((ranks_.rank() + steps) % ranks_.size());
      };
      check(MPI_Irecv(into.data(), static_cast<int>(into.extent(0)), types_[1], neighbour(1), kTag, ranks_.handle(),
                      &requests_[1]),
            "MPI_Irecv");
      check(MPI_Isend(from.data(), static_cast<int>(from.extent(0)), types_[0], neighbour(ranks_.size() - 1), kTag,
                      ranks_.handle(), &requests_[0]),
            "MPI_Isend");
      ranks_.count(from.extent(0) * from.extent(1) * sizeof(T), into.extent(0) * into.extent(1) * sizeof(T));
    }
    void finish() { check(MPI_Waitall(2, requests_, MPI_STATUSES_IGNORE), "MPI_Waitall"); }

   private:
    /// A row of a matrix, the next one `stride` elements on: strided rows are sent without a copy.
    template <class Rows>
    [[nodiscard]] static MPI_Datatype row_type(const Rows& rows) {
      const std::size_t width = rows.extent(1), stride = rows.stride(0);
      MPI_Datatype row = MPI_DATATYPE_NULL, strided = MPI_DATATYPE_NULL;
      check(MPI_Type_contiguous(static_cast<int>(width * sizeof(T)), MPI_BYTE, &row), "MPI_Type_contiguous");
      const int status = MPI_Type_create_resized(row, 0, static_cast<MPI_Aint>(stride * sizeof(T)), &strided);
      MPI_Type_free(&row);
      check(status, "MPI_Type_create_resized");
      check(MPI_Type_commit(&strided), "MPI_Type_commit");
      return strided;
    }

    const communicator& ranks_;
    MPI_Request requests_[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
    MPI_Datatype types_[2] = {MPI_DATATYPE_NULL, MPI_DATATYPE_NULL};
  };

  mpi_context context_;
  matrix_view<const T> local_;
  std::vector<std::size_t> first_;  // [ranks + 1]
  std::size_t width_ = 0;
  std::size_t largest_ = 0;
};

template <class T>
sharded_rows(const mpi_context&, const view<T, 2>&) -> sharded_rows<std::remove_const_t<T>>;

}  // namespace imgsim::mpi
