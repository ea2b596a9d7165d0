// Rows that go from one rank to another, in as many messages as they need.
#pragma once

#include <mpi.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include <imgsim/core/view.hpp>
#include <imgsim/mpi/communicator.hpp>

namespace imgsim::app {

namespace detail {

inline constexpr int kRowsTag = 1;

/// Calls move(first, count) for the parts of `rows` that one message each holds.
template <class Move>
void in_messages(std::size_t rows, std::size_t row_bytes, Move&& move) {
  constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  const std::size_t most = std::max<std::size_t>(kMostBytes / std::max<std::size_t>(row_bytes, 1), 1);
  for (std::size_t first = 0; first < rows; first += most) move(first, std::min(most, rows - first));
}

}  // namespace detail

template <class T>
void send_rows(const mpi::communicator& ranks, matrix_view<const T> rows, std::size_t to) {
  const std::size_t width = rows.extent(1);
  std::vector<T> packed;
  detail::in_messages(rows.extent(0), width * sizeof(T), [&](std::size_t first, std::size_t count) {
    const matrix_view<const T> part = rows.slice(first, count);
    const T* data = part.data();
    if (!part.is_contiguous()) {
      packed.clear();
      for (std::size_t r = 0; r < count; ++r) packed.insert(packed.end(), part.row(r), part.row(r) + width);
      data = packed.data();
    }
    mpi::check(MPI_Send(data, static_cast<int>(count * width * sizeof(T)), MPI_BYTE, static_cast<int>(to),
                        detail::kRowsTag, ranks.handle()),
               "MPI_Send");
    ranks.count(count * width * sizeof(T), 0);
  });
}

template <class T>
void receive_rows(const mpi::communicator& ranks, matrix_view<T> rows, std::size_t from) {
  const std::size_t row_bytes = rows.extent(1) * sizeof(T);
  detail::in_messages(rows.extent(0), row_bytes, [&](std::size_t first, std::size_t count) {
    mpi::check(MPI_Recv(rows.row(first), static_cast<int>(count * row_bytes), MPI_BYTE, static_cast<int>(from),
                        detail::kRowsTag, ranks.handle(), MPI_STATUS_IGNORE),
               "MPI_Recv");
    ranks.count(0, count * row_bytes);
  });
}

}  // namespace imgsim::app
