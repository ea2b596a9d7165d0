// Lists of rows on the device, and launches of the kernels that gather them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/core/view.hpp>
#include <imgsim/cuda/cluster/gather_kernel.cuh>
#include <imgsim/cuda/context.hpp>
#include <imgsim/cuda/launch.cuh>
#include <imgsim/cuda/search/pairs_launch.cuh>

namespace imgsim::cuda {

/// Values of the host on the device; queued. The object must live until the stream has come past it; where an exception
/// ends its life, it waits.
template <class T>
class uploaded {
 public:
  uploaded(const cuda_context& context, std::vector<T> values)
      : values_(std::move(values)), copy_(context.allocate<T>(values_.size())), wait_(context) {
    context.copy(matrix_view<const T>(values_.data(), {1, values_.size()}), copy_.matrix(1, values_.size()));
  }
  uploaded(const uploaded&) = delete;
  uploaded& operator=(const uploaded&) = delete;

  [[nodiscard]] const T* get() const noexcept { return copy_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }

 private:
  std::vector<T> values_;
  device_buffer<T> copy_;
  cuda_context::waits_if_thrown wait_;  // the last member goes first
};

/// Rows of the host's, which are below 2^32, as the device counts them.
[[nodiscard]] inline std::vector<unsigned> narrowed(std::span<const std::size_t> rows) {
  std::vector<unsigned> indices(rows.size());
  std::ranges::transform(rows, indices.begin(), [](std::size_t row) { return static_cast<unsigned>(row); });
  return indices;
}

/// `count` values from the device, waited for.
template <class T>
void read_back(const cuda_context& context, const T* from, std::span<T> to) {
  const cuda_context::waits_if_thrown wait(context);
  context.copy(matrix_view<const T, device_space>(from, {1, to.size()}), matrix_view<T>(to.data(), {1, to.size()}));
  context.synchronize();
}

[[nodiscard]] inline launch_shape gather_grid(const index_list& rows, const index_list& columns) {
  constexpr unsigned kThreads = 128;
  constexpr unsigned kMostBlockRows = 1024;  // a grid holds 65535; a block takes every 1024th row
  return {dim3((columns.count + kThreads - 1) / kThreads, std::min(rows.count, kMostBlockRows)), dim3(kThreads)};
}

/// out [rows, columns]; queued.
template <class T>
void queue_gather(const cuda_context& context, const T* from, std::size_t stride, const index_list& rows,
                  const index_list& columns, const matrix_view<T, device_space>& out) {
  if (out.empty()) return;
  launch(gather_grid(rows, columns), context.stream(), gather<T>, from, stride, rows, columns, out.data(),
         out.stride(0));
}

}  // namespace imgsim::cuda
