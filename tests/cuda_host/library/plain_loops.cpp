#include "cuda_host/library/plain_loops.hpp"

namespace imgsim::cuda_host {
namespace {

/// visit(coarse pixel, fine pixel, kernel position) for each pair that a kernel position joins.
template <class Visit>
void for_each_pair(const convolution_loops& s, Visit&& visit) {
  const std::size_t pixels = s.photos * s.out_height * s.out_width;
  for (std::size_t coarse = 0; coarse < pixels; ++coarse) {
    const std::size_t photo = coarse / (s.out_height * s.out_width);
    const std::size_t row = coarse / s.out_width % s.out_height;
    const std::size_t column = coarse % s.out_width;
    for (std::size_t i = 0; i < s.kernel_height; ++i) {
      const std::size_t y = row * s.stride_height + i - s.pad_height;  // wraps in the padding
      if (y >= s.height) continue;
      for (std::size_t j = 0; j < s.kernel_width; ++j) {
        const std::size_t x = column * s.stride_width + j - s.pad_width;
        if (x < s.width) visit(coarse, (photo * s.height + y) * s.width + x, i * s.kernel_width + j);
      }
    }
  }
}

}  // namespace

std::vector<double> convolution_loops::forward(const std::vector<double>& x, const std::vector<double>& w) const {
  std::vector<double> y(coarse_size());
  const std::size_t positions = kernel_height * kernel_width;
  for_each_pair(*this, [&](std::size_t to, std::size_t from, std::size_t position) {
    for (std::size_t k = 0; k < coarse; ++k)
      for (std::size_t c = 0; c < fine; ++c)
        y[to * coarse + k] += x[from * fine + c] * w[(k * positions + position) * fine + c];
  });
  return y;
}

std::vector<double> convolution_loops::backward_data(const std::vector<double>& w,
                                                     const std::vector<double>& dy) const {
  std::vector<double> dx(fine_size());
  const std::size_t positions = kernel_height * kernel_width;
  for_each_pair(*this, [&](std::size_t from, std::size_t to, std::size_t position) {
    for (std::size_t k = 0; k < coarse; ++k)
      for (std::size_t c = 0; c < fine; ++c)
        dx[to * fine + c] += dy[from * coarse + k] * w[(k * positions + position) * fine + c];
  });
  return dx;
}

std::vector<double> convolution_loops::backward_filter(const std::vector<double>& x,
                                                       const std::vector<double>& dy) const {
  std::vector<double> dw(kernel_size());
  const std::size_t positions = kernel_height * kernel_width;
  for_each_pair(*this, [&](std::size_t at_dy, std::size_t at_x, std::size_t position) {
    for (std::size_t k = 0; k < coarse; ++k)
      for (std::size_t c = 0; c < fine; ++c)
        dw[(k * positions + position) * fine + c] += dy[at_dy * coarse + k] * x[at_x * fine + c];
  });
  return dw;
}

std::vector<double> multiply_columns(const std::vector<double>& a, bool a_transposed, const std::vector<double>& b,
                                     bool b_transposed, std::size_t m, std::size_t n, std::size_t k) {
  std::vector<double> c(m * n);
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t l = 0; l < k; ++l) {
      const double right = b_transposed ? b[j + l * n] : b[l + j * k];
      for (std::size_t i = 0; i < m; ++i) c[i + j * m] += (a_transposed ? a[l + i * k] : a[i + l * m]) * right;
    }
  return c;
}

}  // namespace imgsim::cuda_host
