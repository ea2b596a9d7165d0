// A gallery on a CUDA device, made ready for search.
#pragma once

#include <cstddef>
#include <type_traits>

#include <imgsim/core/element.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cuda/context.hpp>
#include <imgsim/cuda/search/pairs_launch.cuh>

namespace imgsim::cuda {

/// Rows [M, D] on the device: the caller's, which must outlive the object, or a copy of host rows, which is waited for.
template <real_element T>
class resident_rows {
 public:
  resident_rows(const cuda_context&, const device_rows<T>& rows) : rows_(rows) {}
  resident_rows(const cuda_context& context, const matrix_view<const T>& rows)
      : copy_(context.allocate<T>(rows.size())), rows_(copy_.get(), rows.extents()) {
    const cuda_context::waits_if_thrown wait(context);
    context.copy(rows, copy_.matrix(rows.extent(0), rows.extent(1)));
    context.synchronize();
  }

  [[nodiscard]] const device_rows<T>& view() const noexcept { return rows_; }

 private:
  device_buffer<T> copy_;
  device_rows<T> rows_;
};

/// Rows and their squared norms.
template <real_element T>
class gallery {
 public:
  template <class Space>
  gallery(const cuda_context& context, const matrix_view<const T, Space>& rows)
      : rows_(context, rows), squared_norms_(context.allocate<double>(rows.extent(0))) {
    queue_squared_norms<T>(context, rows_.view(), squared_norms_.get());
  }

  [[nodiscard]] const device_rows<T>& rows() const noexcept { return rows_.view(); }
  [[nodiscard]] const double* squared_norms() const noexcept { return squared_norms_.get(); }

 private:
  resident_rows<T> rows_;
  device_buffer<double> squared_norms_;
};

}  // namespace imgsim::cuda
