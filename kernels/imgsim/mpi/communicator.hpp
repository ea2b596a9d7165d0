// The ranks of a communicator of the caller's, and how they stay in step.
#pragma once

#include <mpi.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <imgsim/core/error.hpp>

namespace imgsim::mpi {

/// Another rank failed. That rank's own exception says why.
class IMGSIM_SEEN_BY_ALL remote_error : public error {
 public:
  explicit remote_error(int rank)
      : error("rank " + std::to_string(rank) + " failed, and with it what all ranks did together"), rank_(rank) {}
  /// The first that failed.
  [[nodiscard]] int rank() const noexcept { return rank_; }

 private:
  int rank_;
};

/// Throws backend_error where `status` is no success.
inline void check(int status, const char* call) {
  if (status == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(status, text, &length);
  throw backend_error("MPI", imgsim::detail::concat(call, " gave ", std::string_view(text)));
}

/// The MPI type of a number.
template <class T>
[[nodiscard]] MPI_Datatype type_of() noexcept {
  if constexpr (std::is_same_v<T, float>)
    return MPI_FLOAT;
  else if constexpr (std::is_same_v<T, double>)
    return MPI_DOUBLE;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return MPI_INT64_T;
  else if constexpr (std::is_same_v<T, std::uint64_t>)
    return MPI_UINT64_T;
  else {
    static_assert(std::is_same_v<T, std::uint32_t>, "no MPI type is known for this type");
    return MPI_UINT32_T;
  }
}

/// What a rank has exchanged with the others, as MPI's calls have it: an all-reduce of n bytes is n sent and n
/// received, an all-gather n sent and n received for every other rank. What goes over the wires, and how often, is up
/// to the algorithms of the MPI library. docs/scaling.md says what to expect.
struct message_volume {
  std::uint64_t calls = 0;
  std::uint64_t sent = 0, received = 0;  // bytes

  [[nodiscard]] message_volume operator-(const message_volume& before) const noexcept {
    return {calls - before.calls, sent - before.sent, received - before.received};
  }
};

/// A duplicate of the caller's communicator: messages of the library and of the caller never meet, and errors of MPI
/// are thrown here whatever the caller has them do there. Making one is collective. To be used from one thread at a
/// time.
class communicator {
 public:
  /// `threads`: whether this process works on several threads, of which the calling one alone calls MPI. Throws
  /// invalid_argument, on every rank, where MPI was not initialised for that.
  communicator(MPI_Comm caller, bool threads) {
    int initialised = 0;
    check(MPI_Initialized(&initialised), "MPI_Initialized");
    IMGSIM_EXPECTS(initialised != 0, "MPI has not been initialised");
    int inter = 0;
    check(MPI_Comm_test_inter(caller, &inter), "MPI_Comm_test_inter");
    IMGSIM_EXPECTS(inter == 0, "an intracommunicator is needed, not one between two groups");
    check(MPI_Comm_dup(caller, &handle_), "MPI_Comm_dup");
    try {
      check(MPI_Comm_set_errhandler(handle_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
      check(MPI_Comm_rank(handle_, &rank_), "MPI_Comm_rank");
      check(MPI_Comm_size(handle_, &size_), "MPI_Comm_size");
      int level = MPI_THREAD_SINGLE;
      check(MPI_Query_thread(&level), "MPI_Query_thread");
      int refused = threads && level < MPI_THREAD_FUNNELED ? 1 : 0;
      check(MPI_Allreduce(MPI_IN_PLACE, &refused, 1, MPI_INT, MPI_MAX, handle_), "MPI_Allreduce");
      IMGSIM_EXPECTS(refused == 0,
                     "MPI was initialised for one thread: call MPI_Init_thread with MPI_THREAD_FUNNELED "
                     "or more, or use contexts of one thread");
    } catch (...) {
      MPI_Comm_free(&handle_);
      throw;
    }
  }
  communicator(const communicator&) = delete;
  communicator& operator=(const communicator&) = delete;
  /// Collective, too, as MPI_Comm_free is.
  ~communicator() {
    int finalised = 0;
    MPI_Finalized(&finalised);
    if (finalised == 0) MPI_Comm_free(&handle_);
  }

  [[nodiscard]] MPI_Comm handle() const noexcept { return handle_; }
  [[nodiscard]] std::size_t rank() const noexcept { return static_cast<std::size_t>(rank_); }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(size_); }

  /// values[i] = the sum, or the largest, of values[i] over the ranks.
  template <class T>
  void reduce(std::span<T> values, MPI_Op operation) const {
    constexpr std::size_t kMost = std::size_t{1} << 24;  // values in one message
    for (std::size_t first = 0; first < values.size(); first += kMost) {
      const std::span<T> part = values.subspan(first, std::min(kMost, values.size() - first));
      check(MPI_Allreduce(MPI_IN_PLACE, part.data(), static_cast<int>(part.size()), type_of<T>(), operation, handle_),
            "MPI_Allreduce");
      count(part.size_bytes(), part.size_bytes());
    }
  }

  /// `values` of every rank, by rank. All give as many.
  template <class T>
  [[nodiscard]] std::vector<T> gather(std::span<const T> values) const {
    std::vector<T> all(values.size() * size());
    gather(values, std::span(all));
    return all;
  }
  /// The same, into values.size() * size() of the caller's: nothing is allocated, which a rank could fail at alone.
  template <class T>
  void gather(std::span<const T> values, std::span<T> all) const {
    IMGSIM_EXPECTS(values.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()), "the ranks exchange ",
                   values.size(), " values at once, which MPI does not count: use smaller batches");
    const int each = static_cast<int>(values.size());
    check(MPI_Allgather(values.data(), each, type_of<T>(), all.data(), each, type_of<T>(), handle_), "MPI_Allgather");
    count(values.size_bytes(), values.size_bytes() * (size() - 1));
  }

  /// The same where a rank gives counts[rank] values, which come to stand at offsets[rank] of `all`.
  template <class T>
  void gather(std::span<const T> values, std::span<T> all, std::span<const int> counts,
              std::span<const int> offsets) const {
    check(MPI_Allgatherv(values.data(), static_cast<int>(values.size()), type_of<T>(), all.data(), counts.data(),
                         offsets.data(), type_of<T>(), handle_),
          "MPI_Allgatherv");
    count(values.size_bytes(), all.size_bytes() - values.size_bytes());
  }

  /// Overwrites `values` with those of rank `from`.
  template <class T>
  void broadcast(std::span<T> values, std::size_t from) const {
    check(MPI_Bcast(values.data(), static_cast<int>(values.size()), type_of<T>(), static_cast<int>(from), handle_),
          "MPI_Bcast");
    count(from == rank() ? values.size_bytes() : 0, from == rank() ? 0 : values.size_bytes());
  }

  /// Since the communicator was made.
  [[nodiscard]] const message_volume& volume() const noexcept { return volume_; }
  /// One more call of MPI. A rank that is alone exchanges nothing.
  void count(std::size_t sent, std::size_t received) const noexcept {
    ++volume_.calls;
    if (size_ == 1) return;
    volume_.sent += sent;
    volume_.received += received;
  }

 private:
  MPI_Comm handle_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  mutable message_volume volume_;
};

/// Keeps ranks from waiting for one that has left by an exception. Something that all ranks do together holds one from
/// its beginning to its end, calls step() before each exchange, and finish() at the end where nothing more can fail.
/// Where a rank leaves it by an exception, whatever that is, step() and finish() throw remote_error on the others;
/// nobody hangs. Where it ends without finish(), a rank that fails after the last step fails alone. One is alive at a
/// time.
class lockstep {
 public:
  explicit lockstep(const communicator& ranks) noexcept : ranks_(ranks) {}
  lockstep(const lockstep&) = delete;
  lockstep& operator=(const lockstep&) = delete;
  ~lockstep() {
    if (is_over_) return;
    try {
      (void)first_failure(std::uncaught_exceptions() > exceptions_);
    } catch (const std::exception&) {  // of MPI itself; the ranks can do no more for each other
    }
  }

  void finish() {
    step();
    is_over_ = true;
  }

  void step() {
    int failed = 0;
    try {
      failed = first_failure(false);
    } catch (...) {
      is_over_ = true;  // MPI itself is broken
      throw;
    }
    if (failed < 0) return;
    is_over_ = true;
    throw remote_error(failed);
  }

 private:
  /// The lowest rank that failed, or -1.
  int first_failure(bool is_mine) {
    const auto size = static_cast<std::uint32_t>(ranks_.size());
    std::uint32_t failure = is_mine ? size - static_cast<std::uint32_t>(ranks_.rank()) : 0;
    ranks_.reduce(std::span(&failure, 1), MPI_MAX);
    return failure == 0 ? -1 : static_cast<int>(size - failure);
  }

  const communicator& ranks_;
  int exceptions_ = std::uncaught_exceptions();
  bool is_over_ = false;
};

}  // namespace imgsim::mpi
