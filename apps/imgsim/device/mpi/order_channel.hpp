// How orders reach the ranks.
#pragma once

#include <mpi.h>

#include <cstddef>
#include <string>
#include <vector>

#include "device/mpi/order.hpp"

namespace imgsim::app {

/// Messages between rank 0 and the others, apart from those of what they do together. Making one is collective.
class order_channel {
 public:
  explicit order_channel(MPI_Comm all);
  order_channel(const order_channel&) = delete;
  order_channel& operator=(const order_channel&) = delete;
  /// Collective.
  ~order_channel();

  /// Rank 0, to all others. Returns before they have it, so that rank 0 can begin what it has ordered: a rank that
  /// failed in the work before takes part in this order's first step to say so, and only then reads it.
  void send(order&& order);
  /// The other ranks: waits, without keeping a core busy, where rank 0 works alone for long.
  [[nodiscard]] received_order receive();

  /// Rank 0: the reason why rank `from` failed last, which it tells by tell().
  [[nodiscard]] std::string ask_why(std::size_t from);
  void tell(const std::string& reason);

 private:
  void finish_sending();

  MPI_Comm handle_ = MPI_COMM_NULL;
  std::size_t size_ = 1;
  std::vector<std::byte> bytes_;  // on their way
  std::vector<MPI_Request> requests_;
};

}  // namespace imgsim::app
