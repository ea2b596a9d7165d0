// The execution context of several processes: a communicator of the caller's, and what each rank computes with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/mpi/communicator.hpp>

namespace imgsim {

/// Every rank makes one, and calls the same operations with it in the same order; an operation returns, or throws, on
/// all ranks (mpi::lockstep). MPI is called from the calling thread alone, on a duplicate of the communicator. Copies
/// share it; the last one to go frees it, which is collective.
class mpi_context {
 public:
  using space = host_space;

  /// Throws invalid_argument where MPI has not been initialised, or for fewer threads than `local` works on.
  explicit mpi_context(MPI_Comm communicator, cpu_context local = cpu_context(1))
      : local_(std::move(local)),
        ranks_(std::make_shared<const mpi::communicator>(communicator, local_.threads() > 1)) {}

  [[nodiscard]] std::string name() const {
    return "mpi (rank " + std::to_string(ranks_->rank()) + " of " + std::to_string(ranks_->size()) + ", " +
           local_.name() + ")";
  }
  [[nodiscard]] thread_pool& host_pool() const noexcept { return local_.host_pool(); }
  [[nodiscard]] const cpu_context& local() const noexcept { return local_; }
  [[nodiscard]] const mpi::communicator& ranks() const noexcept { return *ranks_; }

  /// Throws invalid_argument, on every rank, where `request`, as many numbers on each, differs between ranks.
  /// Collective.
  void expect_same(std::span<const std::uint64_t> request) const {
    const std::vector<std::uint64_t> all = ranks_->gather(request);
    for (std::size_t i = 0; i < all.size(); ++i)
      IMGSIM_EXPECTS(all[i] == request[i % request.size()], "the ranks do not ask the same: rank ", i / request.size(),
                     " has other input or options than rank ", ranks_->rank());
  }

 private:
  cpu_context local_;
  std::shared_ptr<const mpi::communicator> ranks_;
};

static_assert(execution_context<mpi_context>);

}  // namespace imgsim
