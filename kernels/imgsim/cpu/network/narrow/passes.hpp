// Which passes of a convolution are hand-written, and those passes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <imgsim/core/simd.hpp>
#include <imgsim/cpu/network/layer.hpp>
#include <imgsim/cpu/network/narrow/convolution.hpp>
#include <imgsim/cpu/network/narrow/kernel_gradient.hpp>
#include <imgsim/model/layer_shapes.hpp>

namespace imgsim::cpu {

/// What a convolution and its transpose share in their specification.
struct convolution_window {
  extent_2d kernel;
  extent_2d stride;
  padding_kind padding = padding_kind::same;
};

/// The passes between the fine and the coarse side of one convolution (convolution.hpp) that oneDNN is slow at:
/// float32, windows 3x3, `same`. What it is fast at stays with it, and is absent here. bench/NOTES.md has the
/// measurements.
class narrow_passes {
 public:
  /// `pools`: run_pooled_to_coarse will be asked for; only where pools_to_coarse.
  narrow_passes(const convolution_window& window, const feature_shape& fine, const feature_shape& coarse, element type,
                simd_level level, bool pools = false)
      : fine_channels_(fine.channels), coarse_channels_(coarse.channels) {
    const std::size_t stride = window.stride.height;
    if (type != element::float32 || window.kernel != extent_2d{3, 3} || window.padding != padding_kind::same ||
        window.stride != extent_2d{stride, stride} || stride > 2) {
      return;
    }
    if (stride == 1) {
      if (is_narrow(coarse.channels) || pools) {
        to_coarse_.emplace(fine.height, fine.width, fine.channels, coarse.channels, level);
      }
      if (is_narrow(fine.channels)) {
        to_fine_.emplace(fine.height, fine.width, coarse.channels, fine.channels, level);
      }
    }
    const std::size_t rows_before = slide_window(fine.height, 3, stride, window.padding).pad_before;
    const std::size_t columns_before = slide_window(fine.width, 3, stride, window.padding).pad_before;
    fine_is_wide_ = stride == 1 && fine.channels > coarse.channels;
    const feature_shape& wide = fine_is_wide_ ? fine : coarse;
    const feature_shape& narrow = fine_is_wide_ ? coarse : fine;
    const bool is_slow = is_narrow(coarse.channels) || (stride == 2 && coarse.channels >= kManyChannels);
    if (is_slow && kernel_gradient::can_tile(wide.channels, narrow.channels)) {
      gradient_.emplace(kernel_gradient::image{wide.height, wide.width, wide.channels},
                        kernel_gradient::image{narrow.height, narrow.width, narrow.channels}, stride, rows_before,
                        columns_before, level);
    }
  }

  /// Whether max pooling by windows of 2x2 can be a part of the pass to the coarse side.
  [[nodiscard]] static bool pools_to_coarse(const convolution_window& window, const feature_shape& coarse,
                                            element type) {
    return type == element::float32 && window.kernel == extent_2d{3, 3} && window.stride == extent_2d{1, 1} &&
           window.padding == padding_kind::same &&
           narrow_convolution::can_pool(coarse.height, coarse.width, coarse.channels);
  }

  [[nodiscard]] bool has_to_coarse() const noexcept { return to_coarse_.has_value(); }
  [[nodiscard]] bool has_to_fine() const noexcept { return to_fine_.has_value(); }
  [[nodiscard]] bool has_gradient() const noexcept { return gradient_.has_value(); }

  /// Packs the kernel [3, 3, fine, coarse] again where the parameters have changed; biases may be null.
  void refresh(const float* kernel, const float* coarse_bias, const float* fine_bias, std::uint64_t version) {
    if (version_ == version) return;
    version_ = version;
    const auto at = [&](std::size_t row, std::size_t column, std::size_t fine, std::size_t coarse) {
      return kernel[((row * 3 + column) * fine_channels_ + fine) * coarse_channels_ + coarse];
    };
    if (to_coarse_) to_coarse_->pack(at, coarse_bias);
    if (!to_fine_) return;
    to_fine_->pack([&](std::size_t row, std::size_t column, std::size_t coarse,
                       std::size_t fine) { return at(2 - row, 2 - column, fine, coarse); },
                   fine_bias);
  }

  void run_to_coarse(worker& w, const void* fine, void* coarse, std::size_t photos, double negative_slope) const {
    to_coarse_->run(w, static_cast<const float*>(fine), static_cast<float*>(coarse), photos, negative_slope);
  }
  /// The coarse side is [height / 2, width / 2].
  void run_pooled_to_coarse(worker& w, const void* fine, void* coarse, std::size_t photos,
                            double negative_slope) const {
    to_coarse_->run_pooled(w, static_cast<const float*>(fine), static_cast<float*>(coarse), photos, negative_slope);
  }
  void run_to_fine(worker& w, const void* coarse, void* fine, std::size_t photos, double negative_slope) const {
    to_fine_->run(w, static_cast<const float*>(coarse), static_cast<float*>(fine), photos, negative_slope);
  }

  /// sum[3, 3, fine, coarse] += the gradient of the kernel.
  void add_gradient(worker& w, const void* fine, const void* coarse, std::size_t photos, float* sum) const {
    const auto* const of_fine = static_cast<const float*>(fine);
    const auto* const of_coarse = static_cast<const float*>(coarse);
    if (!fine_is_wide_) {
      const float* const found = gradient_->run(w, of_coarse, of_fine, photos);
      for (std::size_t i = 0; i < gradient_->size(); ++i) sum[i] += found[i];
      return;
    }
    const float* found = gradient_->run(w, of_fine, of_coarse, photos);
    for (std::size_t place = 9; place-- > 0;)  // seen from the fine side, the window is mirrored
      for (std::size_t c = 0; c < coarse_channels_; ++c)
        for (std::size_t f = 0; f < fine_channels_; ++f)
          sum[(place * fine_channels_ + f) * coarse_channels_ + c] += *found++;
  }

 private:
  /// Outputs that leave lanes of a register of 16 empty in oneDNN.
  [[nodiscard]] static bool is_narrow(std::size_t channels) noexcept {
    return channels < narrow_convolution::kMostOutputs;
  }
  /// From so many coarse channels on, two registers of them share each broadcast, and oneDNN's gradient of strided
  /// kernels is behind.
  static constexpr std::size_t kManyChannels = 32;

  std::size_t fine_channels_, coarse_channels_;
  bool fine_is_wide_ = false;
  std::optional<narrow_convolution> to_coarse_, to_fine_;
  std::optional<kernel_gradient> gradient_;
  std::uint64_t version_ = 0;
};

}  // namespace imgsim::cpu
