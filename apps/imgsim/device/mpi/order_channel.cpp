#include "device/mpi/order_channel.hpp"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>
#include <utility>

#include <imgsim/core/error.hpp>
#include <imgsim/mpi/communicator.hpp>

namespace imgsim::app {

namespace {

constexpr int kOrder = 1, kReason = 2;  // tags

using mpi::check;

/// Waits for a message. A rank that only looked again and again would take a core from those that work, and one that
/// slept would be late for the thousands of short steps of a search: it sleeps a quarter of the time it has waited.
MPI_Message wait_for_message(MPI_Comm from, MPI_Status& status) {
  using clock = std::chrono::steady_clock;
  constexpr auto kAwake = std::chrono::microseconds(200);
  constexpr clock::duration kLongestSleep = std::chrono::milliseconds(2);
  const clock::time_point begin = clock::now();
  for (;;) {
    int there = 0;
    MPI_Message message = MPI_MESSAGE_NULL;
    check(MPI_Improbe(0, kOrder, from, &there, &message, &status), "MPI_Improbe");
    if (there != 0) return message;
    const clock::duration waited = clock::now() - begin;
    if (waited < kAwake) {
      sched_yield();
    } else {
      std::this_thread::sleep_for(std::min(waited / 4, kLongestSleep));
    }
  }
}

}  // namespace

order_channel::order_channel(MPI_Comm all) {
  check(MPI_Comm_dup(all, &handle_), "MPI_Comm_dup");
  check(MPI_Comm_set_errhandler(handle_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  int size = 1;
  check(MPI_Comm_size(handle_, &size), "MPI_Comm_size");
  size_ = static_cast<std::size_t>(size);
}

order_channel::~order_channel() {
  if (!requests_.empty()) MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE);
  MPI_Comm_free(&handle_);
}

void order_channel::finish_sending() {
  if (requests_.empty()) return;
  check(MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
  requests_.clear();
}

void order_channel::send(order&& order) {
  finish_sending();
  bytes_ = std::move(order).take();
  constexpr std::size_t kMost = std::size_t{std::numeric_limits<int>::max()};
  IMGSIM_EXPECTS(bytes_.size() <= kMost, "an order of ", bytes_.size(), " bytes is more than one message of MPI holds");
  requests_.assign(size_ - 1, MPI_REQUEST_NULL);
  for (std::size_t rank = 1; rank < size_; ++rank)
    check(MPI_Isend(bytes_.data(), static_cast<int>(bytes_.size()), MPI_BYTE, static_cast<int>(rank), kOrder, handle_,
                    &requests_[rank - 1]),
          "MPI_Isend");
}

received_order order_channel::receive() {
  MPI_Status status;
  MPI_Message message = wait_for_message(handle_, status);
  int size = 0;
  check(MPI_Get_count(&status, MPI_BYTE, &size), "MPI_Get_count");
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  check(MPI_Mrecv(bytes.data(), size, MPI_BYTE, &message, MPI_STATUS_IGNORE), "MPI_Mrecv");
  return received_order(std::move(bytes));
}

std::string order_channel::ask_why(std::size_t from) {
  finish_sending();
  const std::vector<std::byte> question = order(order_kind::tell_why).take();
  const int rank = static_cast<int>(from);
  check(MPI_Send(question.data(), static_cast<int>(question.size()), MPI_BYTE, rank, kOrder, handle_), "MPI_Send");
  MPI_Status status;
  int size = 0;
  check(MPI_Probe(rank, kReason, handle_, &status), "MPI_Probe");
  check(MPI_Get_count(&status, MPI_CHAR, &size), "MPI_Get_count");
  std::string reason(static_cast<std::size_t>(size), ' ');
  check(MPI_Recv(reason.data(), size, MPI_CHAR, rank, kReason, handle_, MPI_STATUS_IGNORE), "MPI_Recv");
  return reason;
}

void order_channel::tell(const std::string& reason) {
  check(MPI_Send(reason.data(), static_cast<int>(reason.size()), MPI_CHAR, 0, kReason, handle_), "MPI_Send");
}

}  // namespace imgsim::app
