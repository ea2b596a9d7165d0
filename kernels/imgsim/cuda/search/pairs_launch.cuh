// Launches of the canonical kernels.
#pragma once

#include <algorithm>
#include <cstddef>

#include <imgsim/core/element.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cuda/context.hpp>
#include <imgsim/cuda/launch.cuh>
#include <imgsim/cuda/search/canonical_kernel.cuh>
#include <imgsim/cuda/search/policy.hpp>

namespace imgsim::cuda {

template <class T>
using device_rows = matrix_view<const T, device_space>;

/// norms [M] of `rows` [M, D]; queued.
template <real_element T>
void queue_squared_norms(const cuda_context& context, const device_rows<T>& rows, double* norms) {
  if (rows.extent(0) == 0) return;
  constexpr unsigned kThreads = 256;
  launch(cover(rows.extent(0) * kGroupLanes, kThreads), context.stream(), squared_norms<T>, rows.data(), rows.stride(0),
         checked_count(rows.extent(0), "rows"), checked_count(rows.extent(1), "columns"), norms);
}

template <real_element T>
[[nodiscard]] pair_side<T> side_of(const device_rows<T>& rows, const double* norms) {
  return {rows.data(), rows.stride(0), norms, checked_count(rows.extent(0), "rows")};
}

/// Rows that one launch takes: what the second dimension of a grid holds.
inline constexpr std::size_t kMostLaunchRows = std::size_t{65535} * kKeyTileRows;

/// The shape of the launch for a table of [rows, columns] pairs.
[[nodiscard]] inline launch_shape pair_grid(std::size_t rows, std::size_t columns) {
  return {dim3(static_cast<unsigned>((columns + kKeyTileColumns - 1) / kKeyTileColumns),
               static_cast<unsigned>((rows + kKeyTileRows - 1) / kKeyTileRows)),
          dim3(kKeyThreads)};
}

/// out [Q, M] = similarities or distances; norms of both sides are known. Queued.
template <class Metric, pair_value Value, real_element T>
void queue_values(const cuda_context& context, const device_rows<T>& a, const double* a_norms, const device_rows<T>& b,
                  const double* b_norms, const matrix_view<float, device_space>& out) {
  if (out.empty()) return;
  for (std::size_t first = 0; first < a.extent(0); first += kMostLaunchRows) {
    const std::size_t count = std::min(kMostLaunchRows, a.extent(0) - first);
    launch(pair_grid(count, b.extent(0)), context.stream(), canonical_values<Metric, Value, T>,
           side_of(a.slice(first, count), a_norms + first), side_of(b, b_norms), checked_count(a.extent(1), "columns"),
           out.row(first), out.stride(0));
  }
}

}  // namespace imgsim::cuda
