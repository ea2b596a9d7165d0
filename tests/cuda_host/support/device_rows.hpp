// Rows of the host on the device, as a caller with data there would have them.
#pragma once

#include <algorithm>

#include <imgsim/core/view.hpp>

#include "cuda_host/support/device_array.hpp"

namespace imgsim_test {

/// With the strides that the rows have on the host.
template <class T>
class device_copy {
 public:
  explicit device_copy(imgsim::matrix_view<const T> rows)
      : shape_(rows), values_(std::max<std::size_t>(rows.empty() ? 0 : rows.extent(0) * rows.stride(0), 1)) {
    if (!rows.empty())
      IMGSIM_CUDA_CHECK(cudaMemcpy(values_.get(), rows.data(),
                                   ((rows.extent(0) - 1) * rows.stride(0) + rows.extent(1)) * sizeof(T),
                                   cudaMemcpyHostToDevice));
  }
  [[nodiscard]] imgsim::matrix_view<const T, imgsim::device_space> view() const {
    return {values_.get(), shape_.extents(), shape_.strides()};
  }

 private:
  imgsim::matrix_view<const T> shape_;
  device_array<T> values_;
};

/// Where the caller's rows are.
enum class place_of_rows { host, device };

}  // namespace imgsim_test
