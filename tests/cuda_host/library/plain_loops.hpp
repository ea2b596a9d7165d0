// The arithmetic of the fake libraries: loops in float64 over their definitions, on the host.
#pragma once

#include <cstddef>
#include <vector>

namespace imgsim::cuda_host {

/// A convolution between a fine side [photos, height, width, fine] and a coarse side [photos, out_height, out_width,
/// coarse], channels last; kernel [coarse, kernel_height, kernel_width, fine].
struct convolution_loops {
  std::size_t photos = 0;
  std::size_t height = 0, width = 0, fine = 0;
  std::size_t out_height = 0, out_width = 0, coarse = 0;
  std::size_t kernel_height = 0, kernel_width = 0;
  std::size_t pad_height = 0, pad_width = 0;
  std::size_t stride_height = 1, stride_width = 1;

  [[nodiscard]] std::size_t fine_size() const { return photos * height * width * fine; }
  [[nodiscard]] std::size_t coarse_size() const { return photos * out_height * out_width * coarse; }
  [[nodiscard]] std::size_t kernel_size() const { return coarse * kernel_height * kernel_width * fine; }

  [[nodiscard]] std::vector<double> forward(const std::vector<double>& x, const std::vector<double>& w) const;
  [[nodiscard]] std::vector<double> backward_data(const std::vector<double>& w, const std::vector<double>& dy) const;
  [[nodiscard]] std::vector<double> backward_filter(const std::vector<double>& x, const std::vector<double>& dy) const;
};

/// c [m, n] = op(a) op(b), all in columns: element (i, j) of a matrix with `rows` rows is at i + j * rows. `a` is [m,
/// k] or, transposed, [k, m]; `b` [k, n] or [n, k].
[[nodiscard]] std::vector<double> multiply_columns(const std::vector<double>& a, bool a_transposed,
                                                   const std::vector<double>& b, bool b_transposed, std::size_t m,
                                                   std::size_t n, std::size_t k);

}  // namespace imgsim::cuda_host
