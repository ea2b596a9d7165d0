// The ranks of MPI_COMM_WORLD as a team.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "device/compute.hpp"
#include "device/mpi/order_channel.hpp"
#include "device/mpi/shared_gallery.hpp"
#include "device/rank_team.hpp"

#include <imgsim/core/view.hpp>
#include <imgsim/mpi/communicator.hpp>
#include <imgsim/mpi/context.hpp>

namespace imgsim::app {

/// MPI from its beginning to its end.
class mpi_session {
 public:
  mpi_session();
  mpi_session(const mpi_session&) = delete;
  mpi_session& operator=(const mpi_session&) = delete;
  ~mpi_session();
};

class mpi_team final : public rank_team {
 public:
  /// See mpi_module::join.
  mpi_team(const launched_rank& launched, const std::vector<std::string>& arguments);
  ~mpi_team() override;

  [[nodiscard]] std::size_t rank() const override { return rank_; }
  [[nodiscard]] std::size_t size() const override { return size_; }
  [[nodiscard]] std::size_t threads() const override { return threads_; }
  [[nodiscard]] std::unique_ptr<compute> lead(std::unique_ptr<compute> local, std::size_t threads) override;
  [[nodiscard]] exchanged_bytes exchanged() const override;
  void serve(std::unique_ptr<compute> (*open_local)(std::size_t threads)) override;

  // What follows is for rank 0's device, which calls it from one thread at a time: whoever has locked mutex().
  [[nodiscard]] std::mutex& mutex() noexcept { return mutex_; }
  [[nodiscard]] const mpi_context& context() const noexcept { return *context_; }
  /// Ranks that share this machine, this one included.
  [[nodiscard]] std::size_t neighbours() const noexcept { return neighbours_; }
  [[nodiscard]] shared_gallery& gallery() noexcept { return *gallery_; }
  [[nodiscard]] order_channel& channel() noexcept { return channel_; }
  /// For distances that are kept.
  [[nodiscard]] std::uint64_t next_number() noexcept { return ++numbers_; }

  /// Gives an order and does rank 0's part of it, work(lockstep). Throws what a rank failed with.
  template <class Work>
  void together(order&& what, Work&& work) {
    explained([&] {
      channel_.send(std::move(what));
      mpi::lockstep all(context_->ranks());
      work(all);
      all.finish();
    });
  }
  /// Gives an order in which nothing can fail, from a destructor.
  void tell(order&& what) noexcept;
  /// What `work` returns; where it fails because another rank has, throws what that failed with.
  template <class Work>
  auto explained(Work&& work) {
    try {
      return work();
    } catch (const mpi::remote_error& failure) {
      throw_reason_of(failure.rank());
    }
  }
  /// The ranks hold `rows`: they are sent where others, or other numbers, were held before.
  void hold(matrix_view<const float> rows);

 private:
  [[noreturn]] void throw_reason_of(int rank);
  void open(std::size_t threads);
  /// Whether the command goes on.
  [[nodiscard]] bool follow(received_order& order);
  void follow_together(received_order& order);

  mpi_session session_;
  order_channel channel_;
  std::mutex mutex_;
  std::size_t rank_ = 0, size_ = 1, neighbours_ = 1, threads_ = 1;
  std::optional<mpi_context> context_;  // from the first lead() on
  std::optional<shared_gallery> gallery_;
  std::atomic<std::uint64_t> numbers_{0};
  std::unique_ptr<compute> (*open_local_)(std::size_t threads) = nullptr;  // of the ranks but the first, as the next
  std::unique_ptr<compute> local_;                                         // ones; from the first encoder on
  std::map<std::uint64_t, std::unique_ptr<encoder>> encoders_;
  std::string held_;    // what hold() knows the rows by
  std::string reason_;  // of the last failure here
};

}  // namespace imgsim::app
