// Convolutions and dense layers in double, as plain loops over their definitions.
#pragma once

#include <cstddef>
#include <vector>

namespace reference {

/// One photo's activations [height, width, channels].
struct image {
  std::size_t height = 1, width = 1, channels = 1;
  std::vector<double> values;

  image(std::size_t h, std::size_t w, std::size_t c) : height(h), width(w), channels(c), values(h * w * c) {}
  double& at(std::size_t y, std::size_t x, std::size_t c) { return values[(y * width + x) * channels + c]; }
  double at(std::size_t y, std::size_t x, std::size_t c) const { return values[(y * width + x) * channels + c]; }
};

/// Zeros before the first row or column: Keras' "same" splits ceil's shortfall, the odd one after.
inline long same_padding(std::size_t in, std::size_t out, std::size_t kernel, std::size_t stride) {
  const long total = static_cast<long>((out - 1) * stride + kernel) - static_cast<long>(in);
  return total > 0 ? total / 2 : 0;
}

/// kernel [kernel_h, kernel_w, in, out]
inline image convolve(const image& in, const std::vector<double>& kernel, const std::vector<double>& bias,
                      std::size_t kernel_h, std::size_t kernel_w, std::size_t stride_h, std::size_t stride_w,
                      bool same) {
  const std::size_t filters = kernel.size() / (kernel_h * kernel_w * in.channels);
  image out(same ? (in.height + stride_h - 1) / stride_h : (in.height - kernel_h) / stride_h + 1,
            same ? (in.width + stride_w - 1) / stride_w : (in.width - kernel_w) / stride_w + 1, filters);
  const long top = same ? same_padding(in.height, out.height, kernel_h, stride_h) : 0;
  const long left = same ? same_padding(in.width, out.width, kernel_w, stride_w) : 0;
  for (std::size_t y = 0; y < out.height; ++y)
    for (std::size_t x = 0; x < out.width; ++x)
      for (std::size_t f = 0; f < filters; ++f) {
        double sum = bias.empty() ? 0.0 : bias[f];
        for (std::size_t i = 0; i < kernel_h; ++i)
          for (std::size_t j = 0; j < kernel_w; ++j) {
            const long row = static_cast<long>(y * stride_h + i) - top;
            const long column = static_cast<long>(x * stride_w + j) - left;
            if (row < 0 || column < 0 || row >= static_cast<long>(in.height) || column >= static_cast<long>(in.width))
              continue;
            for (std::size_t c = 0; c < in.channels; ++c)
              sum += in.at(static_cast<std::size_t>(row), static_cast<std::size_t>(column), c) *
                     kernel[((i * kernel_w + j) * in.channels + c) * filters + f];
          }
        out.at(y, x, f) = sum;
      }
  return out;
}

/// kernel [kernel_h, kernel_w, out, in]: every input value lays a scaled copy of the kernel on the output.
inline image convolve_transposed(const image& in, const std::vector<double>& kernel, const std::vector<double>& bias,
                                 std::size_t kernel_h, std::size_t kernel_w, std::size_t stride_h, std::size_t stride_w,
                                 bool same) {
  const std::size_t filters = kernel.size() / (kernel_h * kernel_w * in.channels);
  const auto extent = [same](std::size_t n, std::size_t k, std::size_t s) {
    return same ? n * s : n * s + (k > s ? k - s : 0);
  };
  image out(extent(in.height, kernel_h, stride_h), extent(in.width, kernel_w, stride_w), filters);
  const long top = same ? same_padding(out.height, in.height, kernel_h, stride_h) : 0;
  const long left = same ? same_padding(out.width, in.width, kernel_w, stride_w) : 0;
  for (std::size_t p = 0; p < out.height * out.width; ++p)
    for (std::size_t f = 0; f < filters; ++f) out.values[p * filters + f] = bias.empty() ? 0.0 : bias[f];
  for (std::size_t y = 0; y < in.height; ++y)
    for (std::size_t x = 0; x < in.width; ++x)
      for (std::size_t i = 0; i < kernel_h; ++i)
        for (std::size_t j = 0; j < kernel_w; ++j) {
          const long row = static_cast<long>(y * stride_h + i) - top;
          const long column = static_cast<long>(x * stride_w + j) - left;
          if (row < 0 || column < 0 || row >= static_cast<long>(out.height) || column >= static_cast<long>(out.width))
            continue;
          for (std::size_t f = 0; f < filters; ++f)
            for (std::size_t c = 0; c < in.channels; ++c)
              out.at(static_cast<std::size_t>(row), static_cast<std::size_t>(column), f) +=
                  in.at(y, x, c) * kernel[((i * kernel_w + j) * filters + f) * in.channels + c];
        }
  return out;
}

/// kernel [in, units]
inline image multiply(const image& in, const std::vector<double>& kernel, const std::vector<double>& bias) {
  image out(1, 1, kernel.size() / in.values.size());
  for (std::size_t u = 0; u < out.channels; ++u) {
    out.values[u] = bias.empty() ? 0.0 : bias[u];
    for (std::size_t i = 0; i < in.values.size(); ++i) out.values[u] += in.values[i] * kernel[i * out.channels + u];
  }
  return out;
}

}  // namespace reference
